# A change brings no new critical or high finding (data.limits.new_denied). Protected scopes never deny newness.
package secgate.rules.new_critical_or_high

import data.secgate.lib.downgrade
import data.secgate.lib.newness
import data.secgate.lib.place

denied := data.limits.new_denied

deny contains said if {
	newness.judged
	some said in array.concat(plain, others)
}

# Most are in no package, have a line, and nobody lowered them, so that no function has to be asked.
plain := [said |
	wanted := newness.wanted
	severities := denied
	remedy := place.in_this_change
	some f in input.findings
	f.severity in severities
	wanted in {f.state, "any"}
	f.package.name == ""
	f.line > 0
	f.downgrade.state != "active"
	said := {
		"finding": f.fingerprint,
		"reason": sprintf("new %s finding: %s in %s:%d", [f.severity, f.weakness, f.path, f.line]),
		"remedy": remedy,
	}
]

others := [said |
	wanted := newness.wanted
	severities := denied
	some f in input.findings
	[f.package.name, f.line > 0, f.downgrade.state == "active"] != ["", true, false]
	wanted in {f.state, "any"}
	severity := downgrade.severity(f)
	severity in severities
	said := {
		"finding": f.fingerprint,
		"reason": sprintf("new %s finding: %s in %s", [severity, f.weakness, place.of(f)]),
		"remedy": place.remedy(f),
	}
]
