# How bad: of a severity, and of what a duty was made for.
package secgate.lib.levels

rank := {"info": 0, "low": 1, "medium": 2, "high": 3, "critical": 4}

# Of the finding when a duty of its severity, or of known debt, was made. Other duties have no level.
level(duty) := rank[parts[1]] if {
	parts := split(duty.basis, ":")
	parts[0] in {"severity", "baseline"}
}
