package secgate.tests.assertions.feed_current

import data.secgate.assertions.feed_current

good := {"id": "u", "scanner": "pip-audit", "evaluated_epoch_s": 186400, "data_epoch_s": 100000}

found(changes) := words if {
	set := feed_current.deviation with input as {
		"assertion": "feed_current",
		"period": {"from_epoch_s": 0, "to_epoch_s": 1000},
		"params": {"limit_days": 1},
		"items": [object.union(good, changes)],
	}
	words := {e.exception | some e in set}
}

test_allow_as_old_as_allowed if found({}) == set()

test_deviates_a_second_older if found({"data_epoch_s": 99999}) == {"feed_too_old"}

test_deviates_none if found({"data_epoch_s": 0}) == {"feed_missing"}
