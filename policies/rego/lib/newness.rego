# What counts as new where: in changes and on laptops, against the base; without a base, everything.
package secgate.lib.newness

judged if input.run.scope in {"change", "local"}

is_new(f) if {
	judged
	f.state == "new"
}

is_new(_) if {
	judged
	not input.run.has_base
}
