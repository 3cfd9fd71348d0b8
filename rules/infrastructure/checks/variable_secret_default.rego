package secgate.infrastructure.variable_secret_default

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-CLOUD-SECRET-DEFAULT",
	"title": "Secret as a variable's value in the code",
	"weakness": "hard-coded-secret",
	"cwes": [798],
	"severity": "high",
	"score": 7.5,
	"confidence": "medium",
	"remedy": "Leave the default out and pass the value from a secret store.",
}

result contains found if {
	some r in lib.of("variable")
	lib.secret_setting(r.name, lib.attr(r, "default"))
	found := lib.at(r, "default", sprintf("`%s` has a literal as its default", [r.name]))
}

result contains found if {
	some r in lib.of("Parameter")
	lib.secret_setting(r.name, lib.attr(r, "Default"))
	found := lib.at(r, "Default", sprintf("`%s` has a literal as its default", [r.name]))
}

result contains found if {
	some r in lib.of_any(["tfvars", "locals"])
	some name, value in r.attributes
	lib.secret_setting(name, value)
	found := lib.at(r, name, sprintf("`%s` has a literal as its value", [name]))
}
