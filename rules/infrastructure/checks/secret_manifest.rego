package secgate.infrastructure.secret_manifest

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-K8S-SECRET-IN-MANIFEST",
	"title": "Secret committed as a manifest",
	"weakness": "hard-coded-secret",
	"cwes": [798],
	"severity": "high",
	"score": 7.5,
	"confidence": "medium",
	"remedy": "Commit a sealed or external secret instead, and replace the one that was published.",
}

ordinary(r) if not lib.attr(r, "type") in {"kubernetes.io/service-account-token", "helm.sh/release.v1"}

result contains lib.at(r, sprintf("stringData.%s", [name]), sprintf("`%s` is in the manifest in clear", [name])) if {
	some r in lib.of("Secret")
	r.platform == "kubernetes"
	some name, value in object.get(r.attributes, "stringData", {})
	lib.secret_value(value)
	ordinary(r)
}

# Base64 is no protection.
result contains lib.at(r, sprintf("data.%s", [name]), sprintf("`%s` is in the manifest in base64", [name])) if {
	some r in lib.of("Secret")
	r.platform == "kubernetes"
	some name, value in object.get(r.attributes, "data", {})
	lib.secret_value(value)
	regex.match(`^[A-Za-z0-9+/=\s]+$`, value)
	ordinary(r)
}
