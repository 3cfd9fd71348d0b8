package secgate.infrastructure.resource_policy_public

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-AWS-RESOURCE-POLICY-PUBLIC",
	"title": "Resource open to everyone by its policy",
	"weakness": "missing-authorisation",
	"cwes": [284],
	"severity": "high",
	"score": 8.2,
	"confidence": "high",
	"remedy": "Name the principals, or add a condition on account, organisation or source.",
}

result contains found if {
	some statement in lib.statements
	statement.kind == "resource"
	lib.for_anyone(statement)
	found := lib.at(statement.resource, statement.path, "a statement allows everyone")
}

result contains found if {
	some type, name in {"aws_lambda_permission": "principal", "AWS::Lambda::Permission": "Principal"}
	some r in lib.of(type)
	lib.attr(r, name) == "*"
	every narrowing in ["source_arn", "source_account", "principal_org_id", "SourceArn", "SourceAccount", "PrincipalOrgID"] {
		lib.attr(r, narrowing) == null
	}
	found := lib.at(r, name, "anyone may call the function")
}

result contains found if {
	some type, name in {"aws_lambda_function_url": "authorization_type", "AWS::Lambda::Url": "AuthType"}
	some r in lib.of(type)
	lib.attr(r, name) == "NONE"
	found := lib.at(r, name, "the function's address asks for no authorisation")
}
