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

result contains lib.at(c.resource, sprintf("%s.env.%s", [c.path, entry.path]), sprintf("`%s` is a literal", [entry.name])) if {
	some c in lib.containers
	some entry in lib.environment(object.get(c.value, "env", null))
	lib.secret_setting(entry.name, entry.value)
}

result contains lib.at(r, sprintf("data.%s", [name]), sprintf("`%s` is a literal", [name])) if {
	some r in lib.of("ConfigMap")
	some name, value in object.get(r.attributes, "data", {})
	lib.secret_setting(name, value)
}
