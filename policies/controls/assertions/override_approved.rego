# Break-glass is for those who may, has a reason and a near end, and a second person looks at it in time.
package secgate.assertions.override_approved

import data.secgate.lib.words

deviation contains {"item": o.id, "exception": "not_authorised", "detail": "whoever gave it may not break the glass"} if {
	some o in input.items
	not o.authorised
}

deviation contains {"item": o.id, "exception": "no_reason", "detail": "it has no reason"} if {
	some o in input.items
	not o.has_reason
}

deviation contains {"item": o.id, "exception": "no_expiry", "detail": "it has no end"} if {
	some o in input.items
	o.until_epoch_s == 0
}

deviation contains {"item": o.id, "exception": "too_long", "detail": detail} if {
	some o in input.items
	o.until_epoch_s - o.given_epoch_s > o.longest_s
	more := words.length((o.until_epoch_s - o.given_epoch_s) - o.longest_s)
	detail := sprintf("it lasts %s longer than the %s that are allowed", [more, words.length(o.longest_s)])
}

deviation contains {"item": o.id, "exception": "self_reviewed", "detail": "whoever gave it reviewed it"} if {
	some o in input.items
	o.reviewed_epoch_s > 0
	o.reviewer == o.by
}

deviation contains {"item": o.id, "exception": "not_justified", "detail": detail} if {
	some o in input.items
	o.word == "not-justified"
	detail := sprintf("%s reviewed it and found it not justified", [o.reviewer])
}

deviation contains {"item": o.id, "exception": "not_reviewed_in_time", "detail": "nobody reviewed it in time"} if {
	some o in input.items
	o.reviewed_epoch_s == 0
	input.period.to_epoch_s > o.review_due_epoch_s
}

deviation contains {"item": o.id, "exception": "not_reviewed_in_time", "detail": detail} if {
	some o in input.items
	o.reviewed_epoch_s > o.review_due_epoch_s
	detail := sprintf("reviewed %s too late", [words.length(o.reviewed_epoch_s - o.review_due_epoch_s)])
}

pending contains {"item": o.id, "detail": "nobody reviewed it yet"} if {
	some o in input.items
	o.reviewed_epoch_s == 0
	input.period.to_epoch_s <= o.review_due_epoch_s
}
