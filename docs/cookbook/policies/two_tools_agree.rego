# A new medium finding in code blocks when two tools saw it, or one is sure
#
# Many mediums of one unsure tool are false alarms, and a gate that cries wolf is switched off. A second witness changes
# that.
package secgate.rules.two_tools_agree

import data.secgate.lib.newness

deny contains {"finding": f.fingerprint, "reason": "new medium finding, and more than a guess"} if {
	some f in input.findings
	newness.is_new(f)
	f.lane == "sast"
	f.severity == "medium"
	believed(f)
}

believed(f) if count(f.scanners) >= 2

believed(f) if f.confidence == "high"
