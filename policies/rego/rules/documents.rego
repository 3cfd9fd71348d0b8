# What policies in Conftest's shape say of infrastructure files: they know no findings, so the run answers for them.
package secgate.rules.documents

deny contains {
	"run": true,
	"reason": sprintf("%s: %s [%s]", [said.path, said.message, said.rule]),
	"remedy": "change the file, or the policy where it stands on the protected branch",
} if {
	some said in input.documents
	said.word == "deny"
}

warn contains {
	"run": true,
	"reason": sprintf("%s: %s [%s]", [said.path, said.message, said.rule]),
} if {
	some said in input.documents
	said.word == "warn"
}

inconclusive contains {
	"run": true,
	"reason": sprintf("%s could not be read, so no policy was asked about it: %s", [said.path, said.message]),
	"remedy": "correct the file's syntax, or take it out of `conftest.files`",
} if {
	some said in input.documents
	said.word == "unread"
}
