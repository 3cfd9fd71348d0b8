package secgate.tests.assertions.gate_change_reviewed

import data.secgate.assertions.gate_change_reviewed

good := {"id": "c", "changed_epoch_s": 100, "reviewed_epoch_s": 86500}

found(changes) := words if {
	set := gate_change_reviewed.deviation with input as {
		"assertion": "gate_change_reviewed",
		"period": {"from_epoch_s": 0, "to_epoch_s": 200000},
		"params": {"limit_days": 1},
		"items": [object.union(good, changes)],
	}
	words := {e.exception | some e in set}
}

test_allow_in_the_very_second if found({}) == set()

test_deviates_a_second_late if found({"reviewed_epoch_s": 86501}) == {"reviewed_late"}

test_deviates_never if found({"reviewed_epoch_s": 0}) == {"not_reviewed"}

test_allow_still_in_time if found({"reviewed_epoch_s": 0, "changed_epoch_s": 113600}) == set()
