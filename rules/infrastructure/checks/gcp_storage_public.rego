package secgate.infrastructure.gcp_storage_public

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-GCP-STORAGE-PUBLIC",
	"title": "Bucket open to everyone",
	"weakness": "public-storage",
	"cwes": [732],
	"severity": "high",
	"score": 8.6,
	"confidence": "high",
	"remedy": "Name the members that need it, and prevent public access for the bucket.",
}

result contains found if {
	some member in lib.public_iam_members
	startswith(member.resource.type, "google_storage_bucket")
	found := lib.at(member.resource, member.path, sprintf("`%s` has a role", [member.member]))
}

result contains found if {
	some r in lib.of_any(["google_storage_bucket_access_control", "google_storage_default_object_access_control", "google_storage_object_access_control"])
	lib.attr(r, "entity") in {"allUsers", "allAuthenticatedUsers"}
	found := lib.at(r, "entity", sprintf("`%s` has access", [lib.attr(r, "entity")]))
}

result contains found if {
	some r in lib.of_any(["google_storage_bucket_acl", "google_storage_object_acl"])
	lib.attr(r, "predefined_acl") in {"publicRead", "publicReadWrite"}
	found := lib.at(r, "predefined_acl", "the ACL is public")
}
