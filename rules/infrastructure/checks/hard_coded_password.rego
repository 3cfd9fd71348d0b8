package secgate.infrastructure.hard_coded_password

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-CLOUD-PASSWORD-LITERAL",
	"title": "Password or key written into the code",
	"weakness": "hard-coded-secret",
	"cwes": [798],
	"severity": "high",
	"score": 8.2,
	"confidence": "high",
	"remedy": "Take it from a secret store, and replace the one that was written down.",
}

terraform_names := {
	"password",
	"master_password",
	"master_user_password",
	"administrator_login_password",
	"admin_password",
	"root_password",
	"auth_token",
	"access_key",
	"secret_key",
	"client_secret",
	"secret_string",
	"api_key",
	"token",
	"storage_account_access_key",
}

cloudformation_names := {
	"MasterUserPassword",
	"MasterPassword",
	"Password",
	"AdminPassword",
	"AuthToken",
	"OauthToken",
	"AccessToken",
	"SecretString",
}

secret(name, value) if {
	name in {"secret_string", "SecretString", "token"}
	lib.secret_value(value)
	count(value) >= 8
}

secret(name, value) if {
	not name in {"secret_string", "SecretString", "token"}
	lib.secret_value(value)
}

result contains found if {
	some r in input.resources
	r.platform == "terraform"
	not r.type in {"variable", "tfvars", "locals", "output", "module"}
	some name, value in r.attributes
	name in terraform_names
	secret(name, value)
	found := lib.at(r, name, sprintf("`%s` is a literal", [name]))
}

result contains found if {
	some r in input.resources
	r.platform == "cloudformation"
	some name, value in r.attributes
	name in cloudformation_names
	secret(name, value)
	found := lib.at(r, name, sprintf("`%s` is a literal", [name]))
}
