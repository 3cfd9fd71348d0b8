package secgate.infrastructure.rbac_cluster_admin

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-K8S-CLUSTER-ADMIN",
	"title": "Cluster administrator given to workloads or groups of everyone",
	"weakness": "excessive-privilege",
	"cwes": [269],
	"severity": "high",
	"score": 8.2,
	"confidence": "high",
	"remedy": "Bind a role with the rights that are needed, and mount no token where none is used.",
}

everyone := {"system:anonymous", "system:unauthenticated", "system:authenticated", "system:serviceaccounts"}

wide(subject) if subject.kind == "ServiceAccount"

wide(subject) if {
	is_string(subject.name)
	some name in everyone
	startswith(subject.name, name)
}

result contains found if {
	some kind in ["ClusterRoleBinding", "RoleBinding"]
	some r in lib.objects(kind)
	lib.get(r.attributes, ["roleRef", "name"]) == "cluster-admin"
	some subject in lib.blocks(r.attributes, "subjects")
	wide(subject.value)
	found := lib.at(r, subject.path, sprintf("%s `%s` is cluster administrator", [object.get(subject.value, "kind", "?"), object.get(subject.value, "name", "?")]))
}
