package secgate.infrastructure.pod_root

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-K8S-ROOT",
	"title": "Container runs as root by intent",
	"weakness": "root-container",
	"cwes": [250],
	"severity": "medium",
	"score": 6.3,
	"confidence": "high",
	"remedy": "Set `runAsNonRoot: true` and a user of the image.",
}

result contains found if {
	some pod in lib.pods
	object.get(pod.value, ["securityContext", "runAsUser"], null) == 0
	found := lib.at(pod.resource, sprintf("%s.securityContext.runAsUser", [pod.path]), "the pod's user is 0")
}

result contains found if {
	some c in lib.containers
	object.get(c.value, ["securityContext", "runAsUser"], null) == 0
	found := lib.at(c.resource, sprintf("%s.securityContext.runAsUser", [c.path]), sprintf("the user of container `%s` is 0", [c.name]))
}

# `runAsNonRoot: false` says so too, unless a user is named.
result contains found if {
	some c in lib.containers
	lib.no(object.get(c.value, ["securityContext", "runAsNonRoot"], null))
	lib.security(c, "runAsUser") == null
	found := lib.at(c.resource, sprintf("%s.securityContext.runAsNonRoot", [c.path]), sprintf("container `%s` may run as root", [c.name]))
}

result contains found if {
	some pod in lib.pods
	lib.no(object.get(pod.value, ["securityContext", "runAsNonRoot"], null))
	object.get(pod.value, ["securityContext", "runAsUser"], null) == null
	found := lib.at(pod.resource, sprintf("%s.securityContext.runAsNonRoot", [pod.path]), "the pod may run as root")
}
