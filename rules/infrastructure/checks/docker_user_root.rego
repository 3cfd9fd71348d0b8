package secgate.infrastructure.docker_user_root

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-DOCKER-ROOT",
	"title": "Image runs as root by intent",
	"weakness": "root-container",
	"cwes": [250],
	"severity": "medium",
	"score": 6.3,
	"confidence": "high",
	"remedy": "End the last stage with a user that is not root.",
}

result contains found if {
	some stage in lib.stages
	stage.attributes.final == true
	users := lib.users(stage)
	count(users) > 0
	last := users[count(users) - 1]
	lib.root_user(last.name)
	found := lib.at(stage, last.path, "the last USER is root")
}
