# A workflow names actions by commit
#
# A tag can be moved to other code; a commit cannot. zizmor reports it, and this rule makes what is new block, whatever
# severity the tool gives.
package secgate.rules.pinned_actions

import data.secgate.lib.newness

deny contains {
	"finding": f.fingerprint,
	"reason": "what the workflow uses is not pinned",
	"remedy": "write the commit after the @ and the version in a comment",
} if {
	some f in input.findings
	f.lane == "workflows"
	f.weakness == "unpinned-dependency"
	newness.is_new(f)
}
