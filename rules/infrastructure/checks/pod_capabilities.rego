package secgate.infrastructure.pod_capabilities

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-K8S-CAPABILITIES",
	"title": "Container with dangerous capabilities",
	"weakness": "excessive-privilege",
	"cwes": [250],
	"severity": "high",
	"score": 7.8,
	"confidence": "high",
	"remedy": "Drop all capabilities and add the harmless one that is needed.",
}

result contains found if {
	some c in lib.containers
	some i, name in lib.list(object.get(c.value, ["securityContext", "capabilities", "add"], null))
	lib.capability(name) in lib.dangerous_capabilities
	found := lib.at(c.resource, sprintf("%s.securityContext.capabilities.add.%d", [c.path, i]), sprintf("container `%s` has %s", [c.name, lib.capability(name)]))
}
