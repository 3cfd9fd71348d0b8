package secgate.infrastructure.compose_root

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-COMPOSE-ROOT",
	"title": "Service runs as root by intent",
	"weakness": "root-container",
	"cwes": [250],
	"severity": "medium",
	"score": 5.9,
	"confidence": "high",
	"remedy": "Name a user that is not root.",
}

result contains found if {
	some r in lib.services
	lib.root_user(lib.attr(r, "user"))
	found := lib.at(r, "user", "the user is root")
}
