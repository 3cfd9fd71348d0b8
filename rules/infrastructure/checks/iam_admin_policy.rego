package secgate.infrastructure.iam_admin_policy

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-AWS-IAM-ADMIN-POLICY",
	"title": "Policy that allows everything",
	"weakness": "excessive-privilege",
	"cwes": [269],
	"severity": "high",
	"score": 7.8,
	"confidence": "high",
	"remedy": "Name the actions and resources that are needed.",
}

result contains found if {
	some statement in lib.statements
	statement.kind == "identity"
	statement.effect == "Allow"
	some action in statement.actions
	action in {"*", "*:*"}
	"*" in statement.resources
	found := lib.at(statement.resource, statement.path, "a statement allows every action on every resource")
}

administrator(arn) if {
	is_string(arn)
	endswith(arn, ":iam::aws:policy/AdministratorAccess")
}

result contains found if {
	some r in lib.of_any([
		"aws_iam_role_policy_attachment",
		"aws_iam_user_policy_attachment",
		"aws_iam_group_policy_attachment",
		"aws_iam_policy_attachment",
	])
	administrator(lib.attr(r, "policy_arn"))
	found := lib.at(r, "policy_arn", "administrator rights are attached")
}

result contains found if {
	some name, types in {
		"managed_policy_arns": ["aws_iam_role"],
		"ManagedPolicyArns": ["AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"],
	}
	some r in lib.of_any(types)
	some i, arn in lib.list(lib.attr(r, name))
	administrator(arn)
	found := lib.at(r, sprintf("%s.%d", [name, i]), "administrator rights are attached")
}
