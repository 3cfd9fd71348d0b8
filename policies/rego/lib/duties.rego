# Every duty that this run adds to a finding.
package secgate.lib.duties

import data.secgate.lib.clock
import data.secgate.lib.downgrade
import data.secgate.lib.exploitation

added(f) := union({
	{duty | duty := clock.severity_obligation(f)},
	{duty | duty := clock.baseline_obligation(f)},
	returning(f),
	{duty | duty := exploitation.known_exploited_obligation(f)},
	{duty | duty := exploitation.epss_obligation(f)},
	{duty | duty := exploitation.bod_26_04_obligation(f)},
})

# What an approved downgrade took back counts again once it holds no longer.
returning(f) := {duty |
	input.run.scope == "protected"
	some one in downgrade.returning(f)
	duty := object.union(one, {"finding": f.fingerprint})
}
