package secgate.infrastructure.pod_privilege_escalation

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-K8S-PRIVILEGE-ESCALATION",
	"title": "Container may gain privileges",
	"weakness": "excessive-privilege",
	"cwes": [250],
	"severity": "medium",
	"score": 5.9,
	"confidence": "high",
	"remedy": "Set `allowPrivilegeEscalation: false`.",
}

# The default is on as well; only where someone wrote it down is it a decision that can be blocked.
result contains found if {
	some c in lib.containers
	lib.yes(object.get(c.value, ["securityContext", "allowPrivilegeEscalation"], null))
	found := lib.at(c.resource, sprintf("%s.securityContext.allowPrivilegeEscalation", [c.path]), sprintf("container `%s` may gain privileges", [c.name]))
}
