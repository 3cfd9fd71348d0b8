package secgate.infrastructure.compose_database_port

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-COMPOSE-DATABASE-PORT",
	"title": "Database published on every interface",
	"weakness": "public-network-exposure",
	"cwes": [284],
	"severity": "medium",
	"score": 6.5,
	"confidence": "high",
	"remedy": "Publish it on 127.0.0.1, or leave it to the services' own network.",
}

# `5432:5432`, `0.0.0.0:15432:5432/tcp`, and the long form.
target(port) := to_number(parts[count(parts) - 1]) if {
	is_string(port)
	parts := split(split(port, "/")[0], ":")
	regex.match(`^([0-9]+|(0\.0\.0\.0:|\[::\]:)[0-9]*):[0-9]+$`, split(port, "/")[0])
}

target(port) := lib.number(port.target) if {
	is_object(port)
	not lib.unresolved(port)
	object.get(port, "published", null) != null
	object.get(port, "host_ip", "0.0.0.0") in {"0.0.0.0", "::", ""}
}

result contains found if {
	some r in lib.services
	some i, port in lib.list(lib.attr(r, "ports"))
	number := target(port)
	lib.database_ports[number]
	found := lib.at(r, sprintf("ports.%d", [i]), sprintf("%s (%d) is published on every interface", [lib.database_ports[number], number]))
}
