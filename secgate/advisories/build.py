"""Builds the advisory database from an OSV dump: a zip archive or a folder of JSON files.

The dump comes from a network or a carrier: sizes, counts and every record are checked, nothing is unpacked to disk.
Records that are withdrawn are counted and left out; records that cannot be read are named, and too many of them
refuse the whole dump.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

import msgspec
from packaging.utils import canonicalize_name

from secgate.advisories.cvss import base_score, is_automatable, is_total
from secgate.advisories.osv import Advisory, Affected, decode
from secgate.errors import AdvisoryError, UsageError
from secgate.model import Value

FORMAT = "2"
"""Format of the database; another one is built anew."""

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE advisory (
    id TEXT PRIMARY KEY, modified_epoch_s INTEGER NOT NULL, title TEXT NOT NULL, aliases TEXT NOT NULL,
    score REAL, basis TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE member (id TEXT PRIMARY KEY, alias_group TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE alias_group (
    name TEXT PRIMARY KEY, score REAL, basis TEXT NOT NULL, automatable TEXT NOT NULL, impact TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX member_by_group ON member (alias_group);
CREATE TABLE affected (
    ecosystem TEXT NOT NULL, name TEXT NOT NULL, advisory TEXT NOT NULL,
    versions TEXT NOT NULL, ranges TEXT NOT NULL, fixed TEXT NOT NULL
);
CREATE INDEX affected_by_name ON affected (ecosystem, name);
"""
_BATCH = 1 << 20
_REMEDY = "give an OSV dump: a zip archive of JSON files, or their folder"


class ImportLimits(Value, frozen=True, kw_only=True):
    """Caps on a dump. Past one the import ends with an error and the old database stays."""

    source_bytes: int = 2 * 1024**3
    entry_bytes: int = 16 * 1024**2
    total_bytes: int = 8 * 1024**3
    entries: int = 2_000_000
    rejected_share: float = 0.01


class ImportReport(Value, frozen=True, kw_only=True):
    """What an import took in. `rejected` names the records that could not be read, with the reason, at most 50.

    `unmatchable` counts records that name neither versions nor ranges of versions, so that no version can be compared
    with them.
    """

    count: int
    withdrawn: int
    unmatchable: int
    rejected: tuple[tuple[str, str], ...]
    rejected_count: int
    newest_modified_epoch_s: int
    digest: str
    ecosystems: tuple[str, ...]


def build(source: str, destination: str, *, now: datetime, limits: ImportLimits) -> ImportReport:
    """Build the database at `destination` from the dump at `source`, replacing an older one in one step.

    `now` is aware; a `modified` more than a day later is not believed when the age is computed. Raises UsageError for
    a source that is no dump or breaks a cap, AdvisoryError where the database cannot be written; either way an older
    one stays.
    """
    target = Path(destination)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".advisories-", suffix=".partial", dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise AdvisoryError(f"no database can be written beside {target.name}: {error.strerror}") from error
    try:
        with contextlib.closing(sqlite3.connect(name)) as connection:
            report = _fill(connection, source, now=now, limits=limits)
        Path(name).replace(target)
    except (OSError, sqlite3.Error) as error:
        raise AdvisoryError(f"the advisory database cannot be written: {error}") from error
    finally:
        Path(name).unlink(missing_ok=True)
    return report


def _fill(connection: sqlite3.Connection, source: str, *, now: datetime, limits: ImportLimits) -> ImportReport:
    connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _SCHEMA)
    writer = _Writer(connection, now)
    digest = hashlib.sha256()
    for name, data in _records(source, digest, limits):
        writer.add(name, data)
    report = writer.report(digest.hexdigest())
    seen = report.count + report.withdrawn + report.rejected_count
    if seen == 0:
        raise UsageError(f"{source} holds no advisories", remedy=_REMEDY)
    if report.rejected_count > limits.rejected_share * seen:
        name, why = report.rejected[0]
        raise UsageError(
            f"{source}: {report.rejected_count} of {seen} records cannot be read, first {name}: {why}",
            remedy=_REMEDY,
        )
    writer.finish(report)
    connection.commit()
    return report


