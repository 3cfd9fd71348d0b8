package secgate.tests.no_gap_in_infrastructure

import data.secgate.rules.no_gap_in_infrastructure.deny
import data.secgate.tests.facts

denied(changes) if {
	old := {"lane": "iac", "path": "infra/old.tf", "touched": false}
	found := deny with input as facts.document({}, {"gaps": [facts.gap(object.union(old, changes))]})
	count(found) == 1
}

test_denies_an_old_gap if denied({})

test_denies_a_gap_of_the_whole_lane if denied({"path": "", "reason": "tool-missing"})

test_allows_another_lane if not denied({"lane": "sast"})

test_boundary_of_a_waiver if not denied({"waived": true})
