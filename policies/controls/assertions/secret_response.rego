# A secret that was found is revoked, not only taken out of the text.
package secgate.assertions.secret_response

import data.secgate.lib.words

deviation contains {"item": s.id, "exception": "no_revocation_evidence", "detail": "nothing shows that it was revoked"} if {
	some s in input.items
	s.revoked_epoch_s == 0
	input.period.to_epoch_s > due(s)
}

deviation contains {"item": s.id, "exception": "late", "detail": detail} if {
	some s in input.items
	s.revoked_epoch_s > due(s)
	detail := sprintf("revoked %s after it was due", [words.length(s.revoked_epoch_s - due(s))])
}

pending contains {"item": s.id, "detail": "nothing shows yet that it was revoked"} if {
	some s in input.items
	s.revoked_epoch_s == 0
	input.period.to_epoch_s <= due(s)
}

due(s) := s.opened_epoch_s + (input.params.limit_hours * 3600)
