# Where money moves, a new medium finding blocks too
#
# [Settings](configuration.md#folders-of-one-tree) say what is looked at in a folder. What blocks there is a policy.
package secgate.rules.strict_folder

import data.secgate.lib.newness

deny contains {"finding": f.fingerprint, "reason": "this folder takes nothing new of medium or worse"} if {
	some f in input.findings
	newness.is_new(f)
	f.severity in {"critical", "high", "medium"}
	some folder in data.strict.folders
	startswith(f.path, folder)
}
