package secgate.infrastructure.docker_remote_add

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-DOCKER-REMOTE-ADD",
	"title": "File added from the network unchecked",
	"weakness": "unverified-download",
	"cwes": [494],
	"severity": "medium",
	"score": 5.9,
	"confidence": "high",
	"remedy": "Give `--checksum`, or download and verify in one RUN.",
}

result contains found if {
	some i in lib.instructions
	i.value.word == "ADD"
	some source in split(i.value.text, " ")
	regex.match(`(?i)^["\[]*https?://`, source)
	not regex.match(`(?i)\.git(#.*)?$`, source)
	not i.value.flags.checksum
	found := lib.at(i.resource, i.path, "ADD takes a file from the network without a checksum")
}
