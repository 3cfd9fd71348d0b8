package secgate.tests.assertions.secret_response

import data.secgate.assertions.secret_response

good := {"id": "s", "opened_epoch_s": 100, "revoked_epoch_s": 3700}

document(changes) := {
	"assertion": "secret_response",
	"period": {"from_epoch_s": 0, "to_epoch_s": 10000},
	"params": {"limit_hours": 1},
	"items": [object.union(good, changes)],
}

found(changes) := words if {
	set := secret_response.deviation with input as document(changes)
	words := {e.exception | some e in set}
}

waiting(changes) := {e.item | some e in set} if set := secret_response.pending with input as document(changes)

test_allow_in_the_very_second if found({}) == set()

test_deviates_a_second_late if found({"revoked_epoch_s": 3701}) == {"late"}

test_deviates_never if found({"revoked_epoch_s": 0}) == {"no_revocation_evidence"}

test_allow_still_in_time if found({"revoked_epoch_s": 0, "opened_epoch_s": 6400}) == set()

test_pending_to_the_very_second if waiting({"revoked_epoch_s": 0, "opened_epoch_s": 6400}) == {"s"}

test_not_pending_a_second_later if waiting({"revoked_epoch_s": 0, "opened_epoch_s": 6399}) == set()

test_not_pending_once_done if waiting({"opened_epoch_s": 6400}) == set()
