package secgate.tests.assertions.exception_governed

import data.secgate.assertions.exception_governed

good := {
	"id": "e", "kind": "accept", "requester": "p-1", "approver": "p-2", "authorised": true, "why": "",
	"has_reason": true, "approved_epoch_s": 100, "expires_epoch_s": 200, "longest_s": 100,
}

found(changes) := words if {
	set := exception_governed.deviation with input as {
		"assertion": "exception_governed",
		"period": {"from_epoch_s": 0, "to_epoch_s": 1000},
		"params": {},
		"items": [object.union(good, changes)],
	}
	words := {e.exception | some e in set}
}

test_allow_as_long_as_allowed if found({}) == set()

test_deviates_a_second_too_long if found({"expires_epoch_s": 201}) == {"too_long"}

test_deviates_self_approved if found({"approver": "p-1", "authorised": false}) == {"self_approved"}

test_deviates_not_authorised if found({"authorised": false, "why": "no role"}) == {"approver_not_authorised"}

test_deviates_no_reason if found({"has_reason": false}) == {"no_reason"}

test_deviates_no_end if found({"expires_epoch_s": 0}) == {"no_expiry"}
