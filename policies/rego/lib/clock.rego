# Lengths of time in words, and the duties that severity brings.
package secgate.lib.clock

import data.secgate.lib.downgrade

words(seconds) := sprintf("%d d %d h", [floor(seconds / 86400), floor((seconds % 86400) / 3600)]) if {
	seconds >= 172800
} else := sprintf("%d h %d min", [floor(seconds / 3600), floor((seconds % 3600) / 60)]) if {
	seconds >= 3600
} else := sprintf("%d min %d s", [floor(seconds / 60), seconds % 60]) if {
	seconds >= 60
} else := sprintf("%d s", [seconds])

basis(severity) := sprintf("severity:%s", [severity])

rank := {
	"severity:info": 0, "severity:low": 1, "severity:medium": 2, "severity:high": 3, "severity:critical": 4,
	"baseline:low": 1, "baseline:medium": 2, "baseline:high": 3, "baseline:critical": 4,
}

# A duty of this severity or of a higher one is recorded already: nothing is added, and nothing is ever loosened.
# One that known debt superseded counts here too, or the scanner's own word would bring it back; what a downgrade took
# back does not, since a duty of the approved severity takes its place.
held(f) if {
	some recorded in f.obligations
	not downgrade.gone(f, recorded)
	rank[recorded.basis] >= rank[basis(downgrade.duty_severity(f))]
}

held(f) if {
	some duty in downgrade.returning(f)
	rank[duty.basis] >= rank[basis(downgrade.duty_severity(f))]
}

severity_recorded(f) if {
	some recorded in f.obligations
	rank[recorded.basis]
}

# First duty, and that of an approved downgrade: from first seen. Later ones, when the severity rose: from the moment
# of the change.
severity_start(f) := f.first_seen_epoch_s if {
	downgrade.active(f)
	f.first_seen_known
} else := input.evaluated_at_epoch_s if {
	severity_recorded(f)
} else := input.evaluated_at_epoch_s if {
	in_baseline(f)
} else := f.first_seen_epoch_s if {
	f.first_seen_known
} else := input.evaluated_at_epoch_s

severity_obligation(f) := {
	"finding": f.fingerprint,
	"basis": basis(severity),
	"start_epoch_s": severity_start(f),
	"limit_s": data.limits.severity_s[severity],
} if {
	input.run.scope == "protected"
	not held(f)
	not as_bad_as_listed(f)
	severity := downgrade.duty_severity(f)
}

# Known debt: a signed list gives what it names a limit of its own from the day it was recorded, once, and no longer
# than data.baselines.longest_s allows. It stands in for the severity's duty as long as the finding is as bad as it was.
baseline_limit(f) := min([f.baseline.limit_s, longest]) if {
	f.baseline.listed
	f.baseline.limit_s > 0
	longest := data.baselines.longest_s[f.baseline.severity]
}

baseline_recorded(f) if {
	some recorded in f.obligations
	startswith(recorded.basis, "baseline:")
}

in_baseline(f) if {
	baseline_limit(f)
	not baseline_recorded(f)
}

as_bad_as_listed(f) if {
	in_baseline(f)
	rank[basis(downgrade.duty_severity(f))] <= rank[basis(f.baseline.severity)]
}

# A duty that was still within its time on that day gives way; one that was overdue already stays.
gives_way(f, duty) if {
	in_baseline(f)
	startswith(duty.basis, "severity:")
	rank[duty.basis] <= rank[basis(f.baseline.severity)]
	duty.start_epoch_s <= f.baseline.date_epoch_s
	duty.start_epoch_s + duty.limit_s >= f.baseline.date_epoch_s
}

baseline_obligation(f) := {
	"finding": f.fingerprint,
	"basis": sprintf("baseline:%s", [f.baseline.severity]),
	"start_epoch_s": f.baseline.date_epoch_s,
	"limit_s": limit,
} if {
	input.run.scope == "protected"
	in_baseline(f)
	limit := baseline_limit(f)
}
