# Protected scopes deny what is past its due time. Equal to the second is still within.
package secgate.rules.overdue

import data.secgate.lib.clock
import data.secgate.lib.downgrade
import data.secgate.lib.duties
import data.secgate.lib.words

deny contains said if {
	some duty in late
	said := {
		"finding": duty.finding,
		"reason": sprintf("overdue by %s: %s allows %s from %s", [
			words.length(input.evaluated_at_epoch_s - (duty.start_epoch_s + duty.limit_s)),
			duty.basis,
			limit_words[duty.limit_s],
			time.format([duty.start_epoch_s * 1000000000, "UTC", "2006-01-02 15:04:05 UTC"]),
		]),
		"remedy": "fix it now, or have a waiver approved; the clock runs on either way",
	}
}

# What this very run adds may be past its time already: first seen long ago, and never given a limit.
late := array.concat(recorded, [duty |
	some duty in duties.added
	input.evaluated_at_epoch_s > duty.start_epoch_s + duty.limit_s
])

recorded := [duty |
	duties.protected
	some f in input.findings
	some one in f.obligations
	input.evaluated_at_epoch_s > one.start_epoch_s + one.limit_s
	not one.superseded
	not clock.gives_way(f, one)
	not downgrade.takes_back(f, one)
	duty := object.union(one, {"finding": f.fingerprint})
]

# There are few limits, and words for each are found once.
limits := {duty.limit_s | some duty in late}

limit_words := {limit: words.length(limit) | some limit in limits}
