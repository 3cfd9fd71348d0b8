package secgate.tests.secrets_anywhere

import data.secgate.rules.secrets_anywhere.deny
import data.secgate.tests.facts

denied(changes) if {
	found := deny with input as facts.document({}, {"findings": [facts.finding(changes)]})
	count(found) == 1
}

test_denies_in_a_test if denied({"secret": true, "path": "tests/test_login.py", "path_class": "tests"})

test_denies_an_old_one if denied({"secret": true, "state": "unchanged", "severity": "low"})

test_allows_what_is_no_secret if not denied({"secret": false})

test_boundary_of_confidence if {
	denied({"secret": true, "confidence": "medium"})
	not denied({"secret": true, "confidence": "low"})
}
