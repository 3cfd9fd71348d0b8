package secgate.infrastructure.docker_world_writable

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-DOCKER-WORLD-WRITABLE",
	"title": "Files that everyone may change",
	"weakness": "incorrect-permissions",
	"cwes": [732],
	"severity": "medium",
	"score": 4.4,
	"confidence": "high",
	"remedy": "Give the user of the image the files it writes, with `chown` or `COPY --chown`.",
}

result contains found if {
	some i in lib.runs
	regex.match(`\bchmod\s+(-\S+\s+)*(0?777|[ao]*\+[rx]*w[rx]*|a=rwx)\s`, i.value.text)
	not regex.match(`\bchmod\s+(-\S+\s+)*\+w\s`, i.value.text)
	found := lib.at(i.resource, i.path, "the command lets everyone write")
}
