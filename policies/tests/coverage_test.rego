package secgate.tests.coverage

import data.secgate.rules.coverage
import data.secgate.tests.facts

with_gap(run, changes) := facts.document(run, {
	"gaps": [facts.gap(changes)],
	"lanes": [facts.lane({"covered": 2, "failed": 1, "gaps_total": 1})],
})

with_lane(changes) := facts.document({}, {"lanes": [facts.lane(changes)]})

unsure(document) if {
	found := coverage.inconclusive with input as document
	count(found) == 1
}

counted(document) if {
	found := coverage.warn with input as document
	count(found) == 1
}

silent(document) if {
	not unsure(document)
	not counted(document)
}

test_allow_covered if silent(with_lane({}))

test_inconclusive_touched_gap if unsure(with_gap({}, {"touched": true}))

test_inconclusive_touched_gap_though_waived if unsure(with_gap({}, {"touched": true, "waived": true}))

test_inconclusive_whole_tree if unsure(with_gap({"changed_set": "all"}, {"touched": true}))

with_excluded(run, changes, offered) := facts.document(run, {
	"gaps": [facts.gap(object.union({"path": "", "tool": "", "reason": "excluded"}, changes))],
	"lanes": [
		facts.lane({"offered": 0, "covered": 0, "gaps_total": 1}),
		facts.lane({"lane": "secrets", "offered": offered, "covered": offered}),
	],
})

test_counted_lane_excluded_beside_others if {
	counted(with_excluded({}, {}, 1))
	not unsure(with_excluded({}, {}, 1))
}

test_inconclusive_everything_excluded if {
	unsure(with_excluded({}, {}, 0))
	not counted(with_excluded({}, {}, 0))
}

test_inconclusive_lane_excluded_in_release_and_audit if {
	unsure(with_excluded({"profile": "release"}, {}, 1))
	unsure(with_excluded({"profile": "audit"}, {}, 0))
}

test_counted_excluded_waived if {
	counted(with_excluded({"profile": "release"}, {"waived": true}, 0))
	not unsure(with_excluded({"profile": "release"}, {"waived": true}, 0))
}

test_counted_whole_tree_waived if {
	document := with_gap({"changed_set": "all"}, {"touched": true, "waived": true})
	counted(document)
	not unsure(document)
}

test_counted_older_gap_in_pull_request if {
	counted(with_gap({}, {}))
	not unsure(with_gap({}, {}))
}

test_inconclusive_older_gap_in_release_and_audit if {
	unsure(with_gap({"profile": "release"}, {}))
	unsure(with_gap({"profile": "audit"}, {}))
}

test_counted_older_gap_in_release_waived if {
	document := with_gap({"profile": "release"}, {"waived": true})
	counted(document)
	not unsure(document)
}

test_inconclusive_older_gap_in_a_folder_held_to_more if {
	unsure(with_gap({}, {"profile": "release"}))
	unsure(with_gap({}, {"profile": "mine"}))
	unsure(with_gap({"profile": "release"}, {"profile": "pull-request"}))
}

test_counted_older_gap_in_a_folder_held_to_the_same if {
	counted(with_gap({}, {"profile": "pre-commit"}))
	not unsure(with_gap({}, {"profile": "pre-commit"}))
}

test_inconclusive_left_out_in_a_folder_that_does_not_do_without if {
	left_out := {"touched": true, "tool": "checkov", "reason": "not-selected", "profile": "pull-request"}
	unsure(with_gap({"profile": "pre-commit"}, left_out))
}

test_inconclusive_older_gap_in_unknown_profile if unsure(with_gap({"profile": "mine"}, {}))

test_inconclusive_gap_of_the_whole_lane if unsure(with_gap({}, {"path": "", "reason": "tool-missing"}))

test_counted_tool_that_the_profile_leaves_out if {
	left_out := {"touched": true, "tool": "checkov", "reason": "not-selected"}
	counted(with_gap({"profile": "pre-commit"}, left_out))
	not unsure(with_gap({"profile": "pre-commit"}, left_out))
	unsure(with_gap({"profile": "pull-request"}, left_out))
}

test_a_crash_is_never_left_out if {
	unsure(with_gap({"profile": "pre-commit"}, {"touched": true, "tool": "checkov", "reason": "tool-crashed"}))
}

test_allow_gap_of_a_lane_not_asked if {
	document := facts.document({}, {
		"gaps": [facts.gap({"touched": true})],
		"lanes": [facts.lane({"asked": false, "gaps_total": 1})],
	})
	silent(document)
}

test_inconclusive_no_tool_ran if unsure(with_lane({"tools_ran": []}))

test_allow_no_tool_ran_where_nothing_is_needed if {
	silent(with_lane({"tools_ran": [], "needed": false, "offered": 0, "covered": 0}))
}

test_inconclusive_lost_file if unsure(with_lane({"covered": 2}))

test_inconclusive_failed_without_a_reason if unsure(with_lane({"covered": 2, "failed": 1}))

test_inconclusive_incomplete_run if unsure(facts.document({"complete": false}, {}))

test_every_gap_is_spoken_of if {
	every touched in [true, false] {
		every waived in [true, false] {
			every changed in ["all", "some", "empty"] {
				every path in ["", "a.py"] {
					changes := {"touched": touched, "waived": waived, "path": path}
					spoken(with_gap({"changed_set": changed}, changes))
				}
			}
		}
	}
}

spoken(document) if {
	hard := coverage.inconclusive with input as document
	soft := coverage.warn with input as document
	some element in (hard | soft)
	element.gap == "gap-1"
}
