"""What the pass and its reader say to each other, and what a check of the pack says of itself."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from secgate.model import Confidence, Severity

REPORT = "secgate/infrastructure-report"
REPORT_VERSION = 1

Text = Annotated[str, Meta(min_length=1, max_length=2000)]


class Listed(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of the view to look at, as one of its kinds."""

    path: str
    kind: str


class Metadata(Struct, frozen=True, forbid_unknown_fields=True):
    """A check's `metadata`: what its results mean. `weakness` is a name of `rules/crosswalk.json`."""

    id: Annotated[str, Meta(pattern=r"^IAC-[A-Z0-9]+(-[A-Z0-9]+)+$")]
    title: Text
    weakness: Annotated[str, Meta(pattern=r"^[a-z]+(-[a-z]+)*$")]
    cwes: list[Annotated[int, Meta(gt=0)]]
    severity: Severity
    score: Annotated[float, Meta(ge=0.0, le=10.0)]
    confidence: Confidence
    remedy: Text


class Check(Struct, frozen=True, forbid_unknown_fields=True):
    """A check: the last part of its package's name, and its metadata."""

    name: str
    metadata: Metadata


class Hit(Struct, frozen=True, forbid_unknown_fields=True):
    """One element of a check's `result`."""

    resource: str
    path: str
    line: Annotated[int, Meta(ge=1)]
    message: Text


class Told(Struct, frozen=True, forbid_unknown_fields=True):
    """A hit with the id of its check."""

    id: str
    resource: str
    path: str
    line: Annotated[int, Meta(ge=1)]
    message: Text


class FileAnswer(Struct, frozen=True, forbid_unknown_fields=True):
    """One listed file: `problem` is "" when it was read in full and every check saw it."""

    path: str
    kind: str
    problem: str


class Report(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that the pass says."""

    schema: Annotated[str, Meta(pattern=f"^{REPORT}$")]
    version: Annotated[int, Meta(ge=REPORT_VERSION, le=REPORT_VERSION)]
    checks: list[Check]
    files: list[FileAnswer]
    results: list[Told]


class Shaped(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file's documents in the shapes of Conftest; `problem` is why it could not be read in full, "" if it could."""

    path: str
    documents: list[Any]
    problem: str
