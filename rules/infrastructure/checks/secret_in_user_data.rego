package secgate.infrastructure.secret_in_user_data

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-CLOUD-SECRET-IN-USER-DATA",
	"title": "Credential in a start script",
	"weakness": "hard-coded-secret",
	"cwes": [798],
	"severity": "high",
	"score": 8.2,
	"confidence": "high",
	"remedy": "Give the machine a role, or let it read a secret store when it starts.",
}

places := {
	"aws_instance": ["user_data", "user_data_base64"],
	"aws_launch_template": ["user_data"],
	"aws_launch_configuration": ["user_data"],
	"azurerm_linux_virtual_machine": ["custom_data", "user_data"],
	"azurerm_virtual_machine": ["custom_data"],
	"google_compute_instance": ["metadata_startup_script"],
	"AWS::EC2::Instance": ["UserData"],
	"AWS::AutoScaling::LaunchConfiguration": ["UserData"],
}

result contains found if {
	some type, names in places
	some r in lib.of(type)
	some name in names
	lib.credential_text(lib.certain_text(lib.attr(r, name)))
	found := lib.at(r, name, "the script holds a credential")
}

result contains found if {
	some r in lib.of("AWS::EC2::LaunchTemplate")
	lib.credential_text(lib.certain_text(lib.get(r.attributes, ["LaunchTemplateData", "UserData"])))
	found := lib.at(r, "LaunchTemplateData.UserData", "the script holds a credential")
}
