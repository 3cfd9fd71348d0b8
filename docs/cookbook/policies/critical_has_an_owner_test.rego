package secgate.tests.critical_has_an_owner

import data.secgate.rules.critical_has_an_owner.deny
import data.secgate.tests.facts

denied(scope, changes) if {
	found := deny with input as facts.document({"scope": scope}, {"findings": [facts.finding(changes)]})
	count(found) == 1
}

test_denies if denied("protected", {"severity": "critical", "owner": ""})

test_allows_an_owned_one if not denied("protected", {"severity": "critical", "owner": "@acme/payments"})

test_allows_a_change if not denied("change", {"severity": "critical", "owner": ""})

test_boundary_of_severity if not denied("protected", {"severity": "high", "owner": ""})
