package secgate.infrastructure.docker_secret_environment

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-DOCKER-SECRET-IN-IMAGE",
	"title": "Secret written into an image",
	"weakness": "secret-in-environment",
	"cwes": [526, 798],
	"severity": "high",
	"score": 7.5,
	"confidence": "medium",
	"remedy": "Use a build secret (`RUN --mount=type=secret`) or pass it when the container starts.",
}

result contains found if {
	some i in lib.instructions
	i.value.word in {"ENV", "ARG", "LABEL"}
	some pair in i.value.pairs
	lib.secret_setting(pair.name, pair.value)
	found := lib.at(i.resource, i.path, sprintf("`%s` has a literal", [pair.name]))
}

result contains found if {
	some i in lib.runs
	lib.credential_text(i.value.text)
	found := lib.at(i.resource, i.path, "the command holds a credential")
}
