# What an entry names by its digest is still there, byte for byte.
package secgate.assertions.record_readable

deviation contains {"item": r.id, "exception": "record_missing", "detail": "the run's record is gone"} if {
	some r in input.items
	r.record == "missing"
}

deviation contains {"item": r.id, "exception": "record_differs", "detail": "the run's record is not what its entry names"} if {
	some r in input.items
	r.record == "differs"
}
