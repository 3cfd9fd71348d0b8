package secgate.tests.gate_has_reviewers

import data.secgate.rules.gate_has_reviewers.deny
import data.secgate.tests.facts

denied(reviewers, author, paths) if {
	run := {"reviewers": reviewers, "author": author}
	found := deny with input as facts.document(run, {"gate_changes": paths})
	count(found) == 1
}

owner := data.gate_owners.people[0]

test_denies_without_a_review if denied([], "p-1", ["secgate.toml"])

test_denies_the_review_of_another if denied(["p-9"], "p-1", ["secgate.toml"])

test_allows_a_reviewed_one if not denied([owner], "p-1", ["secgate.toml"])

test_allows_other_changes if not denied([], "p-1", [])

test_boundary_of_ones_own_review if denied([owner], owner, ["secgate.toml"])