class _Writer:
    """Takes records in one by one and keeps the alias groups (union-find over all names)."""

    def __init__(self, connection: sqlite3.Connection, now: datetime) -> None:
        self._connection = connection
        self._latest_s = int((now + timedelta(days=1)).timestamp())
        self._modified: dict[str, int] = {}
        self._parent: dict[str, str] = {}
        self._scores: dict[str, tuple[float | None, str]] = {}
        self._traits: dict[str, tuple[str, str]] = {}
        self._ecosystems: set[str] = set()
        self._withdrawn = 0
        self._unmatchable: set[str] = set()
        self._rejected: list[tuple[str, str]] = []
        self._rejected_count = 0

    def add(self, name: str, data: bytes) -> None:
        """Take in one record; of two with one id the later `modified` counts."""
        try:
            record = decode(data)
        except ValueError as error:
            self._rejected_count += 1
            if len(self._rejected) < 50:
                self._rejected.append((name, str(error)))
            return
        if record.withdrawn is not None:
            self._withdrawn += 1
            return
        modified = int(record.modified.timestamp())
        if self._modified.get(record.id, modified) > modified:
            return
        if record.id in self._modified:
            self._connection.execute("DELETE FROM affected WHERE advisory = ?", (record.id,))
        self._modified[record.id] = modified
        self._insert(record, modified)

    def _insert(self, record: Advisory, modified: int) -> None:
        aliases = sorted(set(record.aliases or ()) - {record.id})
        score, basis = _score(record)
        self._scores[record.id] = (score, basis)
        self._traits[record.id] = _traits(record)
        self._connection.execute(
            "INSERT OR REPLACE INTO advisory VALUES (?, ?, ?, ?, ?, ?)",
            (record.id, modified, record.title, _json(aliases), score, basis),
        )
        for alias in aliases:
            self._join(record.id, alias)
        rows = [row for one in record.affected or () if (row := _row(record.id, one)) is not None]
        self._connection.executemany("INSERT INTO affected VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._ecosystems.update(row[0] for row in rows)
        self._unmatchable.discard(record.id)
        if not rows:
            self._unmatchable.add(record.id)

    def _find(self, name: str) -> str:
        root = name
        while (above := self._parent.get(root, root)) != root:
            root = above
        while (above := self._parent.get(name, name)) != root:
            self._parent[name] = root
            name = above
        return root

    def _join(self, one: str, other: str) -> None:
        low, high = sorted((self._find(one), self._find(other)))
        self._parent[high] = low
        self._parent.setdefault(low, low)

    def report(self, digest: str) -> ImportReport:
        """Say what was taken in."""
        believed = [m for m in self._modified.values() if m <= self._latest_s]
        return ImportReport(
            count=len(self._modified),
            withdrawn=self._withdrawn,
            unmatchable=len(self._unmatchable),
            rejected=tuple(self._rejected),
            rejected_count=self._rejected_count,
            newest_modified_epoch_s=max(0, max(believed, default=0)),
            digest=digest,
            ecosystems=tuple(sorted(self._ecosystems)),
        )

    def finish(self, report: ImportReport) -> None:
        """Write the alias groups, each with the highest score in it, and the facts about the whole."""
        groups: dict[str, tuple[float | None, str]] = {}
        traits: dict[str, tuple[str, str]] = {}
        names = sorted({*self._modified, *self._parent})
        for name in names:
            group = self._find(name)
            held = groups.get(group, (None, "unscored"))
            groups[group] = max(held, self._scores.get(name, (None, "unscored")), key=_rank)
            traits[group] = _worse(traits.get(group, _UNKNOWN), self._traits.get(name, _UNKNOWN))
        execute = self._connection.executemany
        execute("INSERT INTO member VALUES (?, ?)", ((n, self._find(n)) for n in names))
        rows = ((name, *value, *traits[name]) for name, value in sorted(groups.items()))
        execute("INSERT INTO alias_group VALUES (?, ?, ?, ?, ?)", rows)
        facts = {
            "format": FORMAT,
            "count": str(report.count),
            "withdrawn": str(report.withdrawn),
            "rejected": str(report.rejected_count),
            "unmatchable": str(report.unmatchable),
            "newest_modified_epoch_s": str(report.newest_modified_epoch_s),
            "digest": report.digest,
            "ecosystems": _json(list(report.ecosystems)),
        }
        execute("INSERT INTO meta VALUES (?, ?)", sorted(facts.items()))


_UNKNOWN = ("unknown", "unknown")
_WORSE = ("unknown", "no", "partial", "yes", "total")


def _traits(record: Advisory) -> tuple[str, str]:
    """Give whether exploiting it can be automated, and its technical impact, by the worst of its vectors."""
    worst = _UNKNOWN
    for one in record.vectors:
        automatable, total = is_automatable(one.score), is_total(one.score)
        if automatable is not None and total is not None:
            worst = _worse(worst, ("yes" if automatable else "no", "total" if total else "partial"))
    return worst


def _worse(one: tuple[str, str], other: tuple[str, str]) -> tuple[str, str]:
    automatable, impact = (max(pair, key=_WORSE.index) for pair in zip(one, other, strict=True))
    return automatable, impact


def _rank(value: tuple[float | None, str]) -> tuple[float, str]:
    return (-1.0 if value[0] is None else value[0], value[1])


def _score(record: Advisory) -> tuple[float | None, str]:
    """Give the highest v3 base score among a record's vectors with its basis, or None and why."""
    scored = [(s, f"cvss-{v.score[5:8]}") for v in record.vectors if (s := base_score(v.score)) is not None]
    if scored:
        return max(scored)
    newer = any(v.type == "CVSS_V4" for v in record.vectors)
    return None, "unscored-v4" if newer else "unscored"


def _row(advisory: str, affected: Affected) -> tuple[str, str, str, str, str, str] | None:
    """Give the row of one affected package, None where no version could be compared with it."""
    if affected.package is None:
        return None
    ranges = [r for r in affected.ranges or () if r.type in ("ECOSYSTEM", "SEMVER")]
    if not ranges and not affected.versions:
        return None
    fixed = sorted({e.fixed for r in ranges for e in r.events or () if e.fixed})
    package = affected.package
    name = str(canonicalize_name(package.name)) if package.ecosystem == "PyPI" else package.name
    return (package.ecosystem, name, advisory, _json(list(affected.versions or ())), _json(ranges), _json(fixed))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _records(source: str, digest: hashlib._Hash, limits: ImportLimits) -> Iterator[tuple[str, bytes]]:
    """Give (name, bytes) of each JSON file of the dump and feed `digest`.

    The archive's bytes, or each file's name and digest.
    """
    path = Path(source)
    try:
        if path.is_dir():
            yield from _from_folder(path, digest, limits)
        else:
            yield from _from_zip(path, digest, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise UsageError(f"{source} is not a readable zip archive: {error}", remedy="fetch it again") from error
    except FileNotFoundError as error:
        raise UsageError(f"{source} is not there", remedy=_REMEDY) from error


def _from_folder(folder: Path, digest: hashlib._Hash, limits: ImportLimits) -> Iterator[tuple[str, bytes]]:
    cap = _Cap(limits)
    for path in sorted(folder.rglob("*.json")):
        if path.is_symlink() or not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        with path.open("rb") as stream:
            data = cap.read(name, stream)
        digest.update(f"{name}\0{hashlib.sha256(data).hexdigest()}\n".encode())
        yield name, data


def _from_zip(path: Path, digest: hashlib._Hash, limits: ImportLimits) -> Iterator[tuple[str, bytes]]:
    with path.open("rb") as stream:
        read = 0
        while block := stream.read(_BATCH):
            read += len(block)
            if read > limits.source_bytes:
                raise UsageError(f"{path.name} is larger than {limits.source_bytes} bytes", remedy=_REMEDY)
            digest.update(block)
        cap = _Cap(limits)
        with zipfile.ZipFile(stream) as archive:
            for info in archive.infolist():
                if info.is_dir() or not info.filename.endswith(".json"):
                    continue
                # The size in the archive's directory is only a claim: what counts is what comes out.
                with archive.open(info) as entry:
                    yield info.filename, cap.read(info.filename, entry)


class _Cap:
    """Counts what was read against the limits."""

    def __init__(self, limits: ImportLimits) -> None:
        self._limits = limits
        self._entries = 0
        self._total = 0

    def read(self, name: str, stream: IO[bytes]) -> bytes:
        """Read one file to its end. Raises UsageError past a cap."""
        data = stream.read(self._limits.entry_bytes + 1)
        self._entries += 1
        self._total += len(data)
        for what, value, cap in (
            (f"{name!r} has", len(data), self._limits.entry_bytes),
            ("the dump has", self._total, self._limits.total_bytes),
            ("the dump's count of files is", self._entries, self._limits.entries),
        ):
            if value > cap:
                raise UsageError(f"{what} more than {cap}", remedy="give an OSV dump of the ecosystem")
        return data
