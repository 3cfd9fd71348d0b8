package secgate.infrastructure.compose_secret_environment

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-COMPOSE-SECRET-IN-ENVIRONMENT",
	"title": "Secret as a literal in a service's environment",
	"weakness": "secret-in-environment",
	"cwes": [526, 798],
	"severity": "high",
	"score": 7.1,
	"confidence": "medium",
	"remedy": "Use `secrets`, or take it from the environment of who starts it, and replace the one that was written down.",
}

result contains found if {
	some r in lib.services
	some entry in lib.environment(lib.attr(r, "environment"))
	lib.secret_setting(entry.name, entry.value)
	found := lib.at(r, sprintf("environment.%s", [entry.path]), sprintf("`%s` is a literal", [entry.name]))
}
