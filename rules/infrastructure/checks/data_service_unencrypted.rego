package secgate.infrastructure.data_service_unencrypted

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-AWS-DATA-SERVICE-UNENCRYPTED",
	"title": "Data service stored without encryption",
	"weakness": "missing-encryption-at-rest",
	"cwes": [311],
	"severity": "high",
	"score": 7.1,
	"confidence": "high",
	"remedy": "Switch encryption at rest on; most of these cannot be changed later.",
}

# Type -> keys of the switch, all of which are off unless set.
switches := {
	"aws_elasticache_replication_group": ["at_rest_encryption_enabled"],
	"AWS::ElastiCache::ReplicationGroup": ["AtRestEncryptionEnabled"],
	"AWS::Elasticsearch::Domain": ["EncryptionAtRestOptions", "Enabled"],
	"AWS::OpenSearchService::Domain": ["EncryptionAtRestOptions", "Enabled"],
	"AWS::DAX::Cluster": ["SSESpecification", "SSEEnabled"],
}

block_switches := {
	"aws_elasticsearch_domain": ["encrypt_at_rest", "enabled"],
	"aws_opensearch_domain": ["encrypt_at_rest", "enabled"],
	"aws_dax_cluster": ["server_side_encryption", "enabled"],
}

message := "encryption at rest is not on"

result contains found if {
	some type, keys in switches
	some r in lib.of(type)
	lib.off(lib.get(r.attributes, keys))
	found := lib.at(r, concat(".", keys), message)
}

result contains found if {
	some type, keys in block_switches
	some r in lib.of(type)
	count(lib.list(lib.attr(r, keys[0]))) == 0
	found := lib.at(r, keys[0], message)
}

result contains found if {
	some type, keys in block_switches
	some r in lib.of(type)
	some block in lib.blocks(r.attributes, keys[0])
	lib.off(object.get(block.value, keys[1], null))
	found := lib.at(r, sprintf("%s.%s", [block.path, keys[1]]), message)
}

result contains found if {
	some r in lib.of("aws_kinesis_stream")
	lib.attr(r, "encryption_type") in {null, "NONE"}
	found := lib.at(r, "encryption_type", message)
}

result contains found if {
	some r in lib.of("AWS::Kinesis::Stream")
	lib.attr(r, "StreamEncryption") == null
	found := lib.at(r, "StreamEncryption", message)
}
