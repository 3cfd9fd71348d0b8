"""The JSON Schemas of what `--format json` writes, made of the very types that are written.

A document names its form in `format`: a name, and a version within which it grows by additions alone. So a schema
refuses nothing that it does not know, and what is written today is valid under what is printed tomorrow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from secgate.comparison import Comparison
from secgate.deadlines import Deadlines
from secgate.explanation import Explanation
from secgate.notifying import Notified
from secgate.reporters.json import RunReport
from secgate.story import Story

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TOLD: Mapping[str, tuple[str, type]] = {
    "explain": ("secgate-explanation", Explanation),
    "history": ("secgate-history", Story),
    "diff": ("secgate-diff", Comparison),
    "sla": ("secgate-sla", Deadlines),
    "notify": ("secgate-notified", Notified),
}
"""Command -> the name in `format`, and what stands under `told`."""
VERSION = 1


def names() -> tuple[str, ...]:
    """Give the commands whose JSON has a schema."""
    return ("run", *TOLD)


def document_schema(name: str) -> dict[str, Any]:
    """Give the schema (2020-12) of what a command writes. Raises KeyError for a command of which there is none."""
    head = {"$schema": DIALECT, "$id": f"https://secgate.invalid/schema/{name}-{VERSION}.json"}
    if name == "run":
        return {**head, "title": "secgate run --format json", **msgspec.json.schema(RunReport)}
    form, kind = TOLD[name]
    (told,), parts = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    is_form = {
        "type": "object",
        "required": ["name", "version"],
        "properties": {"name": {"const": form}, "version": {"const": VERSION}},
    }
    return {
        **head,
        "title": f"secgate {name} --format json",
        "type": "object",
        "required": ["format", "told"],
        "properties": {"format": is_form, "told": told},
        "$defs": parts,
    }
