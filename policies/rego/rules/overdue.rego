# Protected scopes deny what is past its due time. Equal to the second is still within.
package secgate.rules.overdue

import data.secgate.lib.clock
import data.secgate.lib.downgrade
import data.secgate.lib.duties
import data.secgate.lib.words

deny contains said if {
	some one in array.concat(by_days, by_less)
	duty := one.duty
	said := {
		"finding": duty.finding,
		"reason": sprintf("overdue by %s: %s allows %s from %s", [
			told[one.over],
			duty.basis,
			told[duty.limit_s],
			time.format([duty.start_epoch_s * 1000000000, "UTC", "2006-01-02 15:04:05 UTC"]),
		]),
		"remedy": "fix it now, or have a waiver approved; the clock runs on either way",
	}
}

# What this very run adds may be past its time already: first seen long ago, and never given a limit.
late := array.concat(recorded, [duty |
	now := input.evaluated_at_epoch_s
	some duty in duties.added
	now > duty.start_epoch_s + duty.limit_s
])

recorded := [duty |
	now := input.evaluated_at_epoch_s
	some f in duties.held
	some one in f.obligations
	now > one.start_epoch_s + one.limit_s
	not one.superseded
	not clock.gives_way(f, one)
	not downgrade.takes_back(f, one)
	duty := object.union(one, {"finding": f.fingerprint})
]

# Words for each length are found once. Past two days they tell days and hours, whatever the minutes.
by_days := [one |
	past := input.evaluated_at_epoch_s - 172800
	some duty in late
	more := past - (duty.start_epoch_s + duty.limit_s)
	more >= 0
	one := {"duty": duty, "over": (172800 + more) - (more % 3600)}
]

by_less := [one |
	now := input.evaluated_at_epoch_s
	some duty in late
	over := now - (duty.start_epoch_s + duty.limit_s)
	over < 172800
	one := {"duty": duty, "over": over}
]

lengths := {one.over | some one in array.concat(by_days, by_less)}

limits := {duty.limit_s | some duty in late}

told := {length: words.length(length) | some length in (lengths | limits)}
