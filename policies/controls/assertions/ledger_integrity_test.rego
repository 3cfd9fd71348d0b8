package secgate.tests.assertions.ledger_integrity

import data.secgate.assertions.ledger_integrity

good := {"id": "c", "size": 5, "ledger_size": 5, "signed": true, "same_root": true, "stamp_required": false, "stamped": false, "why_not": "none"}

found(changes) := words if {
	set := ledger_integrity.deviation with input as {
		"assertion": "ledger_integrity",
		"period": {"from_epoch_s": 0, "to_epoch_s": 1000},
		"params": {},
		"items": [object.union(good, changes)],
	}
	words := {e.exception | some e in set}
}

test_allow_as_long if found({}) == set()

test_deviates_one_entry_short if found({"ledger_size": 4}) == {"shorter_than_checkpoint"}

test_deviates_root if found({"same_root": false}) == {"inconsistent_root"}

test_allow_a_timestamp_that_counts if found({"stamp_required": true, "stamped": true}) == set()

test_deviates_without_a_timestamp if found({"stamp_required": true}) == {"no_timestamp"}

test_deviates_signature if found({"signed": false}) == {"bad_signature"}
