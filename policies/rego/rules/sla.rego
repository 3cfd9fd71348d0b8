# Every finding of a protected scope has a time to be closed in, by its severity (data.limits.severity_s), or by the
# signed baseline that names it as known debt.
package secgate.rules.sla

import data.secgate.lib.clock

obligations contains obligation if {
	some f in input.findings
	obligation := clock.severity_obligation(f)
}

obligations contains obligation if {
	some f in input.findings
	obligation := clock.baseline_obligation(f)
}
