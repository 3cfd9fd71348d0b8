# A secret blocks wherever it lies, tests and old code included
#
# The shipped rule looks at the commits of a change. This one also asks for the secrets that are there already. What a
# detector only guesses (confidence `low`) stays a remark.
package secgate.rules.secrets_anywhere

deny contains {
	"finding": f.fingerprint,
	"reason": "a secret is in the tree",
	"remedy": "revoke it where it was issued, then take it out of the file",
} if {
	some f in input.findings
	f.secret
	f.confidence != "low"
}
