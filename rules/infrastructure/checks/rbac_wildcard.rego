package secgate.infrastructure.rbac_wildcard

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-K8S-RBAC-WILDCARD",
	"title": "Role that allows everything",
	"weakness": "excessive-privilege",
	"cwes": [269],
	"severity": "high",
	"score": 7.8,
	"confidence": "high",
	"remedy": "Name the verbs and resources that are needed.",
}

result contains found if {
	some kind in ["Role", "ClusterRole"]
	some r in lib.objects(kind)
	some rule in lib.blocks(r.attributes, "rules")
	"*" in lib.list(object.get(rule.value, "verbs", null))
	"*" in lib.list(object.get(rule.value, "resources", null))
	found := lib.at(r, rule.path, "every verb on every resource is allowed")
}
