# Every duty that this run adds, worked out once for all rules that ask.
#
# Most findings have nothing recorded, are in no list and name no advisory. What a finding must have for a duty is asked
# of it here, before a function is called for it: calls are what judging a large run is made of. A name of this package
# or a local one is found at once, a path below data or another package is looked for each time: so what a loop asks for
# is bound before it.
package secgate.lib.duties

import data.secgate.lib.clock
import data.secgate.lib.downgrade
import data.secgate.lib.exploitation

protected if input.run.scope == "protected"

added := array.concat(
	array.concat(array.concat(severity, baseline), returning),
	array.concat(array.concat(known_exploited, epss), bod_26_04),
)

# ---------------------------------------------------------------------------------- findings of which more is known

held := [f |
	protected
	some f in input.findings
	f.obligations != []
]

risen := [f |
	protected
	some f in input.findings
	f.risen
]

listed := [f |
	protected
	some f in input.findings
	f.baseline.listed
]

lowered := [f |
	protected
	some f in input.findings
	f.downgrade.state != "none"
]

# Few: which of all findings they are is asked once, in place of three questions to each.
more_known := {f.fingerprint | some f in array.concat(array.concat(risen, listed), lowered)}

# Each of them once.
others := input.findings if {
	protected
	clock.with_places
} else := array.concat(
	array.concat(held, [f | some f in risen; f.obligations == []]),
	array.concat(
		[f | some f in listed; f.obligations == []; not f.risen],
		[f | some f in lowered; f.obligations == []; not f.risen; not f.baseline.listed],
	),
)

# ---------------------------------------------------------------------------------------------------------- severity

severity := array.concat(array.concat(array.concat(since_seen, first_since_seen), since_now), weighed)

# A first duty of a finding that nothing else is known of needs no weighing: it begins when the finding was first seen.
since_seen := [{
	"finding": f.fingerprint,
	"basis": bases[f.severity],
	"start_epoch_s": f.first_seen_epoch_s,
	"limit_s": limits[f.severity],
} |
	protected
	not clock.with_places
	limits := data.limits.severity_s
	bases := clock.anywhere_basis
	apart := more_known
	some f in input.findings
	f.obligations == []
	f.first_seen_known
	not f.fingerprint in apart
]

first_since_seen := [{
	"finding": f.fingerprint,
	"basis": bases[f.severity],
	"start_epoch_s": f.first_seen_epoch_s,
	"limit_s": limits[f.severity],
} |
	limits := data.limits.severity_s
	bases := clock.anywhere_basis
	some f in unlevelled
	f.first_seen_known
]

since_now := [duty |
	start := input.evaluated_at_epoch_s
	limits := data.limits.severity_s
	bases := clock.anywhere_basis
	some f in array.concat(unseen, unlevelled)
	not f.first_seen_known
	limit := limits[f.severity]
	duty := {"finding": f.fingerprint, "basis": bases[f.severity], "start_epoch_s": start, "limit_s": limit}
]

unseen := [f |
	protected
	not clock.with_places
	apart := more_known
	some f in input.findings
	not f.first_seen_known
	f.obligations == []
	not f.fingerprint in apart
]

weighed := [duty |
	unweighed := standing | first
	some f in others
	not f.fingerprint in unweighed
	duty := clock.severity_obligation(f)
]

# What was never recorded of a severity, and begins like the first one.
unlevelled := [f |
	not clock.with_places
	apart := levelled | more_known
	some f in held
	not f.fingerprint in apart
]

first := {f.fingerprint | some f in unlevelled}

# Duties of a severity or of known debt; others, such as an organisation's own, stand beside those.
levelled := {f.fingerprint | some f in of_a_level}

of_a_level := [f |
	some f in held
	some recorded in f.obligations
	strings.any_prefix_match(recorded.basis, ["severity:", "baseline:"])
]

# Recorded at the limit that counts, and not superseded: on a protected branch that is what most findings have.
standing := {f.fingerprint |
	not clock.with_places
	bases := clock.anywhere_basis
	some f in of_a_level
	f.downgrade.state != "active"
	some recorded in f.obligations
	not recorded.superseded
	recorded.basis == bases[f.severity]
}

baseline := [duty |
	some f in listed
	duty := clock.baseline_obligation(f)
]

# What an approved downgrade took back counts again once it holds no longer.
returning := [duty |
	names := taken_back
	count(names) > 0
	some f in held
	f.fingerprint in names
	some one in downgrade.returning(f)
	duty := object.union(one, {"finding": f.fingerprint})
]

taken_back := {f.fingerprint | some f in held; some one in f.obligations; one.superseded_by != ""}

known_exploited := [duty |
	protected
	some f in input.findings
	f.known_exploited.listed
	duty := exploitation.known_exploited_obligation(f)
]

epss := [duty |
	protected
	exploitation.predicting
	threshold := data.limits.epss.threshold_ppm
	some f in input.findings
	f.epss_ppm >= threshold
	duty := exploitation.epss_obligation(f)
]

bod_26_04 := [duty |
	protected
	exploitation.directing
	some f in input.findings
	count(f.advisories) > 0
	duty := exploitation.bod_26_04_obligation(f)
]
