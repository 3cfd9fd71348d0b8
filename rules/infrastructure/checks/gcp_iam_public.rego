package secgate.infrastructure.gcp_iam_public

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-GCP-IAM-PUBLIC",
	"title": "Role given to everyone",
	"weakness": "missing-authorisation",
	"cwes": [284],
	"severity": "high",
	"score": 8.2,
	"confidence": "high",
	"remedy": "Name the members that need it.",
}

# A web service is often open by intent, and buckets have a check of their own.
intended(type) if startswith(type, "google_storage_bucket")

intended(type) if regex.match(`^google_(cloud_run|cloudfunctions)`, type)

result contains found if {
	some member in lib.public_iam_members
	not intended(member.resource.type)
	found := lib.at(member.resource, member.path, sprintf("`%s` has a role", [member.member]))
}

result contains found if {
	some r in lib.of("google_bigquery_dataset")
	some access in lib.blocks(r.attributes, "access")
	object.get(access.value, "special_group", null) == "allAuthenticatedUsers"
	found := lib.at(r, access.path, "the dataset is open to everyone")
}
