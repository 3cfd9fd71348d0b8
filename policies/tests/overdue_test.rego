package secgate.tests.overdue

import data.secgate.rules.overdue.deny
import data.secgate.tests.facts

found(run, changes) := elements if {
	elements := deny with input as facts.document(run, {"findings": [facts.finding(changes)]})
}

protected(changes) := found({"scope": "protected"}, changes)

started(ago) := {"obligations": [facts.obligation({"start_epoch_s": facts.now - ago})]}

test_allow_at_the_very_second if protected(started(604800)) == set()

test_deny_one_second_later if {
	some element in protected(started(604801))
	element.finding == "f1"
	element.reason == "overdue by 1 s: severity:high allows 7 d from 2025-12-24 23:59:59 UTC"
}

test_allow_before if protected(started(604799)) == set()

test_deny_first_run_of_what_was_seen_long_ago if {
	count(protected({"first_seen_known": true, "first_seen_epoch_s": facts.now - 604801})) == 1
}

test_allow_first_run_at_the_second if {
	protected({"first_seen_known": true, "first_seen_epoch_s": facts.now - 604800}) == set()
}

test_allow_superseded if {
	duty := facts.obligation({"start_epoch_s": facts.now - 604801, "superseded": true})
	protected({"obligations": [duty]}) == set()
}

test_earliest_bites if {
	late := facts.obligation({"basis": "known-exploited", "start_epoch_s": facts.now - 11, "limit_s": 10})
	count(protected({"obligations": [facts.obligation({}), late]})) == 1
}

test_allow_in_a_change if found({"scope": "change"}, started(604801)) == set()

test_allow_on_a_laptop if found({"scope": "local"}, started(604801)) == set()

test_critical_has_a_day if {
	duty := facts.obligation({"basis": "severity:critical", "start_epoch_s": facts.now - 86400, "limit_s": 86400})
	protected({"severity": "critical", "obligations": [duty]}) == set()
	older := object.union(duty, {"start_epoch_s": facts.now - 86401})
	count(protected({"severity": "critical", "obligations": [older]})) == 1
}

listed(limit_s) := {"baseline": {
	"listed": true, "id": "d", "author": "p-1", "date_epoch_s": facts.now - facts.day,
	"severity": "high", "limit_s": limit_s,
}}

test_known_debt_allows_what_its_severity_would_deny if {
	due_since := {"obligations": [facts.obligation({"start_epoch_s": facts.now - 604801})]}
	count(protected(due_since)) == 1
	protected(object.union(listed(10 * facts.day), due_since)) == set()
}

test_known_debt_denies_one_second_after_its_limit if {
	protected(listed(facts.day)) == set()
	some element in protected(listed(facts.day - 1))
	startswith(element.reason, "overdue by 1 s: baseline:high allows")
}

test_known_debt_that_was_overdue_on_the_day_stays_so if {
	long_due := {"obligations": [facts.obligation({"start_epoch_s": (facts.now - 604801) - facts.day})]}
	count(protected(object.union(listed(10 * facts.day), long_due))) == 1
}

test_known_debt_that_got_worse_is_denied_after_the_days_of_the_worse if {
	worse := facts.obligation({"basis": "severity:critical", "start_epoch_s": facts.now - 86401, "limit_s": 86400})
	count(protected(object.union(listed(10 * facts.day), {"severity": "critical", "obligations": [worse]}))) == 1
}
