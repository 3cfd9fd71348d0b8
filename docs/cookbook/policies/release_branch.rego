# A new critical finding stops the release branch, and no other
#
# For a team that wants to see everything and be stopped for little: switch the shipped rule off with
# `disabled_rules = ["new_critical_or_high"]` in `enforced.toml`. In a pull request the line is the branch that it goes to.
package secgate.rules.release_branch

deny contains {"finding": f.fingerprint, "reason": "a release branch takes no new critical finding"} if {
	startswith(input.run.line, "release/")
	some f in input.findings
	f.state == "new"
	f.severity == "critical"
}
