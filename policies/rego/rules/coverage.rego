# What was asked for must have been looked at. Where it was not, nobody knows, and that is what the gate says.
package secgate.rules.coverage

profile := data.profiles.named[input.run.profile]

asked contains account.lane if {
	some account in input.lanes
	account.asked
}

# Not looked at, and no excuse.
inconclusive contains said if {
	some gap in input.gaps
	gap.lane in asked
	gap.touched
	input.run.changed_set != "all"
	not left_out_by_profile(gap)
	said := element(gap, "touched by the change")
}

# Without a change, every file counts as touched; a waiver then counts as well.
inconclusive contains said if {
	some gap in input.gaps
	gap.lane in asked
	gap.touched
	input.run.changed_set == "all"
	not gap.waived
	not left_out_by_profile(gap)
	said := element(gap, "in the whole tree")
}

# A gap of the whole lane is never an old one.
inconclusive contains said if {
	some gap in input.gaps
	gap.lane in asked
	not gap.touched
	gap.path == ""
	gap.reason != "excluded"
	not gap.waived
	not left_out_by_profile(gap)
	said := element(gap, "of the whole lane")
}

inconclusive contains said if {
	some gap in input.gaps
	gap.lane in asked
	not gap.touched
	gap.path != ""
	not gap.waived
	not older_is_counted(gap)
	not left_out_by_profile(gap)
	said := element(gap, "older than the change")
}

# A tree may say what is not worth a look, but not that nothing is.
inconclusive contains said if {
	some gap in input.gaps
	gap.lane in asked
	gap.reason == "excluded"
	not gap.waived
	not older_is_counted(gap)
	said := element(gap, "by the tree's own word")
}

inconclusive contains said if {
	not anything_offered
	some gap in input.gaps
	gap.lane in asked
	gap.reason == "excluded"
	not gap.waived
	older_is_counted(gap)
	said := element(gap, "nor at any other, by the tree's own word")
}

# A lane whose every gap is waived was looked at as far as somebody answers for.
inconclusive contains {
	"lane": account.lane,
	"reason": sprintf("%s: no tool looked at its %d files", [account.lane, account.offered]),
	"remedy": "run `secgate doctor` to see which tools this lane needs",
} if {
	some account in input.lanes
	account.asked
	account.needed
	account.offered > 0
	count(account.tools_ran) == 0
	not excused(account)
}

# The account must add up: a file that is neither covered nor named is a fault.
inconclusive contains {
	"lane": account.lane,
	"reason": sprintf("%s: the account does not add up, %d offered and %d accounted for", [
		account.lane, account.offered, counted,
	]),
	"remedy": "report this with the run document: files got lost in coverage",
} if {
	some account in input.lanes
	account.asked
	counted := (account.covered + account.failed) + account.unsupported
	counted != account.offered
}

inconclusive contains {
	"lane": account.lane,
	"reason": sprintf("%s: %d files failed and no gap says why", [account.lane, account.failed]),
	"remedy": "report this with the run document: a failure has no reason",
} if {
	some account in input.lanes
	account.asked
	account.failed > 0
	account.gaps_total == 0
}

inconclusive contains {
	"run": true,
	"reason": "the run did not come to its end",
	"remedy": "run it again",
} if {
	not input.run.complete
}

# Counted, shown, and let pass.
warn contains said if {
	some gap in input.gaps
	gap.lane in asked
	not gap.touched
	gap.path != ""
	not gap.waived
	older_is_counted(gap)
	not left_out_by_profile(gap)
	said := element(gap, "older than the change")
}

warn contains said if {
	anything_offered
	some gap in input.gaps
	gap.lane in asked
	gap.reason == "excluded"
	not gap.waived
	older_is_counted(gap)
	said := element(gap, "by the tree's own word")
}

warn contains said if {
	some gap in input.gaps
	gap.lane in asked
	gap.waived
	not touched_by_change(gap)
	not left_out_by_profile(gap)
	said := element(gap, "waived")
}

warn contains said if {
	some gap in input.gaps
	gap.lane in asked
	left_out_by_profile(gap)
	said := element(gap, sprintf("left out by the profile %s", [input.run.profile]))
}

anything_offered if {
	some account in input.lanes
	account.asked
	account.offered > 0
}

# Anything but the word `warn` keeps older gaps closed, a profile that is not there included.
older_is_counted(gap) if {
	profile.older_gaps == "warn"
	of_folder := data.profiles.named[beside(gap)]
	of_folder.older_gaps == "warn"
}

left_out_by_profile(gap) if {
	gap.reason == "not-selected"
	gap.tool in profile.without_tools
	of_folder := data.profiles.named[beside(gap)]
	gap.tool in of_folder.without_tools
}

# A folder may be held to a profile of its own beside the run's: what either keeps closed is closed.
beside(gap) := input.run.profile if {
	gap.profile == ""
} else := gap.profile

touched_by_change(gap) if {
	gap.touched
	input.run.changed_set != "all"
}

excused(account) if {
	account.gaps_total > 0
	account.gaps_waived == account.gaps_total
}

element(gap, age) := {
	"lane": gap.lane,
	"gap": gap.id,
	"reason": sprintf("%s, %s: %s", [subject(gap), age, gap.reason]),
	"remedy": gap.remedy,
}

subject(gap) := sprintf("%s %s", [tool(gap), place(gap)])

tool(gap) := sprintf("%s did not look at", [gap.tool]) if {
	gap.tool != ""
} else := "no tool looked at"

place(gap) := gap.path if {
	gap.path != ""
} else := "anything"
