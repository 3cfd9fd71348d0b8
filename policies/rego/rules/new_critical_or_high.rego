# A change brings no new critical or high finding (data.limits.new_denied). Protected scopes never deny newness.
package secgate.rules.new_critical_or_high

import data.secgate.lib.downgrade
import data.secgate.lib.newness
import data.secgate.lib.place

deny contains {
	"finding": f.fingerprint,
	"reason": sprintf("new %s finding: %s in %s", [severity, f.weakness, where]),
	"remedy": remedy,
} if {
	some f in input.findings
	severity := downgrade.severity(f)
	severity in data.limits.new_denied
	newness.is_new(f)
	where := place.of(f)
	remedy := place.remedy(f)
}
