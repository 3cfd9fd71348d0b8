# What the internet can reach is mended sooner
#
# `path-classes.toml` says which folders are exposed. A duty is a start and a limit; the earliest that stands counts, so
# this one bites before the shipped one. Only protected branches have duties. Where a table of limits is all you need,
# [limits by place](deadlines.md#limits-by-place) do it without a rule.
package secgate.rules.internet_facing

obligations contains {"finding": f.fingerprint, "basis": "internet-facing", "start_epoch_s": start, "limit_s": limit} if {
	input.run.scope == "protected"
	some f in input.findings
	f.exposure == "internet"
	f.first_seen_known
	start := f.first_seen_epoch_s
	limit := data.facing.limits_s[f.severity]
}
