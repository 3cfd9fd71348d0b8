# Closed by its due time, which is within it, or covered from there on by waivers that were approved before.
package secgate.assertions.vuln_sla

import data.secgate.lib.words

deviation contains {"item": f.id, "exception": "missed", "detail": detail} if {
	some f in input.items
	closed(f)
	f.closed_epoch_s > f.due_epoch_s
	f.covered_until_epoch_s < f.closed_epoch_s
	detail := sprintf("closed %s after it was due", [words.length(f.closed_epoch_s - f.due_epoch_s)])
}

deviation contains {"item": f.id, "exception": "overdue_open", "detail": detail} if {
	some f in input.items
	not closed(f)
	f.due_epoch_s < input.period.to_epoch_s
	f.covered_until_epoch_s < input.period.to_epoch_s
	detail := sprintf("open, and overdue by %s at the period's end", [words.length(input.period.to_epoch_s - f.due_epoch_s)])
}

closed(f) if {
	f.closed_epoch_s > 0
	f.closed_epoch_s < input.period.to_epoch_s
}
