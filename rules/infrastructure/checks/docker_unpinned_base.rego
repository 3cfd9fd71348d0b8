package secgate.infrastructure.docker_unpinned_base

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-DOCKER-UNPINNED-BASE",
	"title": "Base image without a version",
	"weakness": "unpinned-dependency",
	"cwes": [1357],
	"severity": "low",
	"score": 3.1,
	"confidence": "high",
	"remedy": "Name a version, and better its digest.",
}

result contains found if {
	some stage in lib.stages
	image := stage.attributes.image
	is_string(image)
	image != ""
	lower(image) != "scratch"
	stage.attributes.of_stage == ""
	not contains(image, "@")
	regex.match(`(^|/)[^/:]+(:latest)?$`, image)
	found := lib.at(stage, "image", sprintf("`%s` may be another image tomorrow", [image]))
}
