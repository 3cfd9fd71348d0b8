# Every finding of a protected scope has a time to be closed in, by its severity (data.limits.severity_s), or by the
# signed baseline that names it as known debt.
package secgate.rules.sla

import data.secgate.lib.clock
import data.secgate.lib.downgrade

obligations contains obligation if {
	some f in input.findings
	obligation := clock.severity_obligation(f)
}

obligations contains obligation if {
	some f in input.findings
	obligation := clock.baseline_obligation(f)
}

# What an approved downgrade took back counts again once it holds no longer.
obligations contains obligation if {
	input.run.scope == "protected"
	some f in input.findings
	some duty in downgrade.returning(f)
	obligation := object.union(duty, {"finding": f.fingerprint})
}

superseded contains taken if {
	input.run.scope == "protected"
	some f in input.findings
	some duty in f.obligations
	downgrade.takes_back(f, duty)
	taken := {
		"finding": f.fingerprint,
		"basis": duty.basis,
		"start_epoch_s": duty.start_epoch_s,
		"limit_s": duty.limit_s,
	}
}
