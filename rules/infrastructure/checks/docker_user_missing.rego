package secgate.infrastructure.docker_user_missing

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-DOCKER-USER-MISSING",
	"title": "Image that sets no user",
	"weakness": "root-container",
	"cwes": [250],
	"severity": "medium",
	"score": 4.3,
	"confidence": "medium",
	"remedy": "Add a user that is not root and name it with USER.",
}

stage_named(path, name) := [stage |
	some stage in data.secgate.infrastructure_lib.stages
	stage.path == path
	stage.attributes.alias == name
]

# Stages lead back to earlier ones; four steps are more than anyone builds.
chain(stage) := {stage.line} | {above.line |
	some first in stage_named(stage.path, stage.attributes.of_stage)
	some above in lineage(first)
}

lineage(stage) := array.concat([stage], [above | some above in parents(stage)])

parents(stage) := array.concat(near, [far | some one in near; some far in stage_named(stage.path, one.attributes.of_stage)]) if {
	near := stage_named(stage.path, stage.attributes.of_stage)
}

sets_user(stage) if {
	some other in data.secgate.infrastructure_lib.stages
	other.path == stage.path
	other.line in chain(stage)
	count(lib.users(other)) > 0
}

# The image below may set one: what cannot be told is left alone.
foreign(stage) if {
	some other in data.secgate.infrastructure_lib.stages
	other.path == stage.path
	other.line in chain(stage)
	image := other.attributes.image
	unknown_image(image)
}

unknown_image(image) if lib.unresolved(image)

unknown_image(image) if {
	is_string(image)
	regex.match(`(?i)nonroot|non-root|unprivileged|rootless|chainguard|bitnami`, image)
}

result contains found if {
	some stage in data.secgate.infrastructure_lib.stages
	stage.attributes.final == true
	not sets_user(stage)
	not foreign(stage)
	found := lib.at(stage, "image", "no stage names a user")
}
