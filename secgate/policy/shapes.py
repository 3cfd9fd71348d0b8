"""What a policy may refer to, as shapes: the input by its schema, data by its bytes, other modules by their rules."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from secgate.errors import InternalError

SET_WORDS = frozenset({"deny", "warn", "inconclusive", "obligations", "exempt"})
SUBJECT_WORDS = frozenset({"finding", "lane", "run", "gap", "reason", "remedy", "rule"})
OBLIGATION_WORDS = frozenset({"basis", "start_epoch_s", "limit_s", "expires_epoch_s"})
LIMIT_WORDS = frozenset({"name", "lanes", "path_classes", "exposures", "severity_s"})
"""Fields of data.limits.places, which may be empty and then has no shape of its own."""
SOURCE_WORDS = frozenset({"comments", "lanes", "severities", "names_rules", "reason_characters"})
"""Fields of data.suppressions.let_pass, which is empty as shipped."""
DEEPEST = 64
"""Levels of data that are told apart."""
ELEMENT_WORDS = SET_WORDS | SUBJECT_WORDS | OBLIGATION_WORDS
"""Names of the decision's sets and of what is in them: a rule may read back what another put into a set."""


class Shape(Struct, frozen=True, kw_only=True):
    """What can be asked of a value. `kind` any: nothing is known of it, but that it may have `fields`.

    `fields` of an object; an `is_open` object may be indexed by a computed key (data), a closed one may not (input).
    `items` of an array or set. `choices` of a string with a closed list of values, empty for any string. `type` of a
    plain value as JSON Schema calls it, empty where it is not known.
    """

    kind: str
    type: str = ""
    fields: Mapping[str, Shape] = {}
    items: Shape | None = None
    choices: frozenset[str] = frozenset()
    is_open: bool = False

    def at(self, key: str | None) -> Shape:
        """Give the shape below `key`; below any key or index for None."""
        if self.kind == "array" and key is None:
            return self.items or ANY
        if self.kind == "any" and key is not None:
            return self.fields.get(key, ANY)
        if self.kind != "object":
            return ANY
        return self.fields.get(key, ANY) if key is not None else _any_of(list(self.fields.values()))


ANY = Shape(kind="any")
SCALAR = Shape(kind="scalar")


class Vocabulary(Struct, frozen=True, kw_only=True):
    """The input's shape and every name in it; `words` serve where a value's shape is not known."""

    document: Shape
    words: frozenset[str]


def _any_of(shapes: list[Shape]) -> Shape:
    """Give one shape that has what any of `shapes` has; ANY where they are of different kinds."""
    if not shapes or len({shape.kind for shape in shapes}) != 1:
        return ANY
    if shapes[0].kind != "object":
        return shapes[0] if all(shape == shapes[0] for shape in shapes) else ANY
    return Shape(kind="object", fields={k: v for shape in shapes for k, v in shape.fields.items()}, is_open=True)


def load_vocabulary(input_schema: bytes) -> Vocabulary:
    """Read the vocabulary from policies/schema/input.json. Raises InternalError for a schema of another form."""
    try:
        schema = msgspec.json.decode(input_schema, type=dict[str, object])
        document = _from_schema(schema, _table(schema.get("$defs", {})))
    except (msgspec.DecodeError, KeyError) as error:
        raise InternalError(
            f"the input's schema cannot be read: {error}",
            remedy="reinstall secgate",
            place="policies/schema/input.json",
        ) from error
    return Vocabulary(document=document, words=frozenset(_names(document)) | ELEMENT_WORDS | LIMIT_WORDS | SOURCE_WORDS)


def _table(value: object) -> dict[str, object]:
    """Give `value` as the object it must be. Raises KeyError otherwise."""
    if not isinstance(value, dict):
        raise KeyError(f"an object is wanted, not {type(value).__name__}")
    return value


def _from_schema(node: Mapping[str, object], definitions: Mapping[str, object]) -> Shape:
    if isinstance(reference := node.get("$ref"), str):
        return _from_schema(_table(definitions[reference.removeprefix("#/$defs/")]), definitions)
    if node.get("type") == "object":
        fields = {name: _from_schema(_table(below), definitions) for name, below in _table(node["properties"]).items()}
        return Shape(kind="object", fields=fields)
    if node.get("type") == "array":
        return Shape(kind="array", items=_from_schema(_table(node["items"]), definitions))
    choices = node.get("enum")
    if isinstance(choices, list):
        return Shape(kind="scalar", type="string", choices=frozenset(str(choice) for choice in choices))
    return Shape(kind="scalar", type=str(node.get("type", "")))


def _names(shape: Shape) -> set[str]:
    names = set(shape.fields)
    for below in shape.fields.values():
        names |= _names(below)
    return names | _names(shape.items) if shape.items else names


def from_data(value: object, *, deepest: int = DEEPEST) -> Shape:
    """Give the shape of data from the data itself, down to `deepest` levels; of what lies below nothing is known.

    Objects are open: their keys are often values of the input.
    """
    if isinstance(value, dict | list) and deepest == 0:
        return ANY
    if isinstance(value, dict):
        fields = {str(key): from_data(one, deepest=deepest - 1) for key, one in value.items()}
        return Shape(kind="object", fields=fields, is_open=True)
    if isinstance(value, list):
        fields = _joined([from_data(one, deepest=deepest - 1) for one in value])
        return Shape(kind="array", items=Shape(kind="any", fields=fields))
    return SCALAR


def _joined(shapes: list[Shape]) -> dict[str, Shape]:
    """Give the fields that any of `shapes` has: items of a list may lack some, and differ in what is below."""
    fields: dict[str, Shape] = {}
    for shape in shapes:
        for name, below in shape.fields.items():
            known = fields.setdefault(name, below)
            if known != below:
                fields[name] = Shape(kind="any", fields=_joined([known, below]))
    return fields
