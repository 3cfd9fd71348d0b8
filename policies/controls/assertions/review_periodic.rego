# Month by month a named person looked at the gate's results and signed for it.
package secgate.assertions.review_periodic

import data.secgate.lib.words

deviation contains {"item": w.id, "exception": "no_review", "detail": "nobody signed for it"} if {
	some w in input.items
	w.reviewed_epoch_s == 0
	input.period.to_epoch_s > until(w)
}

deviation contains {"item": w.id, "exception": "review_late", "detail": detail} if {
	some w in input.items
	w.reviewed_epoch_s > until(w)
	detail := sprintf("signed for %s too late", [words.length(w.reviewed_epoch_s - until(w))])
}

pending contains {"item": w.id, "detail": "nobody signed for it yet"} if {
	some w in input.items
	w.reviewed_epoch_s == 0
	input.period.to_epoch_s <= until(w)
}

until(w) := w.to_epoch_s + (input.params.limit_days * 86400)
