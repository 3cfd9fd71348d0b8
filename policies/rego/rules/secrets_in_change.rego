# A change carries no secret in any of its commits, whatever its severity: what was pushed once is known.
# What only looks random, or reads as an example, has low confidence: it is shown, and a person decides.
package secgate.rules.secrets_in_change

import data.secgate.lib.newness
import data.secgate.lib.place

deny contains {
	"finding": f.fingerprint,
	"reason": sprintf("secret in a commit of the change: %s in %s", [f.weakness, where]),
	"remedy": "revoke the secret, then rewrite the branch without the commit that brought it",
} if {
	newness.judged
	some f in input.findings
	f.secret
	f.confidence != "low"
	f.in_history
	where := place.of(f)
}

deny contains {
	"finding": f.fingerprint,
	"reason": sprintf("new secret: %s in %s", [f.weakness, where]),
	"remedy": "revoke the secret and take it out; if it was pushed, rewrite the branch too",
} if {
	newness.judged
	some f in input.findings
	f.secret
	f.confidence != "low"
	not f.in_history
	newness.is_new(f)
	where := place.of(f)
}
