package secgate.infrastructure.compose_host_namespace

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-COMPOSE-HOST-NAMESPACE",
	"title": "Service shares a namespace of the host",
	"weakness": "host-namespace",
	"cwes": [653],
	"severity": "high",
	"score": 7.1,
	"confidence": "high",
	"remedy": "Publish the ports that are needed, and leave the host's namespaces alone.",
}

result contains found if {
	some r in lib.services
	some name in ["network_mode", "pid", "ipc", "uts", "userns_mode"]
	lib.attr(r, name) == "host"
	found := lib.at(r, name, sprintf("`%s` is the host's", [name]))
}
