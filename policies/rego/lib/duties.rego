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

severity := [duty |
	protected
	some f in input.findings
	not standing[f.fingerprint]
	duty := clock.severity_obligation(f)
]

# Recorded at the limit that counts, and not superseded: on a protected branch that is what most findings have.
standing := {fingerprint |
	protected
	not clock.with_places
	some f in input.findings
	f.downgrade.state != "active"
	some recorded in f.obligations
	not recorded.superseded
	recorded.basis == clock.anywhere_basis[f.severity]
	fingerprint := f.fingerprint
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
