package secgate.tests.nothing_grows_old

import data.secgate.rules.nothing_grows_old.deny
import data.secgate.tests.facts

denied(scope, changes) if {
	seen := {"severity": "low", "first_seen_known": true}
	found := deny with input as facts.document({"scope": scope}, {"findings": [facts.finding(object.union(seen, changes))]})
	count(found) == 1
}

test_denies if denied("protected", {"seconds_open": 200 * facts.day})

test_allows_a_change if not denied("change", {"seconds_open": 200 * facts.day})

test_allows_what_only_informs if not denied("protected", {"seconds_open": 200 * facts.day, "severity": "info"})

test_boundary if {
	denied("protected", {"seconds_open": data.age.most_s + 1})
	not denied("protected", {"seconds_open": data.age.most_s})
}
