# The organisation lets no injection in, whatever its severity.
package secgate.rules.no_injection

deny contains {"finding": f.fingerprint, "reason": "the organisation lets no injection in"} if {
	some f in input.findings
	f.state == "new"
	injects(f)
}

injects(f) if 95 in f.cwes

injects(f) if 78 in f.cwes
