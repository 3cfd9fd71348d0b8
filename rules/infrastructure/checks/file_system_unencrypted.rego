package secgate.infrastructure.file_system_unencrypted

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-AWS-FILE-SYSTEM-UNENCRYPTED",
	"title": "File system stored without encryption",
	"weakness": "missing-encryption-at-rest",
	"cwes": [311],
	"severity": "high",
	"score": 7.1,
	"confidence": "high",
	"remedy": "Make it with encryption on; it cannot be switched on later.",
}

result contains found if {
	some type, name in {"aws_efs_file_system": "encrypted", "AWS::EFS::FileSystem": "Encrypted"}
	some r in lib.of(type)
	lib.off(lib.attr(r, name))
	found := lib.at(r, name, sprintf("`%s` is not on", [name]))
}
