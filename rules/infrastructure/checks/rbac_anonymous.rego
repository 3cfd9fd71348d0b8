package secgate.infrastructure.rbac_anonymous

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-K8S-ANONYMOUS-ACCESS",
	"title": "Role given to anonymous users",
	"weakness": "missing-authorisation",
	"cwes": [285],
	"severity": "high",
	"score": 8.6,
	"confidence": "high",
	"remedy": "Name the users or service accounts that need it.",
}

harmless := {"system:public-info-viewer", "system:service-account-issuer-discovery"}

result contains found if {
	some kind in ["ClusterRoleBinding", "RoleBinding"]
	some r in lib.objects(kind)
	not lib.get(r.attributes, ["roleRef", "name"]) in harmless
	some subject in lib.blocks(r.attributes, "subjects")
	subject.value.name in {"system:anonymous", "system:unauthenticated"}
	found := lib.at(r, subject.path, sprintf("`%s` has a role", [subject.value.name]))
}
