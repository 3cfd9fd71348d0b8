package secgate.tests.assertions.patch_release

import data.secgate.assertions.patch_release

good := {"id": "p", "patch": "CVE-2026-1 PyPI/a@2", "released_epoch_s": 100, "closed_epoch_s": 86500}

document(changes) := {
	"assertion": "patch_release",
	"period": {"from_epoch_s": 0, "to_epoch_s": 200000},
	"params": {"limit_days": 1},
	"items": [object.union(good, changes)],
}

found(changes) := words if {
	set := patch_release.deviation with input as document(changes)
	words := {e.exception | some e in set}
}

waiting(changes) := {e.item | some e in set} if set := patch_release.pending with input as document(changes)

test_allow_in_the_very_second if found({}) == set()

test_deviates_a_second_late if found({"closed_epoch_s": 86501}) == {"late"}

test_deviates_open if found({"closed_epoch_s": 0}) == {"open_and_late"}

test_allow_open_in_time if found({"closed_epoch_s": 0, "released_epoch_s": 120000}) == set()

test_pending_to_the_very_second if waiting({"closed_epoch_s": 0, "released_epoch_s": 113600}) == {"p"}

test_not_pending_a_second_later if waiting({"closed_epoch_s": 0, "released_epoch_s": 113599}) == set()

test_not_pending_once_done if waiting({"released_epoch_s": 113600}) == set()
