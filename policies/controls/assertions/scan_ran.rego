# In every window the lane was looked at, by every scanner that it needs, with rules that are not old, and no gap.
package secgate.assertions.scan_ran

import data.secgate.lib.words

deviation contains {"item": s.id, "exception": "missing_window", "detail": "no whole run of a protected branch"} if {
	some s in input.items
	s.runs == 0
}

deviation contains {"item": s.id, "exception": "scanner_error", "detail": detail} if {
	some s in input.items
	count(s.failed) > 0
	detail := sprintf("in run %s: %s", [s.run_id, concat(", ", s.failed)])
}

deviation contains {"item": s.id, "exception": "files_not_covered", "detail": detail} if {
	some s in input.items
	s.gaps > 0
	detail := sprintf("%s in run %s", [words.counted(s.gaps, "gap"), s.run_id])
}

deviation contains {"item": s.id, "exception": "rules_too_old", "detail": detail} if {
	input.params.rules_days > 0
	some s in input.items
	s.rule_age_days > input.params.rules_days
	old := words.counted(s.rule_age_days, "day")
	detail := sprintf("rules of run %s were %s old, and %d are allowed", [s.run_id, old, input.params.rules_days])
}
