package secgate.infrastructure.open_all_ports

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-NET-ALL-PORTS-OPEN",
	"title": "Every port open to the internet",
	"weakness": "public-network-exposure",
	"cwes": [284],
	"severity": "critical",
	"score": 9.1,
	"confidence": "high",
	"remedy": "Open the ports that are needed, to the addresses that need them.",
}

result contains found if {
	some rule in lib.openings
	lib.is_wide(rule)
	found := lib.at(rule.resource, rule.path, sprintf("ports %d to %d are open to every address", [rule.low, rule.high]))
}
