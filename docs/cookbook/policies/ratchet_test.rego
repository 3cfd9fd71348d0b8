package secgate.tests.ratchet

import data.secgate.rules.ratchet.deny
import data.secgate.tests.facts

denied(findings) if {
	found := deny with input as facts.document({}, {"findings": findings}) with data.ratchet.most as {"critical": 0, "high": 2}
	count(found) == 1
}

high(number) := [facts.finding({"fingerprint": sprintf("f%d", [n])}) | some n in numbers.range(1, number)]

test_denies_a_critical if denied([facts.finding({"severity": "critical"})])

test_allows_the_sentinel if not denied([facts.finding({"severity": "critical", "fingerprint": "secgate:sentinel"})])

test_allows_a_waived_one if {
	waiver := {
		"state": "active", "kind": "accept", "id": "w1", "requester": "p-1", "approver": "p-2",
		"expires_epoch_s": facts.now,
	}
	not denied([facts.finding({"severity": "critical", "waiver": waiver})])
}

test_boundary if {
	denied(high(3))
	not denied(high(2))
}
