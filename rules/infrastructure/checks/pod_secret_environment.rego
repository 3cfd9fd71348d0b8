package secgate.infrastructure.pod_secret_environment

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-K8S-SECRET-IN-ENVIRONMENT",
	"title": "Secret as a literal in a container's environment",
	"weakness": "secret-in-environment",
	"cwes": [526, 798],
	"severity": "high",
	"score": 7.5,
	"confidence": "medium",
	"remedy": "Take it from a Secret by `valueFrom.secretKeyRef`, and replace the one that was written down.",
}

result contains found if {
	some c in lib.containers
	some entry in lib.environment(object.get(c.value, "env", null))
	lib.secret_setting(entry.name, entry.value)
	found := lib.at(c.resource, sprintf("%s.env.%s", [c.path, entry.path]), sprintf("`%s` is a literal", [entry.name]))
}

result contains found if {
	some r in lib.objects("ConfigMap")
	some entry in lib.environment(lib.attr(r, "data"))
	lib.secret_setting(entry.name, entry.value)
	found := lib.at(r, sprintf("data.%s", [entry.name]), sprintf("`%s` is a literal", [entry.name]))
}
