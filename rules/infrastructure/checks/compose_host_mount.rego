package secgate.infrastructure.compose_host_mount

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-COMPOSE-HOST-MOUNT",
	"title": "Service mounts a sensitive path of the host",
	"weakness": "host-mount",
	"cwes": [668],
	"severity": "high",
	"score": 7.5,
	"confidence": "high",
	"remedy": "Use a named volume, or the one folder of the project that is needed.",
}

result contains found if {
	some mount in lib.mounts
	lib.sensitive_path(mount.source)
	not lib.runtime_socket(mount.source)
	found := lib.at(mount.resource, mount.path, sprintf("`%s` of the host is mounted", [mount.source]))
}
