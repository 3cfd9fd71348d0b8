package secgate.infrastructure.gke_legacy

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-GCP-GKE-LEGACY",
	"title": "Cluster with legacy authorisation",
	"weakness": "missing-authorisation",
	"cwes": [285],
	"severity": "high",
	"score": 7.5,
	"confidence": "high",
	"remedy": "Leave legacy authorisation, passwords and client certificates off, and use roles.",
}

result contains found if {
	some r in lib.of("google_container_cluster")
	lib.yes(lib.attr(r, "enable_legacy_abac"))
	found := lib.at(r, "enable_legacy_abac", "legacy authorisation is on")
}

result contains found if {
	some r in lib.of("google_container_cluster")
	some block in lib.blocks(r.attributes, "master_auth")
	some config in lib.blocks(block.value, "client_certificate_config")
	lib.yes(object.get(config.value, "issue_client_certificate", null))
	found := lib.at(r, block.path, "a client certificate is issued")
}

result contains found if {
	some r in lib.of("google_container_cluster")
	some block in lib.blocks(r.attributes, "master_auth")
	username := object.get(block.value, "username", null)
	is_string(username)
	username != ""
	found := lib.at(r, block.path, "password sign-in is on")
}
