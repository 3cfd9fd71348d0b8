package secgate.infrastructure.compose_runtime_socket

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-COMPOSE-RUNTIME-SOCKET",
	"title": "Service mounts the container runtime's socket",
	"weakness": "host-mount",
	"cwes": [668],
	"severity": "high",
	"score": 8.8,
	"confidence": "high",
	"remedy": "Put a proxy that allows single calls before the socket, or do without it; read-only does not help.",
}

result contains found if {
	some mount in lib.mounts
	lib.runtime_socket(mount.source)
	found := lib.at(mount.resource, mount.path, sprintf("`%s` gives control over the host", [mount.source]))
}
