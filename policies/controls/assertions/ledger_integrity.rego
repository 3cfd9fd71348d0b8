# The ledger grew out of every checkpoint that is kept elsewhere.
package secgate.assertions.ledger_integrity

deviation contains {"item": c.id, "exception": "shorter_than_checkpoint", "detail": detail} if {
	some c in input.items
	c.ledger_size < c.size
	detail := sprintf("the ledger has %d entries, and the checkpoint is of %d", [c.ledger_size, c.size])
}

deviation contains {"item": c.id, "exception": "inconsistent_root", "detail": "an entry before it is not what it was"} if {
	some c in input.items
	c.ledger_size >= c.size
	not c.same_root
}

deviation contains {"item": c.id, "exception": "no_timestamp", "detail": detail} if {
	some c in input.items
	c.stamp_required
	not c.stamped
	detail := sprintf("the settings require a timestamp that counts, and it has none: %s", [c.why_not])
}

deviation contains {"item": c.id, "exception": "bad_signature", "detail": "nobody signed it who counts"} if {
	some c in input.items
	not c.signed
}
