package secgate.infrastructure.docker_tls_off

import data.secgate.infrastructure_lib as lib

import rego.v1

metadata := {
	"id": "IAC-DOCKER-TLS-OFF",
	"title": "Certificates not checked while building",
	"weakness": "improper-certificate-validation",
	"cwes": [295],
	"severity": "medium",
	"score": 6.5,
	"confidence": "high",
	"remedy": "Leave verification on and add the certificate that is missing.",
}

patterns := [
	`\bcurl\b[^|;&]*\s(-[a-zA-Z]*k[a-zA-Z]*|--insecure)(\s|$)`,
	`\bwget\b[^|;&]*\s--no-check-certificate(\s|$)`,
	`\bgit\b[^|;&]*http\.sslVerify[= ]"?(false|0)`,
	`\bpip3?\b[^|;&]*\s--trusted-host(\s|=)`,
	`\bnpm\b[^|;&]*strict-ssl[= ]"?false`,
	`\bapt(-get)?\b[^|;&]*\s(--allow-unauthenticated|--force-yes)(\s|$)`,
	`\b(yum|dnf)\b[^|;&]*\s--nogpgcheck(\s|$)`,
	`\bapk\b[^|;&]*\s--allow-untrusted(\s|$)`,
]

result contains found if {
	some i in lib.runs
	some pattern in patterns
	regex.match(pattern, i.value.text)
	found := lib.at(i.resource, i.path, "the command takes what it cannot verify")
}

result contains found if {
	some i in lib.instructions
	i.value.word == "ENV"
	some pair in i.value.pairs
	[upper(pair.name), pair.value] in {
		["NODE_TLS_REJECT_UNAUTHORIZED", "0"],
		["PYTHONHTTPSVERIFY", "0"],
		["GIT_SSL_NO_VERIFY", "true"],
		["GIT_SSL_NO_VERIFY", "1"],
	}
	found := lib.at(i.resource, i.path, sprintf("`%s` switches verification off", [pair.name]))
}
