package secgate.infrastructure.docker_ssh_port

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-DOCKER-SSH-PORT",
	"title": "Image that offers SSH",
	"weakness": "public-network-exposure",
	"cwes": [284],
	"severity": "medium",
	"score": 4.3,
	"confidence": "high",
	"remedy": "Use the runtime's own way into a container, and leave SSH out.",
}

result contains found if {
	some i in lib.instructions
	i.value.word == "EXPOSE"
	some port in split(i.value.text, " ")
	port in {"22", "22/tcp"}
	found := lib.at(i.resource, i.path, "port 22 is exposed")
}
