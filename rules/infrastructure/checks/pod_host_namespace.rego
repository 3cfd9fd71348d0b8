package secgate.infrastructure.pod_host_namespace

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-K8S-HOST-NAMESPACE",
	"title": "Pod shares a namespace of the host",
	"weakness": "host-namespace",
	"cwes": [653],
	"severity": "high",
	"score": 7.5,
	"confidence": "high",
	"remedy": "Leave hostNetwork, hostPID and hostIPC off.",
}

result contains found if {
	some pod in lib.pods
	some name in ["hostNetwork", "hostPID", "hostIPC"]
	lib.yes(object.get(pod.value, name, null))
	found := lib.at(pod.resource, sprintf("%s.%s", [pod.path, name]), sprintf("`%s` is on", [name]))
}
