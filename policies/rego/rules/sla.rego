# Every finding of a protected scope has times to be closed in: by its severity and where it lies (data.limits), by the
# signed baseline that names it as known debt, and by what is known of its exploitation.
package secgate.rules.sla

import data.secgate.lib.downgrade
import data.secgate.lib.duties

obligations contains obligation if {
	some obligation in duties.added
}

superseded contains taken if {
	some f in duties.lowered
	f.downgrade.state == "active"
	some duty in f.obligations
	downgrade.takes_back(f, duty)
	taken := {
		"finding": f.fingerprint,
		"basis": duty.basis,
		"start_epoch_s": duty.start_epoch_s,
		"limit_s": duty.limit_s,
	}
}
