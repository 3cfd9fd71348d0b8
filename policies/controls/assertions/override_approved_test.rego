package secgate.tests.assertions.override_approved

import data.secgate.assertions.override_approved

good := {
	"id": "o", "by": "p-1", "authorised": true, "has_reason": true, "given_epoch_s": 100, "until_epoch_s": 200,
	"longest_s": 100, "reviewer": "p-2", "reviewed_epoch_s": 300, "review_due_epoch_s": 300, "word": "justified",
}

document(changes) := {
	"assertion": "override_approved",
	"period": {"from_epoch_s": 0, "to_epoch_s": 1000},
	"params": {},
	"items": [object.union(good, changes)],
}

found(changes) := words if {
	set := override_approved.deviation with input as document(changes)
	words := {e.exception | some e in set}
}

waiting(changes) := {e.item | some e in set} if set := override_approved.pending with input as document(changes)

test_allow_reviewed_in_the_very_second if found({}) == set()

test_deviates_reviewed_a_second_late if found({"reviewed_epoch_s": 301}) == {"not_reviewed_in_time"}

test_deviates_not_authorised if found({"authorised": false}) == {"not_authorised"}

test_deviates_no_reason if found({"has_reason": false}) == {"no_reason"}

test_deviates_no_end if found({"until_epoch_s": 0}) == {"no_expiry"}

test_deviates_a_second_too_long if found({"until_epoch_s": 201}) == {"too_long"}

test_deviates_self_reviewed if found({"reviewer": "p-1"}) == {"self_reviewed"}

test_deviates_not_justified if found({"word": "not-justified"}) == {"not_justified"}

test_deviates_never_reviewed if found({"reviewer": "", "reviewed_epoch_s": 0, "word": "none"}) == {"not_reviewed_in_time"}

test_allow_still_to_be_reviewed if found({"reviewer": "", "reviewed_epoch_s": 0, "word": "none", "review_due_epoch_s": 1000}) == set()

test_pending_to_the_very_second if waiting({"reviewer": "", "reviewed_epoch_s": 0, "word": "none", "review_due_epoch_s": 1000}) == {"o"}

test_not_pending_a_second_later if waiting({"reviewer": "", "reviewed_epoch_s": 0, "word": "none", "review_due_epoch_s": 999}) == set()

test_not_pending_once_done if waiting({"review_due_epoch_s": 1000}) == set()
