# What counts as new where: in changes and on laptops, against the base; without a base, everything.
package secgate.lib.newness

judged if input.run.scope in {"change", "local"}

is_new(f) if wanted in {f.state, "any"}

# The state that counts; a rule over all findings asks for it in place, since a call for each of them costs more.
wanted := "new" if {
	judged
	input.run.has_base
} else := "any" if judged
