# One layer's decision: exactly one verdict per finding, per asked lane and for the run.
#
# Rule modules stand in packages secgate.rules.NAME and add to the partial sets deny, warn, inconclusive (and
# obligations; the shipped layer also superseded, the organisation's also exempt). This module reads them all, says the
# strictest word and who said it, and invents nothing. Python checks that it left nothing out and joins the layers.
package secgate.main

import data.secgate.lib.source

decision := {
	"schema": {"name": "secgate/decision", "version": 1},
	"verdicts": array.concat(
		array.concat(excused, let_pass),
		array.concat(lane_verdicts, [run_verdict]),
	),
	"alike": [object.union(unspoken, {"ids": quiet})],
	"by_elements": by_elements,
	"obligations": [],
	"added": added,
	"superseded": superseded,
	"exemptions": exemptions,
	"elements": [],
	"said": groups,
}

# Every verdict spelt out, for people and for tests.
verdicts := array.concat(decision.verdicts, array.concat(
	[object.union(unspoken, {"subject": "finding", "id": fingerprint}) | some fingerprint in quiet],
	[object.union(said_most, {"subject": "finding", "id": fingerprint}) |
		some fingerprint in by_elements
		said_most := strictest(of_finding[fingerprint])
	],
))

strictness := ["deny", "inconclusive", "warn"]

# What rules said, as their sets hold it: nothing is made anew for an element.
groups := [group |
	some name, module in data.secgate.rules
	rule := path(name)
	some word in strictness
	elements := module[word]
	count(elements) > 0
	group := {"rule": rule, "set": word, "elements": elements}
]

# One by one, for what needs to know all that was said of a few.
elements := [element |
	some group in groups
	some one in group.elements
	element := {"set": group.set, "rule": group.rule, "element": one}
]

added := [group |
	some name, module in data.secgate.rules
	rule := path(name)
	count(module.obligations) > 0
	group := {"rule": rule, "obligations": module.obligations}
]

superseded := [obligation |
	some name, module in data.secgate.rules
	rule := path(name)
	some said in module.superseded
	obligation := object.union(said, {"rule": rule})
]

exemptions := [exemption |
	some name, module in data.secgate.rules
	rule := path(name)
	some said in module.exempt
	exemption := object.union(said, {"rule": rule})
]

# Elements by finding, for `verdicts` alone. Never empty: the sentinel's is among them.
# The key is bound in the body: regorus drops the whole set where a key in the head is undefined for one element.
of_finding[fingerprint] contains e if {
	some e in elements
	fingerprint := e.element.finding
}

# The same of findings that something may let pass. Only of those does it matter here what all was said.
of_spared[fingerprint] contains e if {
	names := spared
	some group in groups
	some one in group.elements
	one.finding in names
	fingerprint := one.finding
	e := {"set": group.set, "rule": group.rule, "element": one}
}

# As a value: OPA works out a rule anew for each key that it is asked for, and a value once.
said_of := of_spared

spared := (object.keys(waived) | commentable) | {"secgate:sentinel"}

spoken_of := {one.finding | some group in groups; some one in group.elements}

# What speaks of no finding: little, so that lanes and the run are looked for in that alone.
of_others := [e |
	some group in groups
	some one in group.elements
	not one.finding
	e := {"set": group.set, "rule": group.rule, "element": one}
]

of_lanes contains e if {
	some e in of_others
	e.element.lane
}

of_run contains e if {
	some e in of_others
	e.element.run
}

waived := {f.fingerprint: f.waiver | some f in input.findings; f.waiver.state == "active"}

# Findings that no rule speaks of, and that no waiver is for: one verdict is theirs.
quiet := ({f.fingerprint | some f in input.findings} - spoken_of) - object.keys(waived)

# The verdict is the strictest of what rules say of it, as in `spoken`, and is not said again.
by_elements := spoken_of - (object.keys(waived) | commented)

excused := [verdict |
	some fingerprint, waiver in waived
	said := object.get(said_of, fingerprint, set())
	verdict := object.union({"subject": "finding", "id": fingerprint}, excused_word(said, waiver))
]

# Data that names no comment costs nothing.
commentable := {fingerprint |
	count(data.suppressions.let_pass) > 0
	some f in input.findings
	source.lets_pass(f)
	f.waiver.state != "active"
	fingerprint := f.fingerprint
}

# Spoken against, and let pass for a comment in the source.
commented := {fingerprint |
	some fingerprint in commentable
	count(with_word(said_of[fingerprint], "inconclusive")) == 0
}

let_pass := [verdict |
	count(commented) > 0
	some f in input.findings
	fingerprint := f.fingerprint
	commented[fingerprint]
	verdict := {
		"subject": "finding",
		"id": fingerprint,
		"word": "waived",
		"rule": "data.secgate.lib.source",
		"reason": sprintf("waived by `%s` in the source: %s", [
			concat("`, `", f.in_source.comments),
			f.in_source.reason,
		]),
		"remedy": "",
		"all_rules": rules_of(said_of[fingerprint]),
	}
]

lane_verdicts := [verdict |
	some account in input.lanes
	account.asked
	said := {e | some e in of_lanes; e.element.lane == account.lane}
	verdict := object.union({"subject": "lane", "id": account.lane}, strictest(said))
]

run_verdict := object.union({"subject": "run", "id": "run"}, strictest(of_run))

excuses := {
	"accept": "risk accepted",
	"false-positive": "false positive",
	"not-affected": "not affected",
}

# A valid waiver turns deny and warn into waived; it cannot make a thing known that could not be told.
excused_word(said, waiver) := verdict if {
	count(with_word(said, "inconclusive")) == 0
	verdict := {
		"word": "waived",
		"rule": "secgate.main",
		"reason": sprintf("%s until %s, approved by %s", [
			excuses[waiver.kind],
			time.format([waiver.expires_epoch_s * 1000000000, "UTC", "2006-01-02 15:04:05 UTC"]),
			waiver.approver,
		]),
		"remedy": "",
		"all_rules": rules_of(said),
	}
} else := strictest(said)

strictest(said) := unspoken if {
	count(said) == 0
} else := spoken(said)

unspoken := {
	"word": "allow",
	"rule": "secgate.main",
	"reason": "no rule speaks against it",
	"remedy": "",
	"all_rules": [],
}

# The first speaker in sorted order stands for all of them, so that equal input gives equal output.
spoken(said) := {
	"word": word,
	"rule": speakers[0].rule,
	"reason": sprintf("%v%s", [object.get(speakers[0].element, "reason", "no reason given"), more(count(speakers))]),
	"remedy": object.get(speakers[0].element, "remedy", ""),
	"all_rules": rules_of(said),
} if {
	word := min({e.set | some e in said})
	speakers := sort([e | some e in said; e.set == word])
}

more(total) := "" if {
	total == 1
} else := sprintf(" (and %d more)", [total - 1])

with_word(said, word) := {e | some e in said; e.set == word}

rules_of(said) := sort({e.rule | some e in said})

path(name) := sprintf("data.secgate.rules.%s", [name])
