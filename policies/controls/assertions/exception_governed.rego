# Whoever asks for an exception does not approve it, whoever approves may, and it has a reason and an end in time.
package secgate.assertions.exception_governed

import data.secgate.lib.words

deviation contains {"item": e.id, "exception": "self_approved", "detail": detail} if {
	some e in input.items
	e.requester == e.approver
	detail := sprintf("%s asked for it and approved it", [e.requester])
}

deviation contains {"item": e.id, "exception": "approver_not_authorised", "detail": detail} if {
	some e in input.items
	not e.authorised
	e.requester != e.approver
	detail := sprintf("the approval by %s does not count: %s", [e.approver, e.why])
}

deviation contains {"item": e.id, "exception": "no_reason", "detail": "it has no reason"} if {
	some e in input.items
	not e.has_reason
}

deviation contains {"item": e.id, "exception": "no_expiry", "detail": "it has no end"} if {
	some e in input.items
	e.expires_epoch_s == 0
}

deviation contains {"item": e.id, "exception": "too_long", "detail": detail} if {
	some e in input.items
	e.expires_epoch_s - e.approved_epoch_s > e.longest_s
	more := words.length((e.expires_epoch_s - e.approved_epoch_s) - e.longest_s)
	detail := sprintf("it was to last %s longer than the %s that are allowed", [more, words.length(e.longest_s)])
}
