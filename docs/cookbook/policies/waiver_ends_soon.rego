# A waiver that ends within two weeks is said aloud
#
# The day after it ends the finding blocks again; nobody should learn it from a red build. A warning lets pass.
package secgate.rules.waiver_ends_soon

warn contains {"run": true, "reason": reason, "remedy": "mend it, or ask for another waiver now"} if {
	some f in input.findings
	f.waiver.state == "active"
	left := f.waiver.expires_epoch_s - input.evaluated_at_epoch_s
	left <= data.waivers.warn_s
	reason := sprintf("waiver %s of %s ends in %d days", [f.waiver.id, f.path, floor(left / 86400)])
}
