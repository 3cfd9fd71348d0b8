package secgate.tests.fresh_advisories

import data.secgate.rules.fresh_advisories.deny
import data.secgate.tests.facts

denied(profile, lane, advisories) if {
	parts := {
		"lanes": [facts.lane({"lane": "dependencies", "needed": lane})],
		"advisories": facts.advisories(advisories),
	}
	found := deny with input as facts.document({"profile": profile}, parts)
	count(found) == 1
}

test_denies_without_any if denied("release", true, {"used": false})

test_allows_other_profiles if not denied("pull-request", true, {"used": false})

test_allows_a_tree_without_dependencies if not denied("release", false, {"used": false})

test_boundary_of_age if {
	denied("release", true, {"used": true, "age_s": data.fresh.release_s + 1})
	not denied("release", true, {"used": true, "age_s": data.fresh.release_s})
}
