# A change brings no new critical or high finding (data.limits.new_denied). Protected scopes never deny newness.
package secgate.rules.new_critical_or_high

import data.secgate.lib.downgrade
import data.secgate.lib.newness
import data.secgate.lib.place

denied := data.limits.new_denied

deny contains {
	"finding": f.fingerprint,
	"reason": sprintf("new %s finding: %s in %s", [severity, f.weakness, where]),
	"remedy": remedy,
} if {
	newness.judged
	some f in input.findings
	newness.wanted in {f.state, "any"}
	severity := downgrade.severity(f)
	severity in denied
	where := place.of(f)
	remedy := place.remedy(f)
}
