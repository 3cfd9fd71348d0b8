package secgate.infrastructure.topic_unencrypted

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-AWS-TOPIC-UNENCRYPTED",
	"title": "Topic stored without encryption",
	"weakness": "missing-encryption-at-rest",
	"cwes": [311],
	"severity": "medium",
	"score": 4.3,
	"confidence": "high",
	"remedy": "Name a key, `alias/aws/sns` at least.",
}

result contains found if {
	some type, name in {"aws_sns_topic": "kms_master_key_id", "AWS::SNS::Topic": "KmsMasterKeyId"}
	some r in lib.of(type)
	lib.attr(r, name) in {null, ""}
	found := lib.at(r, name, "no key is named")
}
