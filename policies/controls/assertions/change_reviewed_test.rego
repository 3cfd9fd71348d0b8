package secgate.tests.assertions.change_reviewed

import data.secgate.assertions.change_reviewed

good := {"reviewer": "p-2", "approved_epoch_s": 100, "machine": false}

found(changes) := words if {
	set := change_reviewed.deviation with input as {
		"assertion": "change.reviewed",
		"period": {"from_epoch_s": 0, "to_epoch_s": 1000},
		"params": {},
		"items": [{
			"id": "c", "author": "p-1", "merged_epoch_s": 100,
			"approvals": [object.union(good, change) | some change in changes],
		}],
	}
	words := {e.exception | some e in set}
}

test_allow_approved_in_the_very_second if found([{}]) == set()

test_deviates_one_second_after if found([{"approved_epoch_s": 101}]) == {"review_after_merge"}

test_deviates_without_approval if found([]) == {"no_review"}

test_deviates_own_approval if found([{"reviewer": "p-1"}]) == {"author_is_reviewer"}

test_deviates_machine if found([{"machine": true}]) == {"reviewer_is_a_machine"}

test_deviates_every_reason if {
	found([{"reviewer": "p-1"}, {"machine": true}]) == {"author_is_reviewer", "reviewer_is_a_machine"}
}

test_allow_one_good_approval_is_enough if found([{"reviewer": "p-1"}, {"machine": true}, {}]) == set()
