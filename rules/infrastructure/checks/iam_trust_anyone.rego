package secgate.infrastructure.iam_trust_anyone

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-AWS-IAM-TRUST-ANYONE",
	"title": "Role that anyone may take",
	"weakness": "missing-authorisation",
	"cwes": [284],
	"severity": "critical",
	"score": 9.3,
	"confidence": "high",
	"remedy": "Name the accounts, roles or services that may take the role.",
}

result contains found if {
	some statement in lib.statements
	statement.kind == "trust"
	lib.for_anyone(statement)
	found := lib.at(statement.resource, statement.path, "every AWS account may take the role")
}
