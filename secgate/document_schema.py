"""The JSON Schemas of what `--format json` writes, made of the very types that are written.

A document names its form in `format`: a name, and a version within which it grows by additions alone. So a schema
refuses nothing that it does not know, and what is written today is valid under what is printed tomorrow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from secgate.comparison import Comparison
from secgate.custody import AnswerTold
from secgate.deadlines import Deadlines
from secgate.evidence import Metrics, PeriodEvidence
from secgate.exception_import import ImportTold
from secgate.explanation import Explanation
from secgate.notifying import Notified
from secgate.reporters.json import RunReport
from secgate.story import Story


class Document(NamedTuple):
    """What a command writes: the name in `format`, the form of what stands under `key`, and flags beside it."""

    command: str
    form: str
    kind: type
    key: str = "told"
    flags: tuple[str, ...] = ()


DIALECT = "https://json-schema.org/draft/2020-12/schema"
DOCUMENTS: Mapping[str, Document] = {
    "explain": Document("explain", "secgate-explanation", Explanation),
    "history": Document("history", "secgate-history", Story),
    "diff": Document("diff", "secgate-diff", Comparison),
    "sla": Document("sla", "secgate-sla", Deadlines),
    "notify": Document("notify", "secgate-notified", Notified),
    "import": Document("import", "secgate-import", ImportTold, flags=("signed",)),
    "attest": Document("attest verify", "secgate-attestation", AnswerTold),
    "evidence": Document("evidence check", "secgate-evidence", PeriodEvidence, "evidence"),
    "metrics": Document("metrics", "secgate-metrics", Metrics, "metrics"),
}
"""Name of a schema -> what it is of. A run's whole document is a form of its own."""
VERSION = 1


def names() -> tuple[str, ...]:
    """Give the names of schemas; each is a command, or the first word of one."""
    return ("run", *DOCUMENTS)


def document_schema(name: str) -> dict[str, Any]:
    """Give the schema (2020-12) of what a command writes. Raises KeyError for a command of which there is none."""
    head = {"$schema": DIALECT, "$id": f"https://secgate.invalid/schema/{name}-{VERSION}.json"}
    if name == "run":
        return {**head, "title": "secgate run --format json", **msgspec.json.schema(RunReport)}
    one = DOCUMENTS[name]
    (told,), parts = msgspec.json.schema_components([one.kind], ref_template="#/$defs/{name}")
    is_form = {
        "type": "object",
        "required": ["name", "version"],
        "properties": {"name": {"const": one.form}, "version": {"const": VERSION}},
    }
    flags = {flag: {"type": "boolean"} for flag in one.flags}
    return {
        **head,
        "title": f"secgate {one.command} --format json",
        "type": "object",
        "required": ["format", *flags, one.key],
        "properties": {"format": is_form, **flags, one.key: told},
        "$defs": parts,
    }
