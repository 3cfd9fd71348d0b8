# The number of open findings only goes down
#
# Write down how many are open today, and lower the number whenever it falls. What is waived does not count. Every
# evaluation carries one made-up critical finding, the sentinel: a rule that counts leaves it out.
package secgate.rules.ratchet

deny contains {"run": true, "reason": reason, "remedy": "mend as many as you add"} if {
	some severity, most in data.ratchet.most
	open := count([f |
		some f in input.findings
		f.severity == severity
		f.waiver.state != "active"
		f.fingerprint != "secgate:sentinel"
	])
	open > most
	reason := sprintf("%d open %s findings, and %d are allowed", [open, severity, most])
}
