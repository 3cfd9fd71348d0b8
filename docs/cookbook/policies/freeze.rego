# Nothing is released over the holidays
#
# The windows are data: who plans them edits no rule. `input.evaluated_at_epoch_s` is the only clock that a rule may
# read, so the decision of that day can be worked out again later.
package secgate.rules.freeze

deny contains {"run": true, "reason": reason, "remedy": "wait until the freeze ends"} if {
	input.run.scope == "protected"
	some name, [first, end] in data.freeze.windows
	first <= input.evaluated_at_epoch_s
	input.evaluated_at_epoch_s < end
	reason := sprintf("releases are frozen: %s", [name])
}
