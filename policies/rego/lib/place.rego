# Where a finding is, and the shortest way to green, in words.
package secgate.lib.place

of(f) := sprintf("%s of %s", [f.package.name, f.path]) if {
	f.package.name != ""
} else := sprintf("%s:%d", [f.path, f.line]) if {
	f.line > 0
} else := f.path

remedy(f) := sprintf("update %s from %s to %s", [
	f.package.name,
	f.package.version,
	concat(" or ", f.package.fixed_versions),
]) if {
	count(f.package.fixed_versions) > 0
} else := sprintf("no fixed version of %s is known: replace it, or have a waiver approved", [f.package.name]) if {
	f.package.name != ""
} else := in_this_change

in_this_change := "fix it in this change, or have a waiver approved"
