package secgate.tests.assertions.record_readable

import data.secgate.assertions.record_readable

good := {"id": "r", "record": "whole"}

found(changes) := words if {
	set := record_readable.deviation with input as {
		"assertion": "record_readable",
		"period": {"from_epoch_s": 0, "to_epoch_s": 1000},
		"params": {},
		"items": [object.union(good, changes)],
	}
	words := {e.exception | some e in set}
}

test_allow_whole if found({}) == set()

test_deviates_missing if found({"record": "missing"}) == {"record_missing"}

test_deviates_differs if found({"record": "differs"}) == {"record_differs"}
