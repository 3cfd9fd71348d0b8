# An approved downgrade: somebody else agreed, before a duty was due, that a finding counts for less. It takes back
# duties of severity and no others, and only as long as it holds. Source: SLA semantics, rule 7.
package secgate.lib.downgrade

import data.secgate.lib.levels

rank := data.secgate.lib.levels.rank

active(f) if f.downgrade.state == "active"

# What verdicts count with: the approved severity where the tools say more.
severity(f) := f.downgrade.severity if {
	f.downgrade.state == "active"
	rank[f.downgrade.severity] < rank[f.severity]
} else := f.severity

# What a duty rests on: the approved severity even where the tools say less by now, since they loosen nothing.
duty_severity(f) := f.downgrade.severity if {
	f.downgrade.state == "active"
} else := f.severity

covers(f, duty) if {
	active(f)
	startswith(duty.basis, "severity:")
	levels.level(duty) > rank[f.downgrade.severity]
	levels.level(duty) <= rank[f.downgrade.from_severity]
}

# A duty that stands, and was not past its time when the downgrade was approved.
takes_back(f, duty) if {
	not duty.superseded
	covers(f, duty)
	f.downgrade.approved_epoch_s <= duty.start_epoch_s + duty.limit_s
}

gone(f, duty) if takes_back(f, duty)

gone(_, duty) if {
	duty.superseded
	duty.superseded_by != ""
}

# Where it holds no longer, what it took back counts again.
returning(f) := {duty |
	some recorded in f.obligations
	recorded.superseded
	recorded.superseded_by != ""
	not covers(f, recorded)
	not outranked(f, recorded)
	duty := {
		"basis": recorded.basis,
		"start_epoch_s": return_start(f, recorded),
		"limit_s": recorded.limit_s,
	}
}

outranked(f, duty) if {
	some other in f.obligations
	not other.superseded
	levels.level(other) >= levels.level(duty)
}

# From the moment that it ended, like a severity that rose. One that nobody answers for any more, such as one signed
# with a key that never should have counted, has moved nothing: then from the duty's own start.
return_start(f, duty) := f.downgrade.ended_epoch_s if {
	f.downgrade.state in {"expired", "void"}
} else := input.evaluated_at_epoch_s if {
	active(f)
} else := duty.start_epoch_s
