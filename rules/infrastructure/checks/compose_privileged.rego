package secgate.infrastructure.compose_privileged

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-COMPOSE-PRIVILEGED",
	"title": "Privileged service",
	"weakness": "privileged-container",
	"cwes": [250],
	"severity": "high",
	"score": 8.8,
	"confidence": "high",
	"remedy": "Leave `privileged` off and add the single capability or device that is needed.",
}

result contains found if {
	some r in lib.services
	lib.yes(lib.attr(r, "privileged"))
	found := lib.at(r, "privileged", "the service is privileged")
}
