"""Narrow untyped TOML and JSON.

What has another shape than expected reads as absent or raises a fault, never an AttributeError.
"""

from __future__ import annotations

from collections.abc import Mapping

from secgate.manifests.manifest import MAX_ENTRIES, ManifestFault


def table(value: object) -> Mapping[str, object]:
    """Give `value` where it is a table with text keys, else an empty one."""
    return value if isinstance(value, dict) else {}


def array(value: object) -> list[object]:
    """Give `value` where it is an array, else an empty one.

    Raises ManifestFault(`too-many`) past the cap on entries.
    """
    if not isinstance(value, list):
        return []
    if len(value) > MAX_ENTRIES:
        raise ManifestFault("too-many", f"{len(value)} entries, the cap is {MAX_ENTRIES}")
    return value


def text(value: object) -> str:
    """Give `value` where it is text, else ""."""
    return value if isinstance(value, str) else ""


def dig(value: object, *keys: str) -> object:
    """Give the value at `keys` in nested tables, or None."""
    for key in keys:
        value = table(value).get(key)
    return value


def want_table(value: object, what: str) -> Mapping[str, object]:
    """Give `value`, which must be a table. Raises ManifestFault(`shape`)."""
    if not isinstance(value, dict):
        raise ManifestFault("shape", f"{what} is not a table")
    return value


def want_array(value: object, what: str) -> list[object]:
    """Give `value`, which must be an array. Raises ManifestFault(`shape`, `too-many`)."""
    if not isinstance(value, list):
        raise ManifestFault("shape", f"{what} is not an array")
    return array(value)


def want_text(value: object, what: str, line: int = 0) -> str:
    """Give `value`, which must be text that is not empty. Raises ManifestFault(`shape`)."""
    if not isinstance(value, str) or not value:
        raise ManifestFault("shape", f"{what} is not text", line)
    return value
