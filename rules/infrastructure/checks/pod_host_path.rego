package secgate.infrastructure.pod_host_path

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-K8S-HOST-PATH",
	"title": "Pod mounts a path of the host",
	"weakness": "host-mount",
	"cwes": [668],
	"severity": "medium",
	"score": 6.5,
	"confidence": "high",
	"remedy": "Use a volume of the cluster, or a read-only mount of the one file that is needed.",
}

result contains found if {
	some pod in lib.pods
	some volume in lib.blocks(pod.value, "volumes")
	path := object.get(volume.value, ["hostPath", "path"], null)
	is_string(path)
	not lib.runtime_socket(path)
	found := lib.at(pod.resource, sprintf("%s.%s.hostPath", [pod.path, volume.path]), sprintf("`%s` of the host is mounted", [path]))
}
