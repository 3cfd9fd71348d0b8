package secgate.tests.main

import data.secgate.main
import data.secgate.tests.facts

verdicts(run, parts) := {verdict.id: verdict | some verdict in decided} if {
	decided := main.verdicts with input as facts.document(run, parts)
}

one(run, changes) := verdicts(run, {"findings": [facts.finding(changes), sentinel]}).f1

sentinel := facts.finding({"fingerprint": "secgate:sentinel", "severity": "critical", "state": "new"})

waiver(state) := {
	"state": state, "kind": "accept", "id": "w1", "requester": "ada", "approver": "grace",
	"expires_epoch_s": facts.now + 60,
}

test_total if {
	found := verdicts({}, {"findings": [facts.finding({}), sentinel]})
	object.keys(found) == {"f1", "sast", "run", "secgate:sentinel"}
}

test_allow if {
	verdict := one({}, {})
	verdict.word == "allow"
	verdict.rule == "secgate.main"
	verdict.all_rules == []
}

test_deny_names_rule_reason_and_remedy if {
	verdict := one({}, {"state": "new"})
	verdict.word == "deny"
	verdict.rule == "data.secgate.rules.new_critical_or_high"
	verdict.reason == "new high finding: sql-injection in app/views.py:12"
	verdict.remedy == "fix it in this change, or have a waiver approved"
}

test_all_rules_are_named if {
	verdict := one({}, {"state": "new", "secret": true})
	verdict.all_rules == ["data.secgate.rules.new_critical_or_high", "data.secgate.rules.secrets_in_change"]
	endswith(verdict.reason, "(and 1 more)")
}

test_waived if {
	verdict := one({}, {"state": "new", "waiver": waiver("active")})
	verdict.word == "waived"
	verdict.reason == "risk accepted until 2026-01-01 00:01:00 UTC, approved by grace"
	verdict.all_rules == ["data.secgate.rules.new_critical_or_high"]
}

test_expired_and_void_waivers_count_for_nothing if {
	one({}, {"state": "new", "waiver": waiver("expired")}).word == "deny"
	one({}, {"state": "new", "waiver": waiver("void")}).word == "deny"
}

test_sentinel_is_denied_by_its_own_rule if {
	found := verdicts({"scope": "protected"}, {"findings": [sentinel]})["secgate:sentinel"]
	found.word == "deny"
	found.all_rules == ["data.secgate.rules.sentinel"]
}

test_lanes_not_asked_get_no_verdict if {
	found := verdicts({}, {"findings": [sentinel], "lanes": [facts.lane({"asked": false})]})
	object.keys(found) == {"run", "secgate:sentinel"}
}

test_gate_changes_warn if {
	found := verdicts({}, {"findings": [sentinel], "gate_changes": ["secgate.toml"]})
	found.run.word == "warn"
	contains(found.run.reason, "secgate.toml")
}
