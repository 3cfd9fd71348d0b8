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

test_risen_from_what_has_no_limit_counts_from_the_change if {
	changes := {"risen": true, "first_seen_known": true, "first_seen_epoch_s": facts.now - (50 * facts.day)}
	some duty in protected(changes)
	duty.start_epoch_s == facts.now
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

listed(changes) := {"baseline": object.union(
	{
		"listed": true, "id": "d", "author": "p-1", "date_epoch_s": facts.now - facts.day,
		"severity": "high", "limit_s": 10 * facts.day,
	},
	changes,
)}

known_debt(changes) := {
	"finding": "f1", "basis": "baseline:high",
	"start_epoch_s": facts.now - facts.day, "limit_s": object.get(changes, "limit_s", 10 * facts.day),
}

test_known_debt_has_the_limit_of_its_list if protected(listed({})) == {known_debt({})}

test_known_debt_in_a_change_has_none if given({"scope": "change"}, listed({})) == set()

test_no_list_allows_more_than_the_policy if {
	protected(listed({"limit_s": 9000 * facts.day})) == {known_debt({"limit_s": 180 * facts.day})}
}

test_a_list_without_a_limit_leaves_the_severitys if {
	some duty in protected(listed({"limit_s": 0}))
	duty.basis == "severity:high"
}

test_known_debt_is_given_time_once if {
	recorded := facts.obligation({"basis": "baseline:high"})
	protected(object.union(listed({}), {"obligations": [recorded]})) == set()
}

test_recorded_debt_stands_for_its_severity_without_the_list if {
	protected({"obligations": [facts.obligation({"basis": "baseline:high"})]}) == set()
}

test_debt_that_got_worse_counts_from_the_change if {
	worse := {"finding": "f1", "basis": "severity:critical", "start_epoch_s": facts.now, "limit_s": facts.day}
	protected(object.union(listed({}), {"severity": "critical"})) == {worse, known_debt({})}
	recorded := {"severity": "critical", "obligations": [facts.obligation({"basis": "baseline:high"})]}
	protected(recorded) == {worse}
}

# ------------------------------------------------------------------------------------------------------------- places

place(name, changes) := object.union(
	{"name": name, "lanes": [], "path_classes": [], "exposures": []},
	changes,
)

at(places, changes) := found if {
	limits := object.union(data.limits, {"places": places})
	document := facts.document({"scope": "protected"}, {"findings": [facts.finding(changes)]})
	found := obligations with input as document with data.limits as limits
}

exposed := place("exposed", {"exposures": ["internet"], "severity_s": {"high": 2 * facts.day}})

tests := place("tests", {"path_classes": ["tests"], "severity_s": {"high": 60 * facts.day}})

severity(basis, limit) := {"finding": "f1", "basis": basis, "start_epoch_s": facts.now, "limit_s": limit}

test_a_place_has_a_limit_of_its_own if {
	at([exposed], {"exposure": "internet"}) == {severity("severity:high:exposed", 2 * facts.day)}
	at([exposed], {"exposure": "internal"}) == {severity("severity:high", 7 * facts.day)}
}

test_the_first_place_counts if {
	found := at([tests, exposed], {"exposure": "internet", "path_class": "tests"})
	found == {severity("severity:high:tests", 60 * facts.day)}
}

test_a_place_without_this_severity_leaves_it_to_the_next if {
	low := place("low", {"exposures": ["internet"], "severity_s": {"low": facts.day}})
	at([low, exposed], {"exposure": "internet"}) == {severity("severity:high:exposed", 2 * facts.day)}
}

test_a_place_by_lane if {
	secrets := place("secrets", {"lanes": ["secrets"], "severity_s": {"high": facts.day}})
	at([secrets], {"lane": "secrets"}) == {severity("severity:high:secrets", facts.day)}
	at([secrets], {}) == {severity("severity:high", 7 * facts.day)}
}

test_where_a_file_lies_never_spares_secrets_workflows_and_dependencies if {
	every changes in [{"lane": "secrets"}, {"lane": "workflows"}, {"lane": "dependencies"}, {"secret": true}] {
		at([tests], object.union({"path_class": "tests"}, changes)) == {severity("severity:high", 7 * facts.day)}
	}
}

test_what_is_spared_keeps_the_limit_of_its_lane if {
	secrets := place("secrets", {"lanes": ["secrets"], "severity_s": {"high": facts.day}})
	found := at([tests, secrets], {"path_class": "tests", "lane": "secrets"})
	found == {severity("severity:high:secrets", facts.day)}
}

test_where_a_file_lies_may_give_them_less if {
	found := at([exposed], {"exposure": "internet", "lane": "dependencies"})
	found == {severity("severity:high:exposed", 2 * facts.day)}
}

test_what_comes_to_a_stricter_place_counts_from_then if {
	recorded := [facts.obligation({"start_epoch_s": facts.now - facts.day})]
	found := at([exposed], {"exposure": "internet", "obligations": recorded})
	found == {severity("severity:high:exposed", 2 * facts.day)}
}

test_what_comes_to_a_milder_place_gains_nothing if {
	recorded := [facts.obligation({"basis": "severity:high:exposed", "limit_s": 2 * facts.day})]
	at([exposed], {"obligations": recorded}) == set()
}

test_a_place_whose_limit_changed_counts_for_later_duties if {
	recorded := [facts.obligation({"basis": "severity:high:exposed", "limit_s": 5 * facts.day})]
	at([exposed], {"exposure": "internet", "obligations": recorded}) == set()
}

test_what_known_debt_superseded_holds_in_every_place if {
	recorded := [facts.obligation({"superseded": true}), facts.obligation({"basis": "severity:low"})]
	at([exposed], {"exposure": "internet", "obligations": recorded}) == set()
}

test_known_debt_holds_in_every_place if {
	recorded := [facts.obligation({"basis": "baseline:high"})]
	at([exposed], {"exposure": "internet", "obligations": recorded}) == set()
}

agreed(changes) := object.union(
	{
		"severity": "high", "exposure": "internet", "first_seen_known": true,
		"first_seen_epoch_s": facts.now - facts.day,
		"downgrade": facts.downgrade({
			"state": "active", "id": "d1", "severity": "medium", "from_severity": "high",
			"approved_epoch_s": facts.now - 60, "expires_epoch_s": facts.now + facts.day,
		}),
	},
	changes,
)

medium_there := place("exposed", {"exposures": ["internet"], "severity_s": {"medium": 9 * facts.day}})

test_a_downgrade_has_the_limit_of_its_place_from_first_seen if {
	expected := object.union(severity("severity:medium:exposed", 9 * facts.day), {"start_epoch_s": facts.now - facts.day})
	at([medium_there], agreed({})) == {expected}
}

test_a_downgrade_that_comes_to_a_stricter_place_counts_from_then if {
	recorded := [facts.obligation({"basis": "severity:medium", "limit_s": 30 * facts.day})]
	found := at([medium_there], agreed({"obligations": recorded}))
	found == {severity("severity:medium:exposed", 9 * facts.day)}
}
