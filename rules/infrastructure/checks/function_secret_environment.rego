package secgate.infrastructure.function_secret_environment

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-AWS-SECRET-IN-ENVIRONMENT",
	"title": "Secret in the environment of a function or task",
	"weakness": "secret-in-environment",
	"cwes": [526, 798],
	"severity": "high",
	"score": 7.5,
	"confidence": "medium",
	"remedy": "Name the secret of a store (`secrets`, `valueFrom`) instead of its value.",
}

message(name) := sprintf("`%s` is a literal", [name])

result contains found if {
	some r in lib.of("aws_lambda_function")
	some block in lib.blocks(r.attributes, "environment")
	some entry in lib.environment(object.get(block.value, "variables", null))
	lib.secret_setting(entry.name, entry.value)
	found := lib.at(r, sprintf("%s.variables.%s", [block.path, entry.path]), message(entry.name))
}

result contains found if {
	some r in lib.of_any(["AWS::Lambda::Function", "AWS::Serverless::Function"])
	some entry in lib.environment(lib.get(r.attributes, ["Environment", "Variables"]))
	lib.secret_setting(entry.name, entry.value)
	found := lib.at(r, sprintf("Environment.Variables.%s", [entry.path]), message(entry.name))
}

result contains found if {
	some type, keys in {
		"aws_ecs_task_definition": ["container_definitions", "environment"],
		"AWS::ECS::TaskDefinition": ["ContainerDefinitions", "Environment"],
	}
	some r in lib.of(type)
	some container in lib.blocks(r.attributes, keys[0])
	key := keys[1]
	some entry in lib.environment(object.get(container.value, key, null))
	lib.secret_setting(entry.name, entry.value)
	found := lib.at(r, sprintf("%s.%s.%s", [container.path, key, entry.path]), message(entry.name))
}
