package secgate.tests.root_container

import data.secgate.rules.root_container.warn
import data.secgate.tests.facts

warned(run, changes) if {
	root := {"lane": "iac", "weakness": "root-container", "path": "Dockerfile"}
	found := warn with input as facts.document(run, {"findings": [facts.finding(object.union(root, changes))]})
	count(found) == 1
}

test_denies_silence if warned({}, {"state": "new"})

test_allows_silence_on_old_ones if not warned({}, {"state": "unchanged"})

test_allows_silence_on_other_weaknesses if not warned({}, {"state": "new", "weakness": "missing-health-check"})

test_boundary_without_a_base_all_is_new if warned({"has_base": false}, {"state": "unchanged"})
