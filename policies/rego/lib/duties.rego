# Every duty that this run adds, worked out once for all rules that ask.
#
# Most findings have nothing recorded, are in no list and name no advisory. What a finding must have for a duty is asked
# of it here, before a function is called for it: calls are what judging a large run is made of.
package secgate.lib.duties

import data.secgate.lib.clock
import data.secgate.lib.downgrade
import data.secgate.lib.exploitation

protected if input.run.scope == "protected"

added := array.concat(
	array.concat(array.concat(severity, baseline), returning),
	array.concat(array.concat(known_exploited, epss), bod_26_04),
)

severity := array.concat(array.concat(since_seen, since_now), weighed)

# A first duty of a finding that nothing else is known of needs no weighing: it begins when the finding was first seen.
since_seen := [duty |
	some f in array.concat(bare, unlevelled)
	f.first_seen_known
	limit := limits[f.severity]
	basis := bases[f.severity]
	start := f.first_seen_epoch_s
	duty := {"finding": f.fingerprint, "basis": basis, "start_epoch_s": start, "limit_s": limit}
]

since_now := [duty |
	start := input.evaluated_at_epoch_s
	some f in array.concat(bare, unlevelled)
	not f.first_seen_known
	limit := limits[f.severity]
	basis := bases[f.severity]
	duty := {"finding": f.fingerprint, "basis": basis, "start_epoch_s": start, "limit_s": limit}
]

weighed := [duty |
	some f in others
	not standing[f.fingerprint]
	not first[f.fingerprint]
	duty := clock.severity_obligation(f)
]

# Asked for once, and not for each finding: in regorus a path below data costs more than all else here.
limits := data.limits.severity_s

bases := clock.anywhere_basis

# What most findings have: no duty yet, not risen, listed nowhere, never downgraded.
nothing := [[], false, false, "none"]

bare := [f |
	protected
	not clock.with_places
	some f in input.findings
	[f.obligations, f.risen, f.baseline.listed, f.downgrade.state] == nothing
]

others := [f |
	protected
	some f in input.findings
	[f.obligations, f.risen, f.baseline.listed, f.downgrade.state] != unasked
]

# Where places have limits of their own, every finding is weighed.
unasked := [] if {
	clock.with_places
} else := same if {
	same := nothing
}

unlevelled := [f |
	not clock.with_places
	some f in others
	not levelled[f.fingerprint]
	not f.risen
	not f.baseline.listed
	f.downgrade.state == "none"
]

first := {f.fingerprint | some f in unlevelled}

# Duties of a severity or of known debt; others, such as an organisation's own, stand beside those.
levelled := {f.fingerprint |
	some f in others
	some recorded in f.obligations
	strings.any_prefix_match(recorded.basis, ["severity:", "baseline:"])
}

# Recorded at the limit that counts, and not superseded: on a protected branch that is what most findings have.
standing := {f.fingerprint |
	not clock.with_places
	some f in others
	f.downgrade.state != "active"
	some recorded in f.obligations
	not recorded.superseded
	recorded.basis == bases[f.severity]
}

baseline := [duty |
	protected
	some f in input.findings
	f.baseline.listed
	duty := clock.baseline_obligation(f)
]

# What an approved downgrade took back counts again once it holds no longer.
returning := [duty |
	protected
	some f in input.findings
	f.obligations != []
	some one in downgrade.returning(f)
	duty := object.union(one, {"finding": f.fingerprint})
]

known_exploited := [duty |
	protected
	some f in input.findings
	f.known_exploited.listed
	duty := exploitation.known_exploited_obligation(f)
]

epss := [duty |
	protected
	exploitation.predicting
	some f in input.findings
	f.epss_ppm >= data.limits.epss.threshold_ppm
	duty := exploitation.epss_obligation(f)
]

bod_26_04 := [duty |
	protected
	exploitation.directing
	some f in input.findings
	count(f.advisories) > 0
	duty := exploitation.bod_26_04_obligation(f)
]
