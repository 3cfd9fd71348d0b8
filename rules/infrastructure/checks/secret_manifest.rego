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

result contains found if {
	some r in lib.objects("Secret")
	some entry in lib.environment(lib.attr(r, "stringData"))
	lib.secret_value(entry.value)
	ordinary(r)
	found := lib.at(r, sprintf("stringData.%s", [entry.name]), sprintf("`%s` is in the manifest in clear", [entry.name]))
}

# Base64 is no protection.
result contains found if {
	some r in lib.objects("Secret")
	some entry in lib.environment(lib.attr(r, "data"))
	lib.secret_value(entry.value)
	regex.match(`^[A-Za-z0-9+/=\s]+$`, entry.value)
	ordinary(r)
	found := lib.at(r, sprintf("data.%s", [entry.name]), sprintf("`%s` is in the manifest in base64", [entry.name]))
}
