package secgate.infrastructure.trail_validation_off

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-AWS-TRAIL-VALIDATION-OFF",
	"title": "Audit trail without validation of its files",
	"weakness": "missing-logging",
	"cwes": [778],
	"severity": "low",
	"score": 3.7,
	"confidence": "high",
	"remedy": "Switch log file validation on.",
}

result contains found if {
	some type, name in {
		"aws_cloudtrail": "enable_log_file_validation",
		"AWS::CloudTrail::Trail": "EnableLogFileValidation",
	}
	some r in lib.of(type)
	lib.off(lib.attr(r, name))
	found := lib.at(r, name, "changed log files would not be noticed")
}
