package secgate.tests.secrets_are_not_accepted

import data.secgate.rules.secrets_are_not_accepted.deny
import data.secgate.tests.facts

denied(secret, state, kind) if {
	waiver := {
		"state": state, "kind": kind, "id": "w1", "requester": "p-1", "approver": "p-2",
		"expires_epoch_s": facts.now,
	}
	finding := facts.finding({"secret": secret, "waiver": waiver})
	found := deny with input as facts.document({}, {"findings": [finding]})
	count(found) == 1
}

test_denies if denied(true, "active", "accept")

test_allows_a_false_alarm if not denied(true, "active", "false-positive")

test_allows_other_findings if not denied(false, "active", "accept")

test_boundary_of_its_end if not denied(true, "expired", "accept")
