package secgate.tests.assertions.scan_ran

import data.secgate.assertions.scan_ran

good := {
	"id": "s", "repository": "r", "lane": "sast", "from_epoch_s": 0, "to_epoch_s": 7, "runs": 1, "run_id": "r1",
	"failed": [], "gaps": 0, "rule_age_days": 90,
}

found(changes) := words if {
	set := scan_ran.deviation with input as {
		"assertion": "scan_ran",
		"period": {"from_epoch_s": 0, "to_epoch_s": 1000},
		"params": {"rules_days": 90},
		"items": [object.union(good, changes)],
	}
	words := {e.exception | some e in set}
}

test_allow_whole if found({}) == set()

test_deviates_no_run if found({"runs": 0}) == {"missing_window"}

test_deviates_scanner if found({"failed": ["bandit (crashed)"]}) == {"scanner_error"}

test_deviates_gap if found({"gaps": 1}) == {"files_not_covered"}

test_deviates_rules_a_day_too_old if found({"rule_age_days": 91}) == {"rules_too_old"}

test_allow_any_age_where_no_limit_is_set if {
	count(scan_ran.deviation) == 0 with input as {
		"assertion": "secrets.searched", "period": {"from_epoch_s": 0, "to_epoch_s": 7}, "params": {"rules_days": 0},
		"items": [object.union(good, {"rule_age_days": 4000})],
	}
}
