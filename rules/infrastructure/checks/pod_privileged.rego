package secgate.infrastructure.pod_privileged

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-K8S-PRIVILEGED",
	"title": "Privileged container",
	"weakness": "privileged-container",
	"cwes": [250],
	"severity": "high",
	"score": 8.8,
	"confidence": "high",
	"remedy": "Leave `privileged` off and add the single capability that is needed.",
}

result contains found if {
	some c in lib.containers
	lib.yes(object.get(c.value, ["securityContext", "privileged"], null))
	found := lib.at(c.resource, sprintf("%s.securityContext.privileged", [c.path]), sprintf("container `%s` is privileged", [c.name]))
}
