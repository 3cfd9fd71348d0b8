# Every change was approved before it was merged, by a person who did not write it. One such approval is enough.
package secgate.assertions.change_reviewed

import data.secgate.lib.words

deviation contains {"item": c.id, "exception": "no_review", "detail": "nobody approved it"} if {
	some c in input.items
	count(c.approvals) == 0
}

deviation contains {"item": c.id, "exception": "author_is_reviewer", "about": about, "detail": detail} if {
	some c in unapproved
	some a in c.approvals
	a.reviewer == c.author
	about := a.reviewer
	detail := sprintf("%s wrote it and approved it", [a.reviewer])
}

deviation contains {"item": c.id, "exception": "review_after_merge", "about": about, "detail": detail} if {
	some c in unapproved
	some a in c.approvals
	a.approved_epoch_s > c.merged_epoch_s
	about := a.reviewer
	late := words.length(a.approved_epoch_s - c.merged_epoch_s)
	detail := sprintf("%s approved it %s after it was merged", [a.reviewer, late])
}

deviation contains {"item": c.id, "exception": "reviewer_is_a_machine", "about": about, "detail": detail} if {
	some c in unapproved
	some a in c.approvals
	a.machine
	about := a.reviewer
	detail := sprintf("%s is the account of a machine", [a.reviewer])
}

unapproved := {c |
	some c in input.items
	count({a | some a in c.approvals; good(c, a)}) == 0
}

good(c, a) if {
	not a.machine
	a.reviewer != c.author
	a.approved_epoch_s <= c.merged_epoch_s
}
