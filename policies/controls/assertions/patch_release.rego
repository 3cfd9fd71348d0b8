# Counted from the day that the patch came out, whenever the finding was seen.
package secgate.assertions.patch_release

import data.secgate.lib.words

deviation contains {"item": p.id, "exception": "late", "detail": detail} if {
	some p in input.items
	p.closed_epoch_s > 0
	p.closed_epoch_s > due(p)
	detail := sprintf("closed %s after it was due by %s", [words.length(p.closed_epoch_s - due(p)), p.patch])
}

deviation contains {"item": p.id, "exception": "open_and_late", "detail": detail} if {
	some p in input.items
	p.closed_epoch_s == 0
	input.period.to_epoch_s > due(p)
	detail := sprintf("open %s after it was due by %s", [words.length(input.period.to_epoch_s - due(p)), p.patch])
}

pending contains {"item": p.id, "detail": detail} if {
	some p in input.items
	p.closed_epoch_s == 0
	input.period.to_epoch_s <= due(p)
	detail := sprintf("open, and due by %s in %s", [p.patch, words.length(due(p) - input.period.to_epoch_s)])
}

due(p) := p.released_epoch_s + (input.params.limit_days * 86400)
