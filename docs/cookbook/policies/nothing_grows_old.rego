# Nothing stays open for half a year
#
# Limits by place and baselines may give a finding long. This is the last line, counted from when a protected run first
# saw it, whatever its severity but `info`.
package secgate.rules.nothing_grows_old

deny contains {"finding": f.fingerprint, "reason": reason} if {
	input.run.scope == "protected"
	some f in input.findings
	f.first_seen_known
	f.severity != "info"
	f.seconds_open > data.age.most_s
	reason := sprintf("open for %d days", [floor(f.seconds_open / 86400)])
}
