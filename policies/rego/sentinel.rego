# Every evaluation carries one finding that must be denied by this rule. Where it is not, the whole decision is void:
# a policy that cannot deny this cannot deny anything.
package secgate.rules.sentinel

deny contains {"finding": f.fingerprint, "reason": "sentinel: this finding must be denied"} if {
	some f in input.findings
	f.fingerprint == "secgate:sentinel"
	f.severity == "critical"
	f.state == "new"
	input.evaluated_at_epoch_s > 0
}
