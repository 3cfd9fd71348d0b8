package secgate.infrastructure.trail_off

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-AWS-TRAIL-OFF",
	"title": "Audit trail switched off",
	"weakness": "missing-logging",
	"cwes": [778],
	"severity": "high",
	"score": 7.1,
	"confidence": "high",
	"remedy": "Leave the trail on, for all regions and with validated log files.",
}

result contains found if {
	some r in lib.of("aws_cloudtrail")
	lib.no(lib.attr(r, "enable_logging"))
	found := lib.at(r, "enable_logging", "the trail does not log")
}

result contains found if {
	some r in lib.of("AWS::CloudTrail::Trail")
	lib.no(lib.attr(r, "IsLogging"))
	found := lib.at(r, "IsLogging", "the trail does not log")
}

result contains found if {
	some r in lib.of("aws_guardduty_detector")
	lib.no(lib.attr(r, "enable"))
	found := lib.at(r, "enable", "the detector is switched off")
}
