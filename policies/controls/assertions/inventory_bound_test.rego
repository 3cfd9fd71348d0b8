package secgate.tests.assertions.inventory_bound

import data.secgate.assertions.inventory_bound

good := {"id": "r", "released_epoch_s": 100, "bound_epoch_s": 100, "same_digest": true}

found(changes) := words if {
	set := inventory_bound.deviation with input as {
		"assertion": "inventory_bound",
		"period": {"from_epoch_s": 0, "to_epoch_s": 1000},
		"params": {},
		"items": [object.union(good, changes)],
	}
	words := {e.exception | some e in set}
}

test_allow_in_the_very_second if found({}) == set()

test_deviates_a_second_late if found({"bound_epoch_s": 101}) == {"inventory_after_release"}

test_deviates_none if found({"bound_epoch_s": 0}) == {"no_inventory"}

test_deviates_other if found({"same_digest": false}) == {"digest_mismatch"}
