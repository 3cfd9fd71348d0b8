# Whoever must act hears of a missed time soon after it.
package secgate.assertions.breach_notified

import data.secgate.lib.words

deviation contains {"item": b.id, "exception": "not_notified", "detail": "nobody was told"} if {
	some b in input.items
	b.notified_epoch_s == 0
	input.period.to_epoch_s > until(b)
}

deviation contains {"item": b.id, "exception": "notified_late", "detail": detail} if {
	some b in input.items
	b.notified_epoch_s > until(b)
	detail := sprintf("told %s too late", [words.length(b.notified_epoch_s - until(b))])
}

pending contains {"item": b.id, "detail": "nobody was told yet"} if {
	some b in input.items
	b.notified_epoch_s == 0
	input.period.to_epoch_s <= until(b)
}

until(b) := b.due_epoch_s + (input.params.limit_hours * 3600)
