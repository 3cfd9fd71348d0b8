package secgate.tests.strict_folder

import data.secgate.rules.strict_folder.deny
import data.secgate.tests.facts

denied(changes) if {
	new := {"state": "new", "severity": "medium"}
	found := deny with input as facts.document({}, {"findings": [facts.finding(object.union(new, changes))]})
	count(found) == 1
}

test_denies if denied({"path": "services/payments/refund.py"})

test_allows_elsewhere if not denied({"path": "services/blog/post.py"})

test_allows_what_was_there if not denied({"path": "services/payments/refund.py", "state": "unchanged"})

test_boundary_of_severity if not denied({"path": "services/payments/refund.py", "severity": "low"})

test_boundary_of_the_folder if not denied({"path": "services/payments_old/refund.py"})
