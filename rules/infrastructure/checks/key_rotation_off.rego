package secgate.infrastructure.key_rotation_off

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-AWS-KEY-ROTATION-OFF",
	"title": "Key that is never rotated",
	"weakness": "missing-key-rotation",
	"cwes": [324],
	"severity": "medium",
	"score": 4.3,
	"confidence": "high",
	"remedy": "Switch yearly rotation on.",
}

rotates(r) if {
	every name in ["customer_master_key_spec", "key_spec", "KeySpec"] {
		lib.attr(r, name) in {null, "SYMMETRIC_DEFAULT"}
	}
	every name in ["key_usage", "KeyUsage"] {
		lib.attr(r, name) in {null, "ENCRYPT_DECRYPT"}
	}
	every name in ["custom_key_store_id", "Origin", "custom_key_store"] {
		lib.attr(r, name) in {null, "AWS_KMS"}
	}
}

result contains found if {
	some type, name in {"aws_kms_key": "enable_key_rotation", "AWS::KMS::Key": "EnableKeyRotation"}
	some r in lib.of(type)
	lib.off(lib.attr(r, name))
	rotates(r)
	found := lib.at(r, name, "rotation is not on")
}

result contains found if {
	some r in lib.of("google_kms_crypto_key")
	lib.attr(r, "rotation_period") == null
	lib.attr(r, "purpose") in {null, "ENCRYPT_DECRYPT"}
	found := lib.at(r, "rotation_period", "rotation is not on")
}
