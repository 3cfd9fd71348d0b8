package secgate.tests.secrets_in_change

import data.secgate.rules.secrets_in_change.deny
import data.secgate.tests.facts

denied(run, changes) if {
	secret := object.union({"lane": "secrets", "secret": true, "severity": "low"}, changes)
	found := deny with input as facts.document(run, {"findings": [facts.finding(secret)]})
	count(found) == 1
}

test_deny_new_secret_of_any_severity if denied({}, {"state": "new", "severity": "info"})

test_deny_secret_in_history_whatever_its_state if denied({}, {"in_history": true, "state": "unchanged"})

test_deny_secret_in_history_without_a_base if denied({"has_base": false}, {"in_history": true})

test_allow_old_secret if not denied({}, {"state": "unchanged"})

test_allow_in_protected_scope if {
	not denied({"scope": "protected"}, {"state": "new"})
	not denied({"scope": "protected"}, {"in_history": true})
}

test_allow_what_is_no_secret if not denied({}, {"state": "new", "secret": false})

test_allow_what_only_looks_like_a_secret if {
	not denied({}, {"state": "new", "confidence": "low"})
	not denied({}, {"in_history": true, "confidence": "low"})
}

test_deny_what_probably_is_a_secret if denied({}, {"state": "new", "confidence": "medium"})
