# Protected scopes deny what is past its due time. Equal to the second is still within.
package secgate.rules.overdue

import data.secgate.lib.clock
import data.secgate.lib.downgrade
import data.secgate.lib.duties

deny contains {
	"finding": f.fingerprint,
	"reason": reason,
	"remedy": "fix it now, or have a waiver approved; the clock runs on either way",
} if {
	input.run.scope == "protected"
	some f in input.findings
	some obligation in standing(f)
	late := input.evaluated_at_epoch_s - (obligation.start_epoch_s + obligation.limit_s)
	late > 0
	reason := sprintf("overdue by %s: %s allows %s from %s", [
		clock.words(late),
		obligation.basis,
		clock.words(obligation.limit_s),
		time.format([obligation.start_epoch_s * 1000000000, "UTC", "2006-01-02 15:04:05 UTC"]),
	])
}

standing(f) := recorded(f) | fresh(f)

recorded(f) := {duty |
	some o in f.obligations
	not o.superseded
	not clock.gives_way(f, o)
	not downgrade.takes_back(f, o)
	duty := {"basis": o.basis, "start_epoch_s": o.start_epoch_s, "limit_s": o.limit_s}
}

# What this very run adds may be past its time already: first seen long ago, and never given a limit.
fresh(f) := {duty |
	some o in duties.added(f)
	duty := {"basis": o.basis, "start_epoch_s": o.start_epoch_s, "limit_s": o.limit_s}
}
