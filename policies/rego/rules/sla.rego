# Every finding of a protected scope has times to be closed in: by its severity and where it lies (data.limits), by the
# signed baseline that names it as known debt, and by what is known of its exploitation.
package secgate.rules.sla

import data.secgate.lib.duties

obligations contains obligation if {
	some f in input.findings
	some obligation in duties.added(f)
}
