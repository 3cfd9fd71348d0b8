package secgate.tests.internet_facing

import data.secgate.rules.internet_facing.obligations
import data.secgate.tests.facts

limits(scope, changes) := {one.limit_s |
	seen := {"first_seen_known": true, "first_seen_epoch_s": facts.now - facts.day}
	finding := facts.finding(object.union(seen, changes))
	found := obligations with input as facts.document({"scope": scope}, {"findings": [finding]})
	some one in found
}

test_denies_after_half_a_day if {
	limits("protected", {"exposure": "internet", "severity": "critical"}) == {facts.day / 2}
}

test_allows_what_is_internal if limits("protected", {"exposure": "internal", "severity": "critical"}) == set()

test_allows_a_change_its_time if limits("change", {"exposure": "internet", "severity": "critical"}) == set()

test_boundary_of_severity if {
	limits("protected", {"exposure": "internet", "severity": "high"}) == {2 * facts.day}
	limits("protected", {"exposure": "internet", "severity": "medium"}) == set()
}
