"""Make the type map of `secgate.sarif.objects` from the schema of SARIF 2.1.0: `make golden` writes it anew."""

from __future__ import annotations

import json
from typing import Any

# The number by which the schema says that there is none.
NONE = -1


def type_map(schema: dict[str, Any]) -> str:
    """Give the map as text: each definition's properties, by name, with what they hold."""
    definitions = {"sarifLog": schema, **schema["definitions"]}
    found = {
        name: {
            key: property_type(one, required=key in definition.get("required", ()))
            for key, one in sorted(definition.get("properties", {}).items())
        }
        for name, definition in sorted(definitions.items())
        if name != "propertyBag"
    }
    return json.dumps(found, indent=1) + "\n"


def property_type(one: dict[str, Any], *, required: bool) -> dict[str, Any]:
    """Give what one property holds. Raises KeyError for a form that the schema did not have when this was written."""
    known: dict[str, Any] = {}
    if "items" in one:
        known = {"type": named(one["items"]), "many": "list"}
    elif isinstance(one.get("additionalProperties"), dict):
        known = {"type": named(one["additionalProperties"]), "many": "map"}
    else:
        known = {"type": named(one)}
    if required:
        known["required"] = True
    if "null" in one.get("type", ()):
        known["nullable"] = True
    if one.get("default") == NONE:
        known["noop"] = NONE
    elif one.get("default") not in (None, [], False):
        known["default"] = True
    return known


def named(one: dict[str, Any]) -> str:
    """Give the name of a definition or of a scalar type."""
    if "$ref" in one:
        return str(one["$ref"]).removeprefix("#/definitions/")
    if "enum" in one and "type" not in one:
        return "string"
    return {"string": "string", "integer": "integer", "number": "number", "boolean": "boolean"}[one["type"]]
