package secgate.infrastructure.docker_pipe_to_shell

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-DOCKER-PIPE-TO-SHELL",
	"title": "Script from the network run unchecked",
	"weakness": "unverified-download",
	"cwes": [494],
	"severity": "medium",
	"score": 6.1,
	"confidence": "high",
	"remedy": "Download it, compare a checksum that is written down, then run it.",
}

result contains found if {
	some i in lib.runs
	regex.match(`(?i)\b(curl|wget)\b[^|;&]*\|\s*(sudo\s+(-\S+\s+)*)?(env\s+\S+=\S+\s+)*(/(usr/)?bin/)?(ba|da|z|k|a)?sh\b`, i.value.text)
	found := lib.at(i.resource, i.path, "what was downloaded goes straight to a shell")
}

result contains found if {
	some i in lib.runs
	regex.match(`(?i)\b(curl|wget)\b[^|;&]*\|\s*(sudo\s+(-\S+\s+)*)?(/(usr/)?bin/)?(python[0-9.]*|perl|node|ruby)\b`, i.value.text)
	found := lib.at(i.resource, i.path, "what was downloaded goes straight to an interpreter")
}

result contains found if {
	some i in lib.runs
	regex.match(`(?i)\b(ba|da|z)?sh\s+(-c\s+"?\$\(|<\()\s*(curl|wget)\b`, i.value.text)
	found := lib.at(i.resource, i.path, "a shell runs what was downloaded")
}
