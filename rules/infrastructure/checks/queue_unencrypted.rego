package secgate.infrastructure.queue_unencrypted

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-AWS-QUEUE-UNENCRYPTED",
	"title": "Queue with its encryption switched off",
	"weakness": "missing-encryption-at-rest",
	"cwes": [311],
	"severity": "medium",
	"score": 5.3,
	"confidence": "high",
	"remedy": "Leave the service's own encryption on, or name a key.",
}

# New queues are encrypted unless told otherwise: only a plain no is a weakness.
result contains found if {
	some r in lib.of("aws_sqs_queue")
	lib.no(lib.attr(r, "sqs_managed_sse_enabled"))
	lib.attr(r, "kms_master_key_id") == null
	found := lib.at(r, "sqs_managed_sse_enabled", "the service's encryption is off and there is no key")
}

result contains found if {
	some r in lib.of("AWS::SQS::Queue")
	lib.no(lib.attr(r, "SqsManagedSseEnabled"))
	lib.attr(r, "KmsMasterKeyId") == null
	found := lib.at(r, "SqsManagedSseEnabled", "the service's encryption is off and there is no key")
}
