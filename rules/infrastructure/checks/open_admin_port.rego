package secgate.infrastructure.open_admin_port

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-NET-ADMIN-PORT-OPEN",
	"title": "Administration port open to the internet",
	"weakness": "public-network-exposure",
	"cwes": [284],
	"severity": "high",
	"score": 8.2,
	"confidence": "high",
	"remedy": "Open it to a bastion or a private network alone, or use the cloud's session manager.",
}

result contains found if {
	some rule in lib.openings
	some port, name in lib.admin_ports
	lib.admits(rule, port)
	found := lib.at(rule.resource, rule.path, sprintf("%s (%d) is open to every address", [name, port]))
}
