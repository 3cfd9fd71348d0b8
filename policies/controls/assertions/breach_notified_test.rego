package secgate.tests.assertions.breach_notified

import data.secgate.assertions.breach_notified

good := {"id": "b", "due_epoch_s": 100, "notified_epoch_s": 3700}

found(changes) := words if {
	set := breach_notified.deviation with input as {
		"assertion": "breach_notified",
		"period": {"from_epoch_s": 0, "to_epoch_s": 10000},
		"params": {"limit_hours": 1},
		"items": [object.union(good, changes)],
	}
	words := {e.exception | some e in set}
}

test_allow_in_the_very_second if found({}) == set()

test_deviates_a_second_late if found({"notified_epoch_s": 3701}) == {"notified_late"}

test_deviates_never if found({"notified_epoch_s": 0}) == {"not_notified"}

test_allow_still_in_time if found({"notified_epoch_s": 0, "due_epoch_s": 6400}) == set()
