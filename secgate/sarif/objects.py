"""The `sarif_om` object model at the public boundary: `loads` and `dumps`.

The types come from a map generated from the schema of SARIF 2.1.0 (`types.json`), not from the object model, which was
made from an earlier draft and knows no types. Two faults of its usual serialiser are mended: a level that is set is
written though it equals the schema's default, since an absent one means the rule's (3.27.10); and what the model
calls `Suppression.state` is `status`, as the standard has it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import msgspec
from msgspec import Struct

from secgate.errors import UsageError
from secgate.escape import json_text
from secgate.sarif.stream import decode

if TYPE_CHECKING:
    from sarif_om import SarifLog

_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
"""What may be half of a surrogate pair; most documents have none."""
_UPPER = re.compile(r"(?<=[a-z0-9])([A-Z])")
_SCALARS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
# The attributes of the model that are not the JSON name in snake case.
_ATTRIBUTES = {("sarifLog", "$schema"): "schema_uri", ("suppression", "status"): "state"}


class PropertyType(Struct, frozen=True, forbid_unknown_fields=True):
    """What a property holds: a scalar, a definition of the schema or a property bag, alone, in a list or in a map.

    `nullable` values may be null where they must be given. `noop` is the number that says that there is none, and is
    not written. `default` says that the model fills another value in where none is given.
    """

    type: str
    many: Literal["", "list", "map"] = ""
    required: bool = False
    nullable: bool = False
    noop: float | None = None
    default: bool = False


Types = dict[str, dict[str, PropertyType]]


def loads(data: bytes, *, name: str = "SARIF") -> SarifLog:
    """Read a SARIF 2.1.0 document as `sarif_om` objects; property bags are plain dicts. It is held in memory whole.

    What is absent is None, but for an index or a number of -1, which means the same: a default of the model would say
    what the document does not. `name` is used in messages. Raises UsageError, naming the JSON path, for what is not
    JSON or not Unicode, has an unknown or repeated property, lacks a required one, has one of another type, or is of
    another version.
    """
    value = decode(data, name=name)
    version = value.get("version") if isinstance(value, dict) else None
    if version != "2.1.0":
        _Fault(name).refuse("$.version", "not 2.1.0")
    try:
        if _HALF.search(data):
            json.dumps(value, ensure_ascii=False).encode()
        return _Reader(name).made("sarifLog", value, "$")
    except UnicodeEncodeError:
        _Fault(name).refuse("$", "a text that is not Unicode (half of a surrogate pair)")
    except RecursionError as error:
        raise UsageError("nested too deeply", place=name, remedy="write the file again") from error


def dumps(log: SarifLog) -> bytes:
    """Write `sarif_om` objects as one line of SARIF 2.1.0 with sorted keys: equal objects give equal bytes.

    What is said is written, a default too, so that bytes in this form, as secgate's own files are, come back as they
    were. Left out are None and an index or a number of -1, which says that there is none. An empty list is written:
    that no results were found is not that none were looked for. Raises UsageError for an attribute that the standard
    does not have, a required one that is None, or a value of another type.
    """
    try:
        writer = _Writer("SARIF")
        document = writer.plain("sarifLog", log, "$")
        if document["version"] != "2.1.0":
            writer.refuse("$.version", "not 2.1.0")
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
        return json_text(text.encode()) + b"\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(
            f"cannot be written as SARIF: {error}",
            place="SARIF",
            remedy="property bags hold JSON values only, keyed by texts, and no object holds itself",
        ) from error


@cache
def types() -> Types:
    """Give the type map: the schema's definitions, `sarifLog` for the document, each with its properties."""
    data = resources.files("secgate.sarif").joinpath("types.json").read_bytes()
    return msgspec.json.decode(data, type=Types)


def _attribute(kind: str, key: str) -> str:
    return _ATTRIBUTES.get((kind, key)) or _UPPER.sub(r"_\1", key).lower()


