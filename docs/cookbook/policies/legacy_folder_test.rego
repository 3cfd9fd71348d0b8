package secgate.tests.legacy_folder

import data.secgate.rules.legacy_folder.exempt
import data.secgate.tests.facts

exempted(changes) if {
	found := exempt with input as facts.document({}, {"findings": [facts.finding(changes)]})
	some one in found
	one.expires_epoch_s == data.legacy.until_epoch_s
}

test_allows_legacy if exempted({"path": "legacy/report.py"})

test_denies_elsewhere if not exempted({"path": "app/report.py"})

test_denies_a_secret if not exempted({"path": "legacy/report.py", "secret": true})

test_boundary_of_the_folder if not exempted({"path": "legacy_new/report.py"})

test_boundary_of_severity if not exempted({"path": "legacy/report.py", "severity": "critical"})
