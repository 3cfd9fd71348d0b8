# Protected scopes deny what is past its due time. Equal to the second is still within.
package secgate.rules.overdue

import data.secgate.lib.clock
import data.secgate.lib.downgrade
import data.secgate.lib.duties

deny contains said if {
	duties.protected
	some f in input.findings
	some duty in f.obligations
	late := input.evaluated_at_epoch_s - (duty.start_epoch_s + duty.limit_s)
	late > 0
	not duty.superseded
	not clock.gives_way(f, duty)
	not downgrade.takes_back(f, duty)
	said := element(f.fingerprint, duty, late)
}

# What this very run adds may be past its time already: first seen long ago, and never given a limit.
deny contains said if {
	some duty in duties.added
	late := input.evaluated_at_epoch_s - (duty.start_epoch_s + duty.limit_s)
	late > 0
	said := element(duty.finding, duty, late)
}

element(fingerprint, duty, late) := {
	"finding": fingerprint,
	"reason": sprintf("overdue by %s: %s allows %s from %s", [
		clock.words(late),
		duty.basis,
		limit_words[duty.limit_s],
		time.format([duty.start_epoch_s * 1000000000, "UTC", "2006-01-02 15:04:05 UTC"]),
	]),
	"remedy": "fix it now, or have a waiver approved; the clock runs on either way",
}

# There are few limits, and words for each are found once.
limits := {duty.limit_s | some duty in duties.added} | {duty.limit_s |
	some f in input.findings
	some duty in f.obligations
}

limit_words := {limit: clock.words(limit) | some limit in limits}
