# A container that runs as root is a remark, not a stop
#
# For a team that comes from a thousand such images: show it where it is new, with the way out, and make it a `deny`
# once the number is small. Rules add; where a shipped rule denies the same finding, the deny counts.
package secgate.rules.root_container

import data.secgate.lib.newness

warn contains {
	"finding": f.fingerprint,
	"reason": "the container runs as root",
	"remedy": "end the Dockerfile with USER and a number above 0",
} if {
	some f in input.findings
	newness.is_new(f)
	f.weakness == "root-container"
}
