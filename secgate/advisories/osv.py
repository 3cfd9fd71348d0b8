"""One advisory in OSV form: its schema as far as secgate relies on it, and what it affects.

Source: Open Source Vulnerability schema 1.7, `affected[].ranges[].events` ("Evaluation") and `affected[].versions`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
from packaging.version import InvalidVersion, Version

from secgate.model import Value

MAX_TEXT = 500


class Event(Value, frozen=True, kw_only=True):
    """One event of a range; exactly one field is set."""

    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None
    limit: str | None = None


class Range(Value, frozen=True, kw_only=True):
    """A range of versions, of type ECOSYSTEM, SEMVER or GIT."""

    type: str
    events: tuple[Event, ...] | None = None


class Severity(Value, frozen=True, kw_only=True):
    """A severity vector, of type CVSS_V2, CVSS_V3, CVSS_V4 or others."""

    type: str
    score: str


class AffectedPackage(Value, frozen=True, kw_only=True):
    """A package in an ecosystem."""

    ecosystem: str
    name: str


class Affected(Value, frozen=True, kw_only=True):
    """What an advisory affects of one package."""

    package: AffectedPackage | None = None
    ranges: tuple[Range, ...] | None = None
    versions: tuple[str, ...] | None = None
    severity: tuple[Severity, ...] | None = None


class Advisory(Value, frozen=True, kw_only=True):
    """An OSV record; fields that secgate does not use are left unread."""

    id: str
    modified: datetime
    published: datetime | None = None
    withdrawn: datetime | None = None
    schema_version: str | None = None
    aliases: tuple[str, ...] | None = None
    summary: str | None = None
    details: str | None = None
    severity: tuple[Severity, ...] | None = None
    affected: tuple[Affected, ...] | None = None

    @property
    def title(self) -> str:
        """The summary, else the beginning of the details, in one line."""
        flat = " ".join((self.summary or self.details or "").split())
        return flat if len(flat) <= MAX_TEXT else flat[: MAX_TEXT - 1] + "…"

    @property
    def vectors(self) -> tuple[Severity, ...]:
        """All severities, those of single packages included."""
        inner = (s for a in self.affected or () for s in a.severity or ())
        return (*(self.severity or ()), *inner)


def decode(data: bytes) -> Advisory:
    """Read one record. Raises ValueError with a short reason for what is not one.

    `modified` must be an aware time: a record without a time zone is refused, since age is computed from it.
    """
    try:
        record = msgspec.json.decode(data, type=Advisory)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(" ".join(str(error).split())[:200]) from error
    if not record.id or len(record.id) > 200 or not record.id.isprintable():
        raise ValueError("its `id` is not an identifier")
    if record.schema_version is not None and record.schema_version.split(".")[0] != "1":
        raise ValueError(f"its schema version {record.schema_version[:20]} is not 1")
    if record.modified.tzinfo is None:
        raise ValueError("its `modified` names no time zone")
    return record


def parsed(text: str) -> Version | None:
    """Give the PEP 440 version of `text`, None where it is none."""
    try:
        return Version(text) if len(text) <= 200 else None
    except InvalidVersion:
        return None


def is_affected(version: Version, versions: Sequence[str], ranges: Sequence[Range]) -> bool:
    """Tell whether `version` is listed or lies in a range. Ranges of type GIT say nothing about versions.

    A local part (`1.0+cpu`) is a build of the public version and affected with it. What cannot be compared counts
    against the version: an odd `introduced` is the first version, an odd `fixed` fixes nothing.
    """
    public = Version(version.public)
    listed = {parsed(v) for v in versions}
    if version in listed or public in listed or str(version) in versions:
        return True
    return any(_in_range(public, r.events or ()) for r in ranges if r.type in ("ECOSYSTEM", "SEMVER"))


def _in_range(version: Version, events: Sequence[Event]) -> bool:
    limits = [e.limit for e in events if e.limit is not None]
    if limits and not any(_before_limit(version, limit) for limit in limits):
        return False
    affected = False
    for at, kind in sorted(_ordered(events), key=lambda e: (e[0] is not None, e[0] or Version("0"), e[1])):
        if kind == "introduced" and (at is None or version >= at):
            affected = True
        elif at is not None and ((kind == "fixed" and version >= at) or (kind == "last_affected" and version > at)):
            affected = False
    return affected


def _before_limit(version: Version, limit: str) -> bool:
    at = parsed(limit)
    return limit == "*" or at is None or version < at


def _ordered(events: Sequence[Event]) -> Iterator[tuple[Version | None, str]]:
    """Give (version, kind) of each event; None stands for the first version of all."""
    for event in events:
        if event.introduced is not None:
            yield (None if event.introduced == "0" else parsed(event.introduced)), "introduced"
        for kind, text in (("fixed", event.fixed), ("last_affected", event.last_affected)):
            at = parsed(text) if text is not None else None
            if at is not None:
                yield at, kind
