# Whoever has a severity with a time in the policy has a duty, made by the run that opened it.
package secgate.assertions.vuln_assessed

import data.secgate.lib.words

deviation contains {"item": f.id, "exception": "no_obligation", "detail": detail} if {
	some f in input.items
	f.has_limit
	f.judged_epoch_s == 0
	detail := sprintf("%s, and no time to be closed in was recorded", [f.severity])
}

deviation contains {"item": f.id, "exception": "obligation_late", "detail": detail} if {
	some f in input.items
	f.has_limit
	f.judged_epoch_s > f.opened_epoch_s
	detail := sprintf("its time was recorded %s after it was opened", [words.length(f.judged_epoch_s - f.opened_epoch_s)])
}
