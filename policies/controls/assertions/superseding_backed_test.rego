package secgate.tests.assertions.superseding_backed

import data.secgate.assertions.superseding_backed

good := {
	"id": "s", "basis": "severity:high", "due_epoch_s": 200, "superseded_epoch_s": 150, "downgrade": "d",
	"agreed": true, "covers": true, "why": "", "approved_epoch_s": 100, "until_epoch_s": 900,
}

found(changes) := words if {
	set := superseding_backed.deviation with input as {
		"assertion": "superseding_backed",
		"period": {"from_epoch_s": 0, "to_epoch_s": 1000},
		"params": {},
		"items": [object.union(good, changes)],
	}
	words := {e.exception | some e in set}
}

test_allow_what_was_agreed if found({}) == set()

test_allow_approved_in_the_very_second if found({"approved_epoch_s": 200, "superseded_epoch_s": 200}) == set()

test_allow_what_has_no_end if found({"until_epoch_s": 0}) == set()

test_deviates_approved_a_second_late if {
	found({"approved_epoch_s": 201, "superseded_epoch_s": 300}) == {"approved_late"}
}

test_deviates_nobody_agreed if found({"agreed": false, "covers": false, "why": "no such"}) == {"not_agreed"}

test_deviates_of_something_else if found({"covers": false, "why": "another"}) == {"of_something_else"}

test_deviates_before_it_was_approved if found({"superseded_epoch_s": 99}) == {"not_in_force"}

test_deviates_when_it_had_ended if found({"superseded_epoch_s": 900}) == {"not_in_force"}
