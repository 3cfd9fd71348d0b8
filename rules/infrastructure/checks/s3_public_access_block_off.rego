package secgate.infrastructure.s3_public_access_block_off

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-AWS-S3-PUBLIC-ACCESS-BLOCK-OFF",
	"title": "Protection against public buckets switched off",
	"weakness": "public-storage",
	"cwes": [732],
	"severity": "medium",
	"score": 6.5,
	"confidence": "high",
	"remedy": "Leave all four settings of the public access block on.",
}

terraform := ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"]

cloudformation := ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"]

# Absent settings are off by Terraform's and CloudFormation's documentation.
result contains found if {
	some r in lib.of_any(["aws_s3_bucket_public_access_block", "aws_s3_account_public_access_block"])
	some name in terraform
	lib.off(lib.attr(r, name))
	found := lib.at(r, name, sprintf("`%s` is off", [name]))
}

result contains found if {
	some r in lib.of("AWS::S3::Bucket")
	some name in cloudformation
	is_object(lib.attr(r, "PublicAccessBlockConfiguration"))
	lib.off(lib.get(r.attributes, ["PublicAccessBlockConfiguration", name]))
	found := lib.at(r, sprintf("PublicAccessBlockConfiguration.%s", [name]), sprintf("`%s` is off", [name]))
}
