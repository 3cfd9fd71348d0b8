package secgate.infrastructure.compose_unconfined

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-COMPOSE-UNCONFINED",
	"title": "Service without the runtime's confinement",
	"weakness": "container-hardening",
	"cwes": [693],
	"severity": "medium",
	"score": 5.9,
	"confidence": "high",
	"remedy": "Leave the default profiles on, and add `no-new-privileges:true`.",
}

result contains found if {
	some r in lib.services
	some i, option in lib.list(lib.attr(r, "security_opt"))
	is_string(option)
	regex.match(`^(no-new-privileges\s*[:=]\s*false|(seccomp|apparmor)\s*[:=]\s*unconfined|label\s*[:=]\s*disable|systempaths\s*[:=]\s*unconfined)$`, option)
	found := lib.at(r, sprintf("security_opt.%d", [i]), sprintf("`%s`", [option]))
}
