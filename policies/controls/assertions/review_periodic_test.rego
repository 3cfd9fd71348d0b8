package secgate.tests.assertions.review_periodic

import data.secgate.assertions.review_periodic

good := {"id": "w", "to_epoch_s": 100, "reviewed_epoch_s": 86500}

document(changes) := {
	"assertion": "review_periodic",
	"period": {"from_epoch_s": 0, "to_epoch_s": 200000},
	"params": {"limit_days": 1},
	"items": [object.union(good, changes)],
}

found(changes) := words if {
	set := review_periodic.deviation with input as document(changes)
	words := {e.exception | some e in set}
}

waiting(changes) := {e.item | some e in set} if set := review_periodic.pending with input as document(changes)

test_allow_in_the_very_second if found({}) == set()

test_deviates_a_second_late if found({"reviewed_epoch_s": 86501}) == {"review_late"}

test_deviates_never if found({"reviewed_epoch_s": 0}) == {"no_review"}

test_allow_still_in_time if found({"reviewed_epoch_s": 0, "to_epoch_s": 113600}) == set()

test_pending_to_the_very_second if waiting({"reviewed_epoch_s": 0, "to_epoch_s": 113600}) == {"w"}

test_not_pending_a_second_later if waiting({"reviewed_epoch_s": 0, "to_epoch_s": 113599}) == set()

test_not_pending_once_done if waiting({"to_epoch_s": 113600}) == set()
