package secgate.tests.assertions.change_gated

import data.secgate.assertions.change_gated

passed := {
	"run_id": "r1", "by": "commit", "decided_epoch_s": 100, "outcome": "pass", "same_artifact": "unknown",
	"same_source": "unknown", "override": "none",
}

found(changes) := given([object.union(passed, change) | some change in changes])

given(runs) := words if {
	set := change_gated.deviation with input as {
		"assertion": "change.gated",
		"period": {"from_epoch_s": 0, "to_epoch_s": 1000},
		"params": {},
		"items": [{"id": "d", "environment": "production", "deployed_epoch_s": 200, "runs": runs}],
	}
	words := {e.exception | some e in set}
}

test_allow_passed_before if found([{}]) == set()

test_allow_in_the_very_second if found([{"decided_epoch_s": 200}]) == set()

test_deviates_one_second_later if found([{"decided_epoch_s": 201}]) == {"run_after_deployment"}

test_deviates_without_a_run if found([]) == {"no_run"}

test_deviates_blocked if found([{"outcome": "fail"}]) == {"blocked_and_not_overridden"}

test_deviates_policy_error if found([{"outcome": "policy-error"}]) == {"blocked_and_not_overridden"}

test_deviates_inconclusive if found([{"outcome": "inconclusive"}]) == {"inconclusive_and_not_overridden"}

test_deviates_without_a_decision if found([{"outcome": ""}]) == {"inconclusive_and_not_overridden"}

test_allow_overridden if found([{"outcome": "fail", "override": "counts"}]) == set()

test_deviates_override_void if found([{"outcome": "fail", "override": "void"}]) == {"blocked_and_not_overridden"}

test_deviates_other_artefact if found([{"same_artifact": "no"}]) == {"digest_mismatch"}

test_allow_same_artefact if found([{"same_artifact": "yes"}]) == set()

test_deviates_built_from_another_commit if {
	found([{"by": "artifact", "same_source": "no"}]) == {"source_mismatch"}
}

test_allow_built_from_both if {
	found([{"by": "artifact", "same_source": "no"}, {"run_id": "r2", "by": "artifact", "same_source": "yes"}]) == set()
}

test_allow_another_commit_of_a_run_of_no_artefact if found([{"same_source": "no"}]) == set()

test_allow_last_run_counts if found([{"outcome": "fail"}, {"run_id": "r2", "decided_epoch_s": 150}]) == set()

test_deviates_last_run_counts if {
	found([{}, {"run_id": "r2", "decided_epoch_s": 150, "outcome": "fail"}]) == {"blocked_and_not_overridden"}
}

test_allow_a_run_after_changes_nothing if found([{}, {"run_id": "r2", "decided_epoch_s": 300, "outcome": "fail"}]) == set()
