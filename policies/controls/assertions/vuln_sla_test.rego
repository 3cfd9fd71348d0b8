package secgate.tests.assertions.vuln_sla

import data.secgate.assertions.vuln_sla

good := {
	"id": "f", "severity": "high", "has_limit": true, "opened_epoch_s": 100, "judged_epoch_s": 100,
	"due_epoch_s": 200, "closed_epoch_s": 200, "covered_until_epoch_s": 0,
}

found(changes) := words if {
	set := vuln_sla.deviation with input as {
		"assertion": "vuln_sla",
		"period": {"from_epoch_s": 0, "to_epoch_s": 1000},
		"params": {},
		"items": [object.union(good, changes)],
	}
	words := {e.exception | some e in set}
}

test_allow_closed_in_the_very_second if found({}) == set()

test_deviates_closed_a_second_late if found({"closed_epoch_s": 201}) == {"missed"}

test_allow_covered_until_closed if found({"closed_epoch_s": 300, "covered_until_epoch_s": 300}) == set()

test_deviates_cover_ends_a_second_early if found({"closed_epoch_s": 300, "covered_until_epoch_s": 299}) == {"missed"}

test_deviates_open if found({"closed_epoch_s": 0}) == {"overdue_open"}

test_allow_open_and_covered if found({"closed_epoch_s": 0, "covered_until_epoch_s": 1000}) == set()

test_deviates_open_and_cover_ended if found({"closed_epoch_s": 0, "covered_until_epoch_s": 999}) == {"overdue_open"}

test_deviates_closed_after_the_period if found({"closed_epoch_s": 1000}) == {"overdue_open"}
