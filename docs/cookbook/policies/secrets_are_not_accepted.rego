# Nobody accepts the risk of a secret
#
# A waiver may say that something is no secret. That a real one may stay is not for a waiver: it has to be
# revoked where it was issued. A waiver takes denies of its own finding away, so the rule speaks of the run.
package secgate.rules.secrets_are_not_accepted

deny contains {"run": true, "reason": reason, "remedy": "revoke the secret where it was issued, then the waiver"} if {
	some f in input.findings
	f.secret
	f.waiver.state == "active"
	f.waiver.kind == "accept"
	reason := sprintf("waiver %s accepts the risk of a secret in %s", [f.waiver.id, f.path])
}
