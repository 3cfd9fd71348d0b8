package secgate.infrastructure.docker_sudo

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-DOCKER-SUDO",
	"title": "sudo in an image",
	"weakness": "excessive-privilege",
	"cwes": [250],
	"severity": "low",
	"score": 3.1,
	"confidence": "high",
	"remedy": "Do what needs root before USER, and leave sudo out of the image.",
}

result contains found if {
	some i in lib.runs
	regex.match(`(^|[;&|(]\s*|\bthen\s+|\bdo\s+)sudo\s`, i.value.text)
	found := lib.at(i.resource, i.path, "the command uses sudo")
}
