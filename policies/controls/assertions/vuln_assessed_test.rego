package secgate.tests.assertions.vuln_assessed

import data.secgate.assertions.vuln_assessed

good := {
	"id": "f", "severity": "high", "has_limit": true, "opened_epoch_s": 100, "judged_epoch_s": 100,
	"due_epoch_s": 200, "closed_epoch_s": 200, "covered_until_epoch_s": 0,
}

found(changes) := words if {
	set := vuln_assessed.deviation with input as {
		"assertion": "vuln_assessed",
		"period": {"from_epoch_s": 0, "to_epoch_s": 1000},
		"params": {},
		"items": [object.union(good, changes)],
	}
	words := {e.exception | some e in set}
}

test_allow_with_a_duty if found({}) == set()

test_deviates_no_duty if found({"judged_epoch_s": 0}) == {"no_obligation"}

test_deviates_a_second_later if found({"judged_epoch_s": 101}) == {"obligation_late"}

test_allow_what_has_no_limit if found({"has_limit": false, "judged_epoch_s": 0}) == set()
