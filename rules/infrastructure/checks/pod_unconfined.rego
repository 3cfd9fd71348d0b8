package secgate.infrastructure.pod_unconfined

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-K8S-UNCONFINED",
	"title": "Container without the runtime's confinement",
	"weakness": "container-hardening",
	"cwes": [693],
	"severity": "medium",
	"score": 5.9,
	"confidence": "high",
	"remedy": "Use the profile `RuntimeDefault` and the default /proc mount.",
}

result contains found if {
	some c in lib.containers
	object.get(c.value, ["securityContext", "seccompProfile", "type"], null) == "Unconfined"
	found := lib.at(c.resource, sprintf("%s.securityContext.seccompProfile", [c.path]), sprintf("container `%s` has no seccomp profile", [c.name]))
}

result contains found if {
	some pod in lib.pods
	object.get(pod.value, ["securityContext", "seccompProfile", "type"], null) == "Unconfined"
	found := lib.at(pod.resource, sprintf("%s.securityContext.seccompProfile", [pod.path]), "the pod has no seccomp profile")
}

result contains found if {
	some c in lib.containers
	object.get(c.value, ["securityContext", "procMount"], null) == "Unmasked"
	found := lib.at(c.resource, sprintf("%s.securityContext.procMount", [c.path]), sprintf("container `%s` sees all of /proc", [c.name]))
}
