# What is taken for a secret: the name of a setting with a literal beside it, or a text of a credential's own form.
package secgate.infrastructure_lib

import rego.v1

secret_name(name) if {
	is_string(name)
	regex.match(
		`(?i)(passw(or)?d|passphrase|(^|[^a-z])pwd|secret([_-]?(access)?[_-]?key([_-]?base)?)?|api[_-]?key|access[_-]?key|private[_-]?key|encryption[_-]?key|auth[_-]?token|access[_-]?token|(^|[_-])token|credentials?)$`,
		name,
	)
	not regex.match(`(?i)(allow[_-]?empty|random|rotate|enable|disable|require|use|needs?|has)[_-].*`, name)
}

# A literal that could be a secret. References to stores, placeholders and switches are none.
secret_value(v) if {
	is_string(v)
	count(trim_space(v)) >= 4
	not regex.match(`(?i)^\s*(true|false|none|null|yes|no|enabled|disabled|required|optional|auto|default|generated)\s*$`, v)
	not regex.match(`^\s*(<.*>|\{\{.*\}\}|\[.*\]|%.*%|\*+|[xX]{3,}|\.\.\.|__.*__|@.*@|\$\(.*\))\s*$`, v)
	not regex.match(`(?i)^\s*(arn:|/run/secrets/|/var/run/secrets/|file:|vault:|ssm:|secretsmanager:|projects/|https?://[^@]*$|op://|gcp-sm:|akv:)`, v)
	not regex.match(`(?i)(your|insert|replace)[_ -].*(here|password|secret|key|token)|^(placeholder|todo|tbd|redacted)$`, v)
	not regex.match(`^/[A-Za-z0-9_./-]+$`, v)
}

# Credentials known by their form, wherever they stand.
credential_text(v) if regex.match(`(^|[^A-Z0-9])(AKIA|ASIA)[A-Z0-9]{16}($|[^A-Z0-9])`, v)

credential_text(v) if regex.match(`-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY( BLOCK)?-----`, v)

credential_text(v) if regex.match(`(^|[^A-Za-z0-9_])(gh[pousr]_[A-Za-z0-9]{36}|glpat-[A-Za-z0-9_-]{20}|xox[baprs]-[A-Za-z0-9-]{10,}|sk_live_[A-Za-z0-9]{16,})`, v)

credential_text(v) if regex.match(`[a-z][a-z0-9+.-]*://[^\s/?#:@${}<>]+:[^\s/?#:@${}<>]{3,}@`, v)

# A named setting that holds a secret.
secret_setting(name, value) if {
	secret_name(name)
	secret_value(value)
}

secret_setting(_, value) if {
	is_string(value)
	credential_text(value)
}

# Environment as a mapping, or as a list of `NAME=value` texts or of {name, value}: (name, value, path) of each.
environment(v) := [{"name": name, "value": value, "path": name} | some name, value in v] if {
	is_object(v)
	not unresolved(v)
}

environment(v) := [entry |
	some i, item in v
	entry := environment_item(item, i)
] if {
	is_array(v)
}

environment_item(item, i) := {"name": parts[0], "value": concat("=", array.slice(parts, 1, count(parts))), "path": sprintf("%d", [i])} if {
	is_string(item)
	parts := split(item, "=")
	count(parts) > 1
}

environment_item(item, i) := {"name": name, "value": value, "path": sprintf("%d", [i])} if {
	is_object(item)
	not unresolved(item)
	name := object.get(item, "name", object.get(item, "Name", null))
	value := object.get(item, "value", object.get(item, "Value", null))
	is_string(name)
}
