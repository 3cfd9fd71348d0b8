package secgate.infrastructure.volume_unencrypted

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-AWS-VOLUME-UNENCRYPTED",
	"title": "Volume stored without encryption",
	"weakness": "missing-encryption-at-rest",
	"cwes": [311],
	"severity": "medium",
	"score": 6.2,
	"confidence": "medium",
	"remedy": "Switch encryption on, for the volume or by default for the account.",
}

result contains found if {
	some r in lib.of("aws_ebs_volume")
	lib.off(lib.attr(r, "encrypted"))
	lib.attr(r, "snapshot_id") == null
	found := lib.at(r, "encrypted", "`encrypted` is not on")
}

result contains found if {
	some r in lib.of("AWS::EC2::Volume")
	lib.off(lib.attr(r, "Encrypted"))
	lib.attr(r, "SnapshotId") == null
	found := lib.at(r, "Encrypted", "`Encrypted` is not on")
}

# A block device follows its image unless it says no.
result contains found if {
	some r in lib.of_any(["aws_instance", "aws_launch_configuration"])
	some name in ["root_block_device", "ebs_block_device"]
	some block in lib.blocks(r.attributes, name)
	lib.no(object.get(block.value, "encrypted", null))
	found := lib.at(r, block.path, "the block device says `encrypted = false`")
}

result contains found if {
	some r in lib.of("aws_ebs_encryption_by_default")
	lib.no(lib.attr(r, "enabled"))
	found := lib.at(r, "enabled", "encryption by default is switched off")
}
