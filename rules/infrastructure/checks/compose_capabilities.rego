package secgate.infrastructure.compose_capabilities

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-COMPOSE-CAPABILITIES",
	"title": "Service with dangerous capabilities",
	"weakness": "excessive-privilege",
	"cwes": [250],
	"severity": "high",
	"score": 7.8,
	"confidence": "high",
	"remedy": "Drop all capabilities and add the harmless one that is needed.",
}

result contains found if {
	some r in lib.services
	some i, name in lib.list(lib.attr(r, "cap_add"))
	lib.capability(name) in lib.dangerous_capabilities
	found := lib.at(r, sprintf("cap_add.%d", [i]), sprintf("the service has %s", [lib.capability(name)]))
}
