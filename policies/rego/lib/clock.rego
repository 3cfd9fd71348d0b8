# Lengths of time in words, and the duties that severity brings.
package secgate.lib.clock

words(seconds) := sprintf("%d d %d h", [floor(seconds / 86400), floor((seconds % 86400) / 3600)]) if {
	seconds >= 172800
} else := sprintf("%d h %d min", [floor(seconds / 3600), floor((seconds % 3600) / 60)]) if {
	seconds >= 3600
} else := sprintf("%d min %d s", [floor(seconds / 60), seconds % 60]) if {
	seconds >= 60
} else := sprintf("%d s", [seconds])

basis(severity) := sprintf("severity:%s", [severity])

rank := {"severity:info": 0, "severity:low": 1, "severity:medium": 2, "severity:high": 3, "severity:critical": 4}

# A duty of this severity or of a higher one is recorded already: nothing is added, and nothing is ever loosened.
# One that was superseded by an approved downgrade counts here too, or the scanner's own word would bring it back.
held(f) if {
	some recorded in f.obligations
	rank[recorded.basis] >= rank[basis(f.severity)]
}

severity_recorded(f) if {
	some recorded in f.obligations
	rank[recorded.basis]
}

# First duty: from first seen. Later ones, when the severity rose: from the moment of the change.
severity_start(f) := input.evaluated_at_epoch_s if {
	severity_recorded(f)
} else := f.first_seen_epoch_s if {
	f.first_seen_known
} else := input.evaluated_at_epoch_s

severity_obligation(f) := {
	"finding": f.fingerprint,
	"basis": basis(f.severity),
	"start_epoch_s": severity_start(f),
	"limit_s": data.limits.severity_s[f.severity],
} if {
	input.run.scope == "protected"
	not held(f)
}
