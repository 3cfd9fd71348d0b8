# Old code has until a date, in its own folder
#
# What the shipped rules block in `legacy/` passes until the last second of grace. Secrets and critical findings do not.
# Only an organisation may say `exempt`, and every exemption is printed and recorded.
package secgate.rules.legacy_folder

exempt contains {"finding": f.fingerprint, "reason": "legacy code has until then", "expires_epoch_s": until} if {
	until := data.legacy.until_epoch_s
	some f in input.findings
	some folder in data.legacy.folders
	startswith(f.path, folder)
	f.severity != "critical"
	not f.secret
}
