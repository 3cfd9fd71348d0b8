package secgate.tests.release_branch

import data.secgate.rules.release_branch.deny
import data.secgate.tests.facts

denied(line, changes) if {
	found := deny with input as facts.document({"line": line}, {"findings": [facts.finding(changes)]})
	count(found) == 1
}

test_denies if denied("release/1.4", {"state": "new", "severity": "critical"})

test_allows_another_branch if not denied("main", {"state": "new", "severity": "critical"})

test_allows_what_was_there if not denied("release/1.4", {"state": "unchanged", "severity": "critical"})

test_boundary_of_severity if not denied("release/1.4", {"state": "new", "severity": "high"})

test_boundary_of_the_name if not denied("releases", {"state": "new", "severity": "critical"})
