package secgate.tests.two_tools_agree

import data.secgate.rules.two_tools_agree.deny
import data.secgate.tests.facts

denied(changes) if {
	medium := {"state": "new", "severity": "medium", "confidence": "low"}
	finding := facts.finding(object.union(medium, changes))
	found := deny with input as facts.document({}, {"findings": [finding]})
	count(found) == 1
}

test_denies_what_two_saw if denied({"scanners": ["bandit", "semgrep"]})

test_denies_what_one_is_sure_of if denied({"confidence": "high"})

test_allows_a_guess if not denied({})

test_allows_what_was_there if not denied({"scanners": ["bandit", "semgrep"], "state": "unchanged"})

test_boundary_two_results_of_one_tool if not denied({"witnesses": 2, "scanners": ["semgrep"], "confidence": "medium"})
