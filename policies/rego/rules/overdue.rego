# Protected scopes deny what is past its due time. Equal to the second is still within.
package secgate.rules.overdue

import data.secgate.lib.clock
import data.secgate.lib.downgrade
import data.secgate.lib.duties
import data.secgate.lib.words

deny contains said if {
	some one in timed
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
late := array.concat(array.concat(recorded, weighed), [duty |
	now := input.evaluated_at_epoch_s
	some duty in duties.added
	now > duty.start_epoch_s + duty.limit_s
])

# Most are in no list and nobody lowered them, so that no function has to be asked.
recorded := [duty |
	now := input.evaluated_at_epoch_s
	some f in duties.held
	some one in f.obligations
	now > one.start_epoch_s + one.limit_s
	not one.superseded
	not f.baseline.listed
	f.downgrade.state != "active"
	duty := {
		"finding": f.fingerprint,
		"basis": one.basis,
		"start_epoch_s": one.start_epoch_s,
		"limit_s": one.limit_s,
	}
]

weighed := [duty |
	now := input.evaluated_at_epoch_s
	some f in array.concat(duties.listed, lowered)
	some one in f.obligations
	now > one.start_epoch_s + one.limit_s
	not one.superseded
	not clock.gives_way(f, one)
	not downgrade.takes_back(f, one)
	duty := {
		"finding": f.fingerprint,
		"basis": one.basis,
		"start_epoch_s": one.start_epoch_s,
		"limit_s": one.limit_s,
	}
]

lowered := [f |
	some f in duties.lowered
	f.downgrade.state == "active"
	not f.baseline.listed
]

# How long over, and words for each length are found once. Past two days they tell days and hours, whatever the minutes.
timed := [one |
	now := input.evaluated_at_epoch_s
	some duty in late
	over := now - (duty.start_epoch_s + duty.limit_s)
	past_two_days := over >= 172800
	one := {"duty": duty, "over": over - (over % whole[past_two_days])}
]

whole := {true: 3600, false: 1}

lengths := {one.over | some one in timed}

limits := {duty.limit_s | some duty in late}

told := {length: words.length(length) | some length in (lengths | limits)}
