package main

deny contains msg if {
	some name, blocks in input.resource.aws_s3_bucket
	some block in blocks
	not block.tags.owner
	msg := sprintf("the bucket %s has no tag `owner`", [name])
}
