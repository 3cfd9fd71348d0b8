# Infrastructure that nobody looked at fails, also where the gap is old
#
# A pull request lets older gaps pass with a remark. Where a file that no tool could read is a risk of its own, make it
# a no.
package secgate.rules.no_gap_in_infrastructure

deny contains {"lane": "iac", "gap": gap.id, "reason": reason, "remedy": gap.remedy} if {
	some gap in input.gaps
	gap.lane == "iac"
	not gap.waived
	reason := sprintf("nobody looked at %s: %s", [place(gap), gap.reason])
}

place(gap) := gap.path if {
	gap.path != ""
} else := "infrastructure"
