package secgate.tests.new_critical_or_high

import data.secgate.rules.new_critical_or_high.deny
import data.secgate.tests.facts

denied(run, changes) if {
	found := deny with input as facts.document(run, {"findings": [facts.finding(changes)]})
	count(found) == 1
}

test_deny_new_high if denied({}, {"state": "new"})

test_deny_new_critical if denied({}, {"state": "new", "severity": "critical"})

test_deny_on_a_laptop if denied({"scope": "local"}, {"state": "new"})

test_deny_everything_without_a_base if {
	denied({"scope": "local", "kind": "plain", "has_base": false}, {"state": "unchanged"})
}

test_allow_new_medium if not denied({}, {"state": "new", "severity": "medium"})

test_allow_old_high if not denied({}, {"state": "unchanged"})

test_allow_newly_detectable if not denied({}, {"state": "newly-detectable"})

test_allow_newness_in_protected_scope if {
	not denied({"scope": "protected"}, {"state": "new", "severity": "critical"})
}

test_allow_newness_in_protected_scope_without_a_base if {
	not denied({"scope": "protected", "has_base": false}, {"state": "new", "severity": "critical"})
}

test_limits_are_data if {
	not denied({}, {"state": "new"}) with data.limits.new_denied as ["critical"]
}

test_names_the_way_to_green if {
	package_facts := {
		"ecosystem": "PyPI", "name": "flask", "version": "1.0", "direct": true, "development": false,
		"fix_available": true, "fixed_versions": ["1.1", "2.0"],
	}
	changes := {"state": "new", "package": package_facts, "path": "requirements.txt"}
	found := deny with input as facts.document({}, {"findings": [facts.finding(changes)]})
	some element in found
	element.remedy == "update flask from 1.0 to 1.1 or 2.0"
	element.reason == "new high finding: sql-injection in flask of requirements.txt"
}
