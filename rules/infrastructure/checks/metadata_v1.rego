package secgate.infrastructure.metadata_v1

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-AWS-METADATA-V1",
	"title": "Instance metadata without a session token",
	"weakness": "instance-metadata-exposure",
	"cwes": [284],
	"severity": "medium",
	"score": 5.9,
	"confidence": "high",
	"remedy": "Set `http_tokens = \"required\"`.",
}

result contains found if {
	some r in lib.of_any(["aws_instance", "aws_launch_template", "aws_launch_configuration"])
	some block in lib.blocks(r.attributes, "metadata_options")
	object.get(block.value, "http_tokens", null) == "optional"
	object.get(block.value, "http_endpoint", "enabled") != "disabled"
	found := lib.at(r, sprintf("%s.http_tokens", [block.path]), "tokens are optional")
}

result contains found if {
	some r in lib.of("AWS::EC2::LaunchTemplate")
	lib.get(r.attributes, ["LaunchTemplateData", "MetadataOptions", "HttpTokens"]) == "optional"
	found := lib.at(r, "LaunchTemplateData.MetadataOptions.HttpTokens", "tokens are optional")
}