class _Fault:
    def __init__(self, name: str) -> None:
        self._name = name

    def refuse(self, path: str, reason: str) -> NoReturn:
        raise UsageError(
            f"not SARIF 2.1.0: {reason}", place=f"{self._name}: {path}", remedy="see section 3 of the standard"
        )

    def parts(self, known: PropertyType, value: Any, path: str) -> Iterator[tuple[Any, Any, str]]:
        """Give (key, value, path) of what a list or a map holds. Refuses any other type."""
        if known.many == "list":
            if not isinstance(value, list | tuple):
                self.refuse(path, "not a list")
            yield from ((at, one, f"{path}[{at}]") for at, one in enumerate(value))
            return
        if not isinstance(value, Mapping):
            self.refuse(path, "not an object")
        yield from ((key, one, f"{path}.{key}") for key, one in value.items())

    def scalar(self, kind: str, value: Any, path: str) -> Any:
        if not isinstance(value, _SCALARS[kind]) or (isinstance(value, bool) and kind != "boolean"):
            self.refuse(path, f"not of the type {kind}")
        return value


class _Reader(_Fault):
    """Makes objects of JSON values."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        import sarif_om

        self._classes: dict[str, Any] = {kind: getattr(sarif_om, kind[0].upper() + kind[1:]) for kind in types()}

    def made(self, kind: str, value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            self.refuse(path, "not an object")
        known = types()[kind]
        given: dict[str, Any] = {_attribute(kind, key): None for key, one in known.items() if one.default}
        for key, inner in value.items():
            # What the usual serialiser writes, and only instead of the right name.
            real = "status" if kind == "suppression" and key == "state" and "status" not in value else key
            if real not in known:
                self.refuse(f"{path}.{key}", "no such property")
            if inner is None and known[real].nullable:
                given[_attribute(kind, real)] = None
                continue
            given[_attribute(kind, real)] = self._value(known[real], inner, f"{path}.{key}")
        for key, one in known.items():
            if one.required and _attribute(kind, key) not in given:
                self.refuse(f"{path}.{key}", "absent, and required")
        return self._classes[kind](**given)

    def _value(self, known: PropertyType, value: Any, path: str) -> Any:
        one = PropertyType(known.type)
        if known.many == "list":
            return [self._value(one, inner, place) for _, inner, place in self.parts(known, value, path)]
        if known.many == "map":
            return {key: self._value(one, inner, place) for key, inner, place in self.parts(known, value, path)}
        if known.type == "propertyBag":
            return value if isinstance(value, dict) else self.refuse(path, "not an object")
        if known.type in _SCALARS:
            return self.scalar(known.type, value, path)
        return self.made(known.type, value, path)


class _Writer(_Fault):
    """Makes JSON values of objects."""

    def plain(self, kind: str, value: Any, path: str) -> dict[str, Any]:
        if type(value).__name__ != kind[0].upper() + kind[1:] or not type(value).__module__.startswith("sarif_om"):
            self.refuse(path, f"not a {kind} of sarif_om")
        known, document = types()[kind], dict[str, Any]()
        given = vars(value).copy()
        for key, one in known.items():
            inner = given.pop(_attribute(kind, key), None)
            if inner is None or (one.noop is not None and inner == one.noop):
                if one.required and not one.nullable:
                    self.refuse(f"{path}.{key}", "None, and required")
                if one.required:
                    document[key] = None
                continue
            document[key] = self._value(one, inner, f"{path}.{key}")
        if given:
            self.refuse(path, f"a {kind} has no {min(given)!r}")
        return document

    def _value(self, known: PropertyType, value: Any, path: str) -> Any:
        one = PropertyType(known.type)
        if known.many == "list":
            return [self._value(one, inner, place) for _, inner, place in self.parts(known, value, path)]
        if known.many == "map":
            return {key: self._value(one, inner, place) for key, inner, place in self.parts(known, value, path)}
        if known.type == "propertyBag":
            return self._bag(value, path)
        if known.type in _SCALARS:
            return self.scalar(known.type, value, path)
        return self.plain(known.type, value, path)

    def _bag(self, value: Any, path: str) -> dict[str, Any]:
        """Give a plain dict as it is; the model's own bag holds tags and nothing else."""
        if type(value).__name__ == "PropertyBag":
            return {} if value.tags is None else {"tags": list(value.tags)}
        if not isinstance(value, dict):
            self.refuse(path, "neither a dict nor a PropertyBag")
        if not all(isinstance(key, str) for key in value):
            self.refuse(path, "a key that is no text")
        return value
