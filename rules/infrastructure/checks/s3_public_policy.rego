package secgate.infrastructure.s3_public_policy

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-AWS-S3-PUBLIC-POLICY",
	"title": "Bucket open to everyone by its policy",
	"weakness": "public-storage",
	"cwes": [732],
	"severity": "high",
	"score": 8.6,
	"confidence": "high",
	"remedy": "Name the principals that need the bucket, or serve it through a content network.",
}

result contains found if {
	some statement in lib.statements
	statement.kind == "storage"
	lib.for_anyone(statement)
	found := lib.at(statement.resource, statement.path, "a statement allows everyone")
}
