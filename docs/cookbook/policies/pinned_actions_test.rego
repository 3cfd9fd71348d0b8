package secgate.tests.pinned_actions

import data.secgate.rules.pinned_actions.deny
import data.secgate.tests.facts

denied(changes) if {
	unpinned := {"lane": "workflows", "weakness": "unpinned-dependency", "severity": "low"}
	found := deny with input as facts.document({}, {"findings": [facts.finding(object.union(unpinned, changes))]})
	count(found) == 1
}

test_denies_a_new_one if denied({"state": "new"})

test_allows_what_was_there if not denied({"state": "unchanged"})

test_allows_another_weakness if not denied({"state": "new", "weakness": "workflow-injection"})

test_boundary_of_the_lane if not denied({"state": "new", "lane": "iac"})

test_boundary_what_only_newer_tools_see if not denied({"state": "newly-detectable"})
