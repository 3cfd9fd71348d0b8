package secgate.infrastructure.pod_runtime_socket

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-K8S-RUNTIME-SOCKET",
	"title": "Pod mounts the container runtime's socket",
	"weakness": "host-mount",
	"cwes": [668],
	"severity": "high",
	"score": 8.8,
	"confidence": "high",
	"remedy": "Build with a tool that needs no socket, or give the job a runtime of its own.",
}

result contains found if {
	some pod in lib.pods
	some volume in lib.blocks(pod.value, "volumes")
	path := object.get(volume.value, ["hostPath", "path"], null)
	lib.runtime_socket(path)
	found := lib.at(pod.resource, sprintf("%s.%s.hostPath", [pod.path, volume.path]), sprintf("`%s` gives control over the host", [path]))
}
