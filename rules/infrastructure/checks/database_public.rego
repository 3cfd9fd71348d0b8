package secgate.infrastructure.database_public

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-AWS-DATABASE-PUBLIC",
	"title": "Data service with a public address",
	"weakness": "public-network-exposure",
	"cwes": [284],
	"severity": "high",
	"score": 8.6,
	"confidence": "high",
	"remedy": "Switch the public address off and reach it from inside the network.",
}

terraform := [
	"aws_db_instance",
	"aws_rds_cluster_instance",
	"aws_redshift_cluster",
	"aws_dms_replication_instance",
	"aws_mq_broker",
	"aws_neptune_cluster_instance",
]

cloudformation := [
	"AWS::RDS::DBInstance",
	"AWS::Redshift::Cluster",
	"AWS::DMS::ReplicationInstance",
	"AWS::AmazonMQ::Broker",
]

result contains found if {
	some r in lib.of_any(terraform)
	lib.yes(lib.attr(r, "publicly_accessible"))
	found := lib.at(r, "publicly_accessible", "it is reachable from the internet")
}

result contains found if {
	some r in lib.of_any(cloudformation)
	lib.yes(lib.attr(r, "PubliclyAccessible"))
	found := lib.at(r, "PubliclyAccessible", "it is reachable from the internet")
}
