# A gate that only watches stops nothing.
package secgate.assertions.gate_enforced

deviation contains {"item": r.id, "exception": "observe_mode", "detail": "it could not block"} if {
	some r in input.items
	r.mode == "observe"
}

deviation contains {"item": r.id, "exception": "no_decision", "detail": "it ended without a decision"} if {
	some r in input.items
	r.outcome == ""
}
