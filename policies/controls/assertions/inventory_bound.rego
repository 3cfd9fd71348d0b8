# What was released has an inventory of its components, made of the very same artefact before it went out.
package secgate.assertions.inventory_bound

import data.secgate.lib.words

deviation contains {"item": r.id, "exception": "no_inventory", "detail": "no inventory is bound to it"} if {
	some r in input.items
	r.bound_epoch_s == 0
}

deviation contains {"item": r.id, "exception": "digest_mismatch", "detail": "the inventory is of another artefact"} if {
	some r in input.items
	r.bound_epoch_s > 0
	not r.same_digest
}

deviation contains {"item": r.id, "exception": "inventory_after_release", "detail": detail} if {
	some r in input.items
	r.bound_epoch_s > r.released_epoch_s
	detail := sprintf("bound %s after the release", [words.length(r.bound_epoch_s - r.released_epoch_s)])
}
