package secgate.tests.assertions.breach_notified

import data.secgate.assertions.breach_notified

good := {"id": "b", "due_epoch_s": 100, "notified_epoch_s": 3700}

document(changes) := {
	"assertion": "breach_notified",
	"period": {"from_epoch_s": 0, "to_epoch_s": 10000},
	"params": {"limit_hours": 1},
	"items": [object.union(good, changes)],
}

found(changes) := words if {
	set := breach_notified.deviation with input as document(changes)
	words := {e.exception | some e in set}
}

waiting(changes) := {e.item | some e in set} if set := breach_notified.pending with input as document(changes)

test_allow_in_the_very_second if found({}) == set()

test_deviates_a_second_late if found({"notified_epoch_s": 3701}) == {"notified_late"}

test_deviates_never if found({"notified_epoch_s": 0}) == {"not_notified"}

test_allow_still_in_time if found({"notified_epoch_s": 0, "due_epoch_s": 6400}) == set()

test_pending_to_the_very_second if waiting({"notified_epoch_s": 0, "due_epoch_s": 6400}) == {"b"}

test_not_pending_a_second_later if waiting({"notified_epoch_s": 0, "due_epoch_s": 6399}) == set()

test_not_pending_once_done if waiting({"due_epoch_s": 6400}) == set()
