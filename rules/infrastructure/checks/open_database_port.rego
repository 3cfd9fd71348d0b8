package secgate.infrastructure.open_database_port

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-NET-DATABASE-PORT-OPEN",
	"title": "Database port open to the internet",
	"weakness": "public-network-exposure",
	"cwes": [284],
	"severity": "high",
	"score": 8.6,
	"confidence": "high",
	"remedy": "Open it to the security group of the application alone.",
}

result contains found if {
	some rule in lib.openings
	some port, name in lib.database_ports
	lib.admits(rule, port)
	found := lib.at(rule.resource, rule.path, sprintf("%s (%d) is open to every address", [name, port]))
}
