# The duties that severity and known debt bring.
package secgate.lib.clock

import data.secgate.lib.downgrade
import data.secgate.lib.levels

# `severity:high`, or `severity:high:NAME` where the limit is that of a place (data.limits.places).
basis(severity, place) := sprintf("severity:%s", [severity]) if {
	place == ""
} else := sprintf("severity:%s:%s", [severity, place])

place_of(duty) := concat(":", array.slice(split(duty.basis, ":"), 2, 3))

# ------------------------------------------------------------------------------------------------------------ limits

with_places if count(data.limits.places) > 0

# Under names of this module, which are found at once: regorus looks through every module for a path below data.
limits := data.limits.severity_s

rank := data.secgate.lib.levels.rank

# The first place that a finding is in and that has a limit for its severity; else its severity alone.
counted(f) := first if {
	with_places
	first := placed(f)[0]
	not spared(f, first)
} else := anywhere(f)

placed(f) := [one |
	some place in data.limits.places
	is_in(f, place)
	one := {"place": place.name, "limit_s": place.severity_s[downgrade.duty_severity(f)]}
]

is_in(f, place) if {
	names(place.lanes, f.lane)
	names(place.path_classes, f.path_class)
	names(place.exposures, f.exposure)
}

names(listed, _) if count(listed) == 0

names(listed, name) if name in listed

# What does not depend on where a file lies.
anywhere(f) := first if {
	with_places
	first := by_lane(f)[0]
} else := {"place": "", "limit_s": limits[downgrade.duty_severity(f)]}

by_lane(f) := [one |
	some place in data.limits.places
	count(place.path_classes) + count(place.exposures) == 0
	names(place.lanes, f.lane)
	one := {"place": place.name, "limit_s": place.severity_s[downgrade.duty_severity(f)]}
]

# Where a file lies gives no more time for a secret, a workflow or a dependency: threat rule 11.
spared(f, one) if {
	guarded(f)
	one.limit_s > anywhere(f).limit_s
}

guarded(f) if f.lane in {"secrets", "workflows", "dependencies"}

guarded(f) if f.secret

# ---------------------------------------------------------------------------------------------------------- severity

# A duty of this severity or of a higher one is recorded already, and it is not longer: nothing is added, and nothing is
# ever loosened. Known debt counts here too, and so does what it superseded, or the scanner's own word would bring it
# back; what a downgrade took back does not, since a duty of the approved severity takes its place. A limit that the
# policy changed for the same place counts for duties made after it.
held(f, _) if {
	some recorded in f.obligations
	as_bad(f, recorded)
	settled(recorded)
}

held(f, limit) if {
	some recorded in f.obligations
	as_bad(f, recorded)
	covers(recorded, limit)
}

held(f, limit) if {
	count(f.obligations) > 0
	some duty in downgrade.returning(f)
	levels.level(duty) >= rank[downgrade.duty_severity(f)]
	covers(duty, limit)
}

as_bad(f, recorded) if {
	levels.level(recorded) >= rank[downgrade.duty_severity(f)]
	not downgrade.gone(f, recorded)
}

settled(recorded) if recorded.superseded

settled(recorded) if startswith(recorded.basis, "baseline:")

covers(recorded, limit) if place_of(recorded) == limit.place

covers(recorded, limit) if recorded.limit_s <= limit.limit_s

severity_recorded(f) if {
	some recorded in f.obligations
	levels.level(recorded) >= 0
}

# First duty, and the first of an approved downgrade: from first seen. Later ones, when it got worse or came to a
# stricter place: from the moment of the change.
severity_start(f) := seen(f) if {
	downgrade.active(f)
	not as_bad_recorded(f)
} else := input.evaluated_at_epoch_s if {
	severity_recorded(f)
} else := input.evaluated_at_epoch_s if {
	f.risen
} else := input.evaluated_at_epoch_s if {
	f.baseline.listed
	in_baseline(f)
} else := seen(f)

as_bad_recorded(f) if {
	some recorded in f.obligations
	as_bad(f, recorded)
}

seen(f) := f.first_seen_epoch_s if {
	f.first_seen_known
} else := input.evaluated_at_epoch_s

anywhere_basis := {severity: basis(severity, "") | some severity, _ in levels.rank}

severity_obligation(f) := {
	"finding": f.fingerprint,
	"basis": basis(downgrade.duty_severity(f), limit.place),
	"start_epoch_s": severity_start(f),
	"limit_s": limit.limit_s,
} if {
	limit := counted(f)
	not held(f, limit)
	not as_bad_as_listed(f)
}

# -------------------------------------------------------------------------------------------------------- known debt

# A signed list gives what it names a limit of its own from the day it was recorded, once, and no longer than
# data.baselines.longest_s allows. It stands in for the severity's duty as long as the finding is as bad as it was.
baseline_limit(f) := min([f.baseline.limit_s, longest]) if {
	f.baseline.listed
	f.baseline.limit_s > 0
	longest := data.baselines.longest_s[f.baseline.severity]
}

baseline_recorded(f) if {
	some recorded in f.obligations
	startswith(recorded.basis, "baseline:")
}

in_baseline(f) if {
	baseline_limit(f)
	not baseline_recorded(f)
}

as_bad_as_listed(f) if {
	f.baseline.listed
	in_baseline(f)
	rank[downgrade.duty_severity(f)] <= rank[f.baseline.severity]
}

# A duty that was still within its time on that day gives way; one that was overdue already stays.
gives_way(f, duty) if {
	f.baseline.listed
	in_baseline(f)
	startswith(duty.basis, "severity:")
	levels.level(duty) <= rank[f.baseline.severity]
	duty.start_epoch_s <= f.baseline.date_epoch_s
	duty.start_epoch_s + duty.limit_s >= f.baseline.date_epoch_s
}

baseline_obligation(f) := {
	"finding": f.fingerprint,
	"basis": sprintf("baseline:%s", [f.baseline.severity]),
	"start_epoch_s": f.baseline.date_epoch_s,
	"limit_s": limit,
} if {
	in_baseline(f)
	limit := baseline_limit(f)
}
