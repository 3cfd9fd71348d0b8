# Pods and containers of Kubernetes, services of compose, stages of a Dockerfile.
package secgate.infrastructure_lib

import rego.v1

pod_places := {
	"Pod": ["spec"],
	"Deployment": ["spec", "template", "spec"],
	"StatefulSet": ["spec", "template", "spec"],
	"DaemonSet": ["spec", "template", "spec"],
	"ReplicaSet": ["spec", "template", "spec"],
	"ReplicationController": ["spec", "template", "spec"],
	"Job": ["spec", "template", "spec"],
	"CronJob": ["spec", "jobTemplate", "spec", "template", "spec"],
}

pods contains found if {
	some type, keys in pod_places
	some r in objects(type)
	spec := object.get(r.attributes, keys, null)
	is_object(spec)
	found := {"resource": r, "path": concat(".", keys), "value": spec}
}

containers contains found if {
	some pod in pods
	some field in ["containers", "initContainers", "ephemeralContainers"]
	some block in blocks(pod.value, field)
	found := {
		"resource": pod.resource,
		"path": sprintf("%s.%s", [pod.path, block.path]),
		"value": block.value,
		"pod": pod.value,
		"name": object.get(block.value, "name", "?"),
	}
}

# What the container's security context says, else the pod's.
security(container, key) := v if {
	v := object.get(container.value, ["securityContext", key], null)
	v != null
} else := object.get(container.pod, ["securityContext", key], null)

dangerous_capabilities := {
	"ALL",
	"BPF",
	"DAC_READ_SEARCH",
	"NET_ADMIN",
	"SYS_ADMIN",
	"SYS_BOOT",
	"SYS_MODULE",
	"SYS_PTRACE",
	"SYS_RAWIO",
	"SYS_TIME",
}

capability(v) := trim_prefix(upper(v), "CAP_") if is_string(v)

runtime_socket(path) if {
	is_string(path)
	regex.match(`(^|/)(docker|containerd|crio|podman)\.sock$|^/(var/)?run/(docker|containerd|crio|podman)/?$`, path)
}

sensitive_path(path) if {
	is_string(path)
	regex.match(`^/((etc|root|proc|sys|dev|boot|usr|lib|lib64|bin|sbin|home|var|run|var/run|var/lib|var/lib/(docker|kubelet|etcd|containerd)|etc/(passwd|shadow|ssh|sudoers|sudoers\.d|kubernetes|docker|cron[a-z.]*|systemd)(/.*)?|root/.+|proc/.+|sys/.+)/?)?$`, path)
}

# Volumes of compose in both forms: {service, path, source, target}.
mounts contains found if {
	some r in services
	some i, volume in list(attr(r, "volumes"))
	is_string(volume)
	contains(volume, ":")
	found := {"resource": r, "path": sprintf("volumes.%d", [i]), "source": split(volume, ":")[0]}
}

mounts contains found if {
	some r in services
	some i, volume in list(attr(r, "volumes"))
	is_object(volume)
	not unresolved(volume)
	is_string(volume.source)
	object.get(volume, "type", "bind") == "bind"
	found := {"resource": r, "path": sprintf("volumes.%d", [i]), "source": volume.source}
}

# Instructions of Dockerfile stages.
instructions contains found if {
	some r in stages
	some i, instruction in attr(r, "instructions")
	found := {"resource": r, "path": sprintf("instructions.%d", [i]), "value": instruction, "index": i}
}

runs contains instruction if {
	some instruction in instructions
	instruction.value.word == "RUN"
}

# The users that a stage sets itself, in order.
users(stage) := [{"path": sprintf("instructions.%d", [i]), "name": instruction.text} |
	some i, instruction in attr(stage, "instructions")
	instruction.word == "USER"
	instruction.on_build == false
]

root_user(name) if {
	is_string(name)
	regex.match(`(?i)^(root|0+)(:.*)?$`, trim_space(name))
}

root_user(v) if v == 0
