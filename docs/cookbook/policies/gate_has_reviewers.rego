# Who edits the gate has it reviewed by the gate's owners
#
# A change that edits settings, policies, baselines or workflows is judged without that edit, and warned of. This asks for
# a review as well. CI must tell who reviewed; where it does not, the list is empty and the answer is no.
package secgate.rules.gate_has_reviewers

deny contains {"run": true, "reason": reason, "remedy": "ask an owner of the gate for a review"} if {
	input.run.scope == "change"
	count(input.gate_changes) > 0
	not reviewed
	reason := sprintf("the change edits the gate (%s) and no owner of it has reviewed that", [concat(", ", input.gate_changes)])
}

reviewed if {
	some person in input.run.reviewers
	person in data.gate_owners.people
	person != input.run.author
}
