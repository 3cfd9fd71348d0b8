package secgate.tests.source

import data.secgate.main
import data.secgate.tests.facts

allowed := {
	"comments": ["nosec", "checkov:skip"], "lanes": ["sast", "iac"], "severities": ["medium", "low"],
	"names_rules": true, "reason_characters": 10,
}

policy(changes) := {"version": 1, "let_pass": [object.union(allowed, changes)]}

said(changes) := object.union({"comments": ["nosec"], "names_rules": true, "reason": "ours alone"}, changes)

sentinel := facts.finding({"fingerprint": "secgate:sentinel", "severity": "critical", "state": "new"})

overdue(changes) := object.union(
	facts.finding({
		"severity": "medium", "suppressed_in_source": true, "in_source": said({}), "first_seen_known": true,
		"first_seen_epoch_s": facts.now - (40 * facts.day), "seconds_open": 40 * facts.day,
		"obligations": [facts.obligation({
			"basis": "severity:medium", "start_epoch_s": facts.now - (40 * facts.day), "limit_s": 30 * facts.day,
		})],
	}),
	changes,
)

judged(run, finding, suppressions) := verdict if {
	document := facts.document(run, {"findings": [finding, sentinel]})
	decided := main.verdicts with input as document with data.suppressions as suppressions
	some verdict in decided
	verdict.id == "f1"
}

word(changes, suppressions) := judged({"scope": "protected"}, overdue(changes), suppressions).word

test_as_shipped_a_comment_lets_nothing_pass if {
	judged({"scope": "protected"}, overdue({}), data.suppressions).word == "deny"
}

test_a_comment_that_the_data_names_lets_pass_and_says_so if {
	verdict := judged({"scope": "protected"}, overdue({}), policy({}))
	verdict.word == "waived"
	verdict.reason == "waived by `nosec` in the source: ours alone"
	verdict.rule == "data.secgate.lib.source"
	verdict.all_rules == ["data.secgate.rules.overdue"]
}

test_what_nobody_speaks_against_is_allowed_as_ever if {
	judged({"scope": "protected"}, overdue({"obligations": [], "first_seen_known": false}), policy({})).word == "allow"
}

test_comment_lane_and_severity_are_those_of_the_data if {
	word({"in_source": said({"comments": ["nosemgrep"]})}, policy({})) == "deny"
	word({"in_source": said({"comments": ["nosec", "nosemgrep"]})}, policy({})) == "deny"
	word({"lane": "workflows"}, policy({})) == "deny"
	word({}, policy({"severities": ["low"]})) == "deny"
}

test_a_reason_is_as_long_as_the_data_asks if {
	word({"in_source": said({"reason": "ours alon"})}, policy({})) == "deny"
	word({"in_source": said({"reason": "ours alone"})}, policy({})) == "waived"
}

test_a_comment_for_every_rule_counts_only_where_the_data_says_so if {
	word({"in_source": said({"names_rules": false})}, policy({})) == "deny"
	word({"in_source": said({"names_rules": false})}, policy({"names_rules": false})) == "waived"
}

test_neither_high_nor_a_secret_whatever_the_data_says if {
	word({"severity": "high"}, policy({"severities": ["high", "medium"]})) == "deny"
	word({"secret": true}, policy({})) == "deny"
}

test_a_change_does_not_excuse_itself if {
	run := {"scope": "change"}
	denied := overdue({"state": "new", "touched": true})
	limits := object.union(data.limits, {"new_denied": ["critical", "high", "medium"]})
	document := facts.document(run, {"findings": [denied, sentinel]})
	decided := main.verdicts with input as document with data.suppressions as policy({}) with data.limits as limits
	words := {verdict.word | some verdict in decided; verdict.id == "f1"}
	words == {"deny"}
}

test_what_could_not_be_told_stays_so if {
	document := facts.document({"scope": "protected"}, {"findings": [overdue({}), sentinel]})
	unsure := {"finding": "f1", "reason": "unsure"}
	decided := main.verdicts with input as document
		with data.suppressions as policy({})
		with data.secgate.rules.made as {"inconclusive": {unsure}}
	words := {verdict.word | some verdict in decided; verdict.id == "f1"}
	words == {"deny"}
}
