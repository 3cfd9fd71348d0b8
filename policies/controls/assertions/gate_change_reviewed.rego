# Whoever changes the gate is looked at by somebody who signs for it.
package secgate.assertions.gate_change_reviewed

import data.secgate.lib.words

deviation contains {"item": c.id, "exception": "not_reviewed", "detail": "nobody signed for it"} if {
	some c in input.items
	c.reviewed_epoch_s == 0
	input.period.to_epoch_s > until(c)
}

deviation contains {"item": c.id, "exception": "reviewed_late", "detail": detail} if {
	some c in input.items
	c.reviewed_epoch_s > until(c)
	detail := sprintf("signed for %s too late", [words.length(c.reviewed_epoch_s - until(c))])
}

pending contains {"item": c.id, "detail": "nobody signed for it yet"} if {
	some c in input.items
	c.reviewed_epoch_s == 0
	input.period.to_epoch_s <= until(c)
}

until(c) := c.changed_epoch_s + (input.params.limit_days * 86400)
