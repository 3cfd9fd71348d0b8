package secgate.tests.assertions.gate_enforced

import data.secgate.assertions.gate_enforced

good := {"id": "r", "mode": "enforce", "outcome": "fail"}

found(changes) := words if {
	set := gate_enforced.deviation with input as {
		"assertion": "gate_enforced",
		"period": {"from_epoch_s": 0, "to_epoch_s": 1000},
		"params": {},
		"items": [object.union(good, changes)],
	}
	words := {e.exception | some e in set}
}

test_allow_what_blocks if found({}) == set()

test_allow_overridden if found({"mode": "overridden"}) == set()

test_deviates_observe if found({"mode": "observe"}) == {"observe_mode"}

test_deviates_no_decision if found({"mode": "", "outcome": ""}) == {"no_decision"}
