package secgate.tests.downgrade

import data.secgate.rules.new_critical_or_high
import data.secgate.rules.overdue
import data.secgate.rules.sla
import data.secgate.tests.facts

found := facts.now - (30 * 3600)

critical := facts.obligation({"basis": "severity:critical", "start_epoch_s": found, "limit_s": 86400})

# Found as critical thirty hours ago; five hours later it was agreed that it is of medium severity.
approved(changes) := facts.downgrade(object.union(
	{
		"state": "active", "id": "d1", "severity": "medium", "from_severity": "critical", "requester": "p-1",
		"approver": "p-2", "approved_epoch_s": found + (5 * 3600), "expires_epoch_s": facts.now + facts.day,
	},
	changes,
))

weak(changes) := object.union(
	{
		"severity": "critical", "first_seen_known": true, "first_seen_epoch_s": found, "obligations": [critical],
		"downgrade": approved({}),
	},
	changes,
)

document(scope, changes) := facts.document({"scope": scope}, {"findings": [facts.finding(weak(changes))]})

overdue_in(changes) := elements if {
	elements := overdue.deny with input as document("protected", changes)
}

denied(changes) if count(overdue_in(changes)) > 0

added(changes) := duties if {
	duties := sla.obligations with input as document("protected", changes)
}

taken(changes) := duties if {
	duties := sla.superseded with input as document("protected", changes)
}

duty(severity, start, limit) := {
	"finding": "f1", "basis": sprintf("severity:%s", [severity]), "start_epoch_s": start, "limit_s": limit,
}

test_without_one_it_is_overdue if {
	denied({"downgrade": facts.downgrade({})})
	taken({"downgrade": facts.downgrade({})}) == set()
}

test_it_is_counted_anew_from_first_seen if {
	not denied({})
	added({}) == {duty("medium", found, 2592000)}
	taken({}) == {duty("critical", found, 86400)}
}

test_at_the_deadline_it_is_in_time if {
	at_it := {"downgrade": approved({"approved_epoch_s": found + 86400})}
	not denied(at_it)
	count(taken(at_it)) == 1
}

test_a_second_later_it_is_too_late if {
	late := {"downgrade": approved({"approved_epoch_s": found + 86401})}
	denied(late)
	taken(late) == set()
}

test_it_is_overdue_after_the_approved_limit if {
	long_ago := facts.now - 2592001
	recorded := facts.obligation({"basis": "severity:critical", "start_epoch_s": long_ago, "limit_s": 86400})
	denied({
		"first_seen_epoch_s": long_ago, "obligations": [recorded],
		"downgrade": approved({"approved_epoch_s": long_ago}),
	})
}

test_other_duties_stay if {
	exploited := facts.obligation({"basis": "known-exploited", "start_epoch_s": found, "limit_s": 1209600})
	taken({"obligations": [critical, exploited]}) == {duty("critical", found, 86400)}
	denied({"obligations": [critical, object.union(exploited, {"limit_s": 10})]})
}

test_what_is_worse_than_what_was_approved_stays if {
	denied({"downgrade": approved({"from_severity": "high"})})
	taken({"downgrade": approved({"from_severity": "high"})}) == set()
}

test_one_that_does_not_hold_takes_nothing_back if {
	every state in ["none", "expired", "void"] {
		denied({"downgrade": approved({"state": state})})
		taken({"downgrade": approved({"state": state})}) == set()
	}
}

recorded := {"obligations": [
	object.union(critical, {"superseded": true, "superseded_by": "d1"}),
	facts.obligation({"basis": "severity:medium", "start_epoch_s": found, "limit_s": 2592000}),
]}

test_once_recorded_nothing_is_added if {
	added(recorded) == set()
	taken(recorded) == set()
	not denied(recorded)
}

ended(state) := object.union(recorded, {"downgrade": approved({"state": state, "ended_epoch_s": facts.now - 60})})

test_when_it_ends_the_duty_counts_from_then if {
	added(ended("expired")) == {duty("critical", facts.now - 60, 86400)}
	added(ended("void")) == {duty("critical", facts.now - 60, 86400)}
	not denied(ended("void"))
}

test_one_that_never_counted_has_moved_nothing if {
	never := object.union(recorded, {"downgrade": facts.downgrade({})})
	added(never) == {duty("critical", found, 86400)}
	denied(never)
}

test_what_came_back_does_not_come_twice if {
	back := facts.obligation({"basis": "severity:critical", "start_epoch_s": facts.now - 60, "limit_s": 86400})
	added(object.union(ended("void"), {"obligations": array.concat(recorded.obligations, [back])})) == set()
}

test_a_duty_that_known_debt_superseded_stays_so if {
	debt := object.union(critical, {"superseded": true})
	added({"obligations": [debt], "downgrade": facts.downgrade({})}) == set()
}

test_tools_that_say_less_by_now_loosen_nothing if {
	added({"severity": "low"}) == {duty("medium", found, 2592000)}
}

test_changes_start_and_end_no_clock if {
	no_duties := sla.obligations with input as document("change", {})
	no_duties == set()
	nothing_taken := sla.superseded with input as document("change", {})
	nothing_taken == set()
}

new(changes) := elements if {
	elements := new_critical_or_high.deny with input as document("change", object.union({"state": "new"}, changes))
}

test_allow_a_new_one_that_counts_for_less if new({}) == set()

test_deny_a_new_one_that_still_counts_as_high if {
	some element in new({"downgrade": approved({"severity": "high"})})
	startswith(element.reason, "new high finding")
}

test_deny_a_new_one_whose_downgrade_ended if count(new({"downgrade": approved({"state": "expired"})})) == 1

test_it_raises_nothing if new({"severity": "low", "downgrade": approved({"severity": "high"})}) == set()
