package secgate.tests.assertions.patch_release

import data.secgate.assertions.patch_release

good := {"id": "p", "patch": "CVE-2026-1 PyPI/a@2", "released_epoch_s": 100, "closed_epoch_s": 86500}

found(changes) := words if {
	set := patch_release.deviation with input as {
		"assertion": "patch_release",
		"period": {"from_epoch_s": 0, "to_epoch_s": 200000},
		"params": {"limit_days": 1},
		"items": [object.union(good, changes)],
	}
	words := {e.exception | some e in set}
}

test_allow_in_the_very_second if found({}) == set()

test_deviates_a_second_late if found({"closed_epoch_s": 86501}) == {"late"}

test_deviates_open if found({"closed_epoch_s": 0}) == {"open_and_late"}

test_allow_open_in_time if found({"closed_epoch_s": 0, "released_epoch_s": 120000}) == set()
