package secgate.tests.sla

import data.secgate.rules.sla.obligations
import data.secgate.tests.facts

given(run, changes) := found if {
	found := obligations with input as facts.document(run, {"findings": [facts.finding(changes)]})
}

protected(changes) := given({"scope": "protected"}, changes)

test_limits_by_severity if {
	expected := {"critical": 86400, "high": 604800, "medium": 2592000, "low": 7776000}
	every severity, limit in expected {
		duty := {
			"finding": "f1", "basis": sprintf("severity:%s", [severity]),
			"start_epoch_s": facts.now, "limit_s": limit,
		}
		protected({"severity": severity}) == {duty}
	}
}

test_info_has_no_limit if protected({"severity": "info"}) == set()

test_one_without_a_limit_takes_nothing_from_others if {
	both := [facts.finding({"severity": "info"}), facts.finding({"fingerprint": "f2"})]
	found := obligations with input as facts.document({"scope": "protected"}, {"findings": both})
	count(found) == 1
}

test_starts_at_first_seen if {
	some duty in protected({"first_seen_known": true, "first_seen_epoch_s": facts.now - 5})
	duty.start_epoch_s == facts.now - 5
}

test_changes_start_no_clock if {
	given({"scope": "change"}, {}) == set()
	given({"scope": "local"}, {}) == set()
}

test_recorded_is_not_added_again if protected({"obligations": [facts.obligation({})]}) == set()

test_risen_severity_counts_from_the_change if {
	changes := {
		"severity": "critical", "first_seen_known": true, "first_seen_epoch_s": facts.now - (3 * facts.day),
		"obligations": [facts.obligation({"start_epoch_s": facts.now - (3 * facts.day)})],
	}
	expected := {"finding": "f1", "basis": "severity:critical", "start_epoch_s": facts.now, "limit_s": 86400}
	protected(changes) == {expected}
}

test_fallen_severity_adds_nothing if {
	protected({"severity": "low", "obligations": [facts.obligation({})]}) == set()
}

test_superseded_does_not_come_back if {
	recorded := [facts.obligation({"superseded": true}), facts.obligation({"basis": "severity:low"})]
	protected({"obligations": recorded}) == set()
}

test_other_duties_do_not_stand_for_severity if {
	some duty in protected({"obligations": [facts.obligation({"basis": "known-exploited"})]})
	duty.basis == "severity:high"
}
