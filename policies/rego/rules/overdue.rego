# Protected scopes deny what is past its due time. Equal to the second is still within.
package secgate.rules.overdue

import data.secgate.lib.clock
import data.secgate.lib.downgrade
import data.secgate.lib.duties
import data.secgate.lib.words

deny contains said if {
	words_of := told
	some one in timed
	duty := one.duty
	said := {
		"finding": duty.finding,
		"reason": sprintf("overdue by %s: %s allows %s from %s", [
			words_of[one.over],
			duty.basis,
			words_of[duty.limit_s],
			time.format([duty.start_epoch_s * 1000000000, "UTC", "2006-01-02 15:04:05 UTC"]),
		]),
		"remedy": "fix it now, or have a waiver approved; the clock runs on either way",
	}
}

# With how long over. Words for each length are found once, and past two days they tell days and hours, whatever the
# minutes.
timed := array.concat(array.concat(recorded, weighed), added)

# What this very run adds may be past its time already: first seen long ago, and never given a limit.
added := [one |
	now := input.evaluated_at_epoch_s
	units := whole
	some duty in duties.added
	over := now - (duty.start_epoch_s + duty.limit_s)
	over > 0
	past_two_days := over >= 172800
	one := {"duty": duty, "over": over - (over % units[past_two_days])}
]

# Most are in no list and nobody lowered them, so that no function has to be asked.
recorded := [one |
	now := input.evaluated_at_epoch_s
	units := whole
	some f in duties.held
	some held in f.obligations
	over := now - (held.start_epoch_s + held.limit_s)
	over > 0
	not held.superseded
	not f.baseline.listed
	f.downgrade.state != "active"
	past_two_days := over >= 172800
	one := {
		"duty": {
			"finding": f.fingerprint,
			"basis": held.basis,
			"start_epoch_s": held.start_epoch_s,
			"limit_s": held.limit_s,
		},
		"over": over - (over % units[past_two_days]),
	}
]

weighed := [one |
	now := input.evaluated_at_epoch_s
	units := whole
	some f in array.concat(duties.listed, lowered)
	some held in f.obligations
	over := now - (held.start_epoch_s + held.limit_s)
	over > 0
	not held.superseded
	not clock.gives_way(f, held)
	not downgrade.takes_back(f, held)
	past_two_days := over >= 172800
	one := {
		"duty": {
			"finding": f.fingerprint,
			"basis": held.basis,
			"start_epoch_s": held.start_epoch_s,
			"limit_s": held.limit_s,
		},
		"over": over - (over % units[past_two_days]),
	}
]

lowered := [f |
	some f in duties.lowered
	f.downgrade.state == "active"
	not f.baseline.listed
]

whole := {true: 3600, false: 1}

lengths := {one.over | some one in timed}

limits := {one.duty.limit_s | some one in timed}

told := {length: words.length(length) | some length in (lengths | limits)}
