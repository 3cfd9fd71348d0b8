# How checks look at values. An unresolved expression is neither on nor off, neither absent nor there.
package secgate.infrastructure_lib

import rego.v1

# Resources of Terraform or CloudFormation of a type, and of several.
of(type) := [input.resources[i] |
	some platform in ["terraform", "cloudformation"]
	some i in object.get(input.types, sprintf("%s/%s", [platform, type]), [])
]

# Objects of Kubernetes of a kind, services of compose, stages of Dockerfiles.
objects(kind) := [input.resources[i] | some i in object.get(input.types, sprintf("kubernetes/%s", [kind]), [])]

services := [input.resources[i] | some i in object.get(input.types, "compose/service", [])]

stages := [input.resources[i] | some i in object.get(input.types, "dockerfile/stage", [])]

of_any(types) := [r | some type in types; some r in of(type)]

# A result: where the attribute at `path` begins, or the resource where it is not in the text.
at(r, path, message) := {
	"resource": r.id,
	"path": r.path,
	"line": object.get(r.lines, path, r.line),
	"message": message,
}

unresolved(v) if {
	is_object(v)
	is_string(v.unresolved)
}

# The value at a list of keys below `v`: null where it is absent, unresolved where an expression stands above it.
get(v, keys) := {"unresolved": "above"} if {
	some n in numbers.range(0, count(keys) - 1)
	unresolved(object.get(v, array.slice(keys, 0, n), null))
} else := {"unresolved": "transform"} if {
	object.get(v, keys, null) == null
	object.get(v, "Fn::Transform", null) != null
} else := object.get(v, keys, null)

attr(r, name) := get(r.attributes, [name])

yes(v) if v == true

yes(v) if {
	is_string(v)
	lower(v) in {"true", "yes"}
}

no(v) if v == false

no(v) if {
	is_string(v)
	lower(v) in {"false", "no"}
}

# Off, or absent where off is the platform's default.
off(v) if v == null

off(v) if no(v)

given(v) if {
	v != null
	not unresolved(v)
}

list(v) := v if {
	is_array(v)
} else := [] if {
	v == null
} else := [v]

# Blocks or objects called `name`, with their paths; those that are not known are left out.
blocks(v, name) := [{"value": block, "path": sprintf("%s.%d", [name, i])} |
	some i, block in v[name]
	is_object(block)
	not unresolved(block)
] if {
	is_array(object.get(v, name, null))
}

blocks(v, name) := [{"value": v[name], "path": name}] if {
	is_object(object.get(v, name, null))
	not unresolved(v[name])
}

number(v) := v if is_number(v)

number(v) := to_number(v) if {
	is_string(v)
	regex.match(`^-?[0-9]{1,9}$`, v)
}

# Text that is surely in the value: a string, or the source of an expression. Only for patterns that are certain in both.
certain_text(v) := v if is_string(v)

certain_text(v) := v.unresolved if unresolved(v)
