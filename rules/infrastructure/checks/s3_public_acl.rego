package secgate.infrastructure.s3_public_acl

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-AWS-S3-PUBLIC-ACL",
	"title": "Bucket open to everyone by its ACL",
	"weakness": "public-storage",
	"cwes": [732],
	"severity": "high",
	"score": 8.6,
	"confidence": "high",
	"remedy": "Use a private ACL, or none, and share objects by signed addresses or a content network.",
}

public := {"public-read", "public-read-write", "authenticated-read", "PublicRead", "PublicReadWrite", "AuthenticatedRead"}

everyone(uri) if {
	is_string(uri)
	regex.match(`/groups/global/(AllUsers|AuthenticatedUsers)$`, uri)
}

result contains found if {
	some type, name in {"aws_s3_bucket": "acl", "aws_s3_bucket_acl": "acl", "AWS::S3::Bucket": "AccessControl"}
	some r in lib.of(type)
	lib.attr(r, name) in public
	found := lib.at(r, name, sprintf("the ACL is `%s`", [lib.attr(r, name)]))
}

result contains found if {
	some r in lib.of("aws_s3_bucket_acl")
	some policy in lib.blocks(r.attributes, "access_control_policy")
	some grant in lib.blocks(policy.value, "grant")
	some grantee in lib.blocks(grant.value, "grantee")
	everyone(object.get(grantee.value, "uri", null))
	found := lib.at(r, policy.path, "a grant of the ACL is to everyone")
}

result contains found if {
	some r in lib.of("aws_s3_bucket")
	some grant in lib.blocks(r.attributes, "grant")
	everyone(object.get(grant.value, "uri", null))
	found := lib.at(r, grant.path, "a grant of the ACL is to everyone")
}
