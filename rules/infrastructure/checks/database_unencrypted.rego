package secgate.infrastructure.database_unencrypted

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-AWS-DATABASE-UNENCRYPTED",
	"title": "Database stored without encryption",
	"weakness": "missing-encryption-at-rest",
	"cwes": [311],
	"severity": "high",
	"score": 7.1,
	"confidence": "high",
	"remedy": "Switch storage encryption on; an existing database is copied by an encrypted snapshot.",
}

terraform := {
	"aws_db_instance": "storage_encrypted",
	"aws_rds_cluster": "storage_encrypted",
	"aws_docdb_cluster": "storage_encrypted",
	"aws_neptune_cluster": "storage_encrypted",
	"aws_redshift_cluster": "encrypted",
}

cloudformation := {
	"AWS::RDS::DBInstance": "StorageEncrypted",
	"AWS::RDS::DBCluster": "StorageEncrypted",
	"AWS::DocDB::DBCluster": "StorageEncrypted",
	"AWS::Neptune::DBCluster": "StorageEncrypted",
	"AWS::Redshift::Cluster": "Encrypted",
}

# What takes its encryption from somewhere else.
inherited := [
	"replicate_source_db",
	"snapshot_identifier",
	"restore_to_point_in_time",
	"replication_source_identifier",
	"global_cluster_identifier",
	"DBClusterIdentifier",
	"SourceDBInstanceIdentifier",
	"DBSnapshotIdentifier",
	"SnapshotIdentifier",
	"SourceDBClusterIdentifier",
]

inherits(r) if {
	some name in inherited
	lib.attr(r, name) != null
	not names_itself(r, name)
}

names_itself(r, "DBClusterIdentifier") if endswith(r.type, "Cluster")

inherits(r) if lib.attr(r, "engine_mode") == "serverless"

result contains found if {
	some type, name in object.union(terraform, cloudformation)
	some r in lib.of(type)
	lib.off(lib.attr(r, name))
	not inherits(r)
	found := lib.at(r, name, sprintf("`%s` is not on", [name]))
}
