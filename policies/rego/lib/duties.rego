# Every duty that this run adds to a finding.
package secgate.lib.duties

import data.secgate.lib.clock
import data.secgate.lib.exploitation

added(f) := union({
	{duty | duty := clock.severity_obligation(f)},
	{duty | duty := clock.baseline_obligation(f)},
	{duty | duty := exploitation.known_exploited_obligation(f)},
	{duty | duty := exploitation.epss_obligation(f)},
	{duty | duty := exploitation.bod_26_04_obligation(f)},
})
