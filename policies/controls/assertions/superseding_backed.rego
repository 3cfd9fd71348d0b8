# A duty is taken back by what people agreed before it was due, and by nothing else.
package secgate.assertions.superseding_backed

import data.secgate.lib.words

deviation contains {"item": s.id, "exception": "not_agreed", "detail": detail} if {
	some s in input.items
	not s.agreed
	detail := sprintf("%s was taken back for nothing, and stands: %s", [s.basis, s.why])
}

deviation contains {"item": s.id, "exception": "of_something_else", "detail": detail} if {
	some s in input.items
	s.agreed
	not s.covers
	detail := sprintf("%s was taken back for nothing, and stands: %s", [s.basis, s.why])
}

deviation contains {"item": s.id, "exception": "approved_late", "detail": detail} if {
	some s in input.items
	s.agreed
	s.approved_epoch_s > s.due_epoch_s
	late := words.length(s.approved_epoch_s - s.due_epoch_s)
	detail := sprintf("approved %s after %s was due, which stands", [late, s.basis])
}

deviation contains {"item": s.id, "exception": "not_in_force", "detail": detail} if {
	some s in input.items
	s.agreed
	s.superseded_epoch_s < s.approved_epoch_s
	early := words.length(s.approved_epoch_s - s.superseded_epoch_s)
	detail := sprintf("%s was taken back %s before that was approved, and stands", [s.basis, early])
}

deviation contains {"item": s.id, "exception": "not_in_force", "detail": detail} if {
	some s in input.items
	s.agreed
	s.until_epoch_s > 0
	s.superseded_epoch_s >= s.until_epoch_s
	late := words.length(s.superseded_epoch_s - s.until_epoch_s)
	detail := sprintf("%s was taken back %s after that had ended, and stands", [s.basis, late])
}
