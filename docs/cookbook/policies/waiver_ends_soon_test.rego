package secgate.tests.waiver_ends_soon

import data.secgate.rules.waiver_ends_soon.warn
import data.secgate.tests.facts

warned(state, left) if {
	waiver := {
		"state": state, "kind": "accept", "id": "w1", "requester": "p-1", "approver": "p-2",
		"expires_epoch_s": facts.now + left,
	}
	found := warn with input as facts.document({}, {"findings": [facts.finding({"waiver": waiver})]})
	count(found) == 1
}

test_denies_silence if warned("active", facts.day)

test_allows_silence_before if not warned("active", 30 * facts.day)

test_allows_one_that_ended if not warned("expired", -1)

test_boundary if {
	warned("active", data.waivers.warn_s)
	not warned("active", data.waivers.warn_s + 1)
}
