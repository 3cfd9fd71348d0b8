# A critical finding has somebody who answers for it
#
# Owners come from `CODEOWNERS`. On a protected branch a critical finding in a file without one has nobody to write to.
package secgate.rules.critical_has_an_owner

deny contains {
	"finding": f.fingerprint,
	"reason": "critical, and nobody owns the file",
	"remedy": "give the path an owner in CODEOWNERS",
} if {
	input.run.scope == "protected"
	some f in input.findings
	f.severity == "critical"
	f.owner == ""
}
