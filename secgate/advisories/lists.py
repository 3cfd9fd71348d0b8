"""What is known of a CVE's exploitation: CISA's list of the known-exploited, and EPSS scores, each in its own file.

Both come as published, over a network or by hand: sizes, counts and every row are checked, and a list replaces the one
before in one step. Sources: CISA, "Known Exploited Vulnerabilities Catalog" (JSON and CSV); FIRST, "EPSS Data and
Statistics" (CSV, gzip).
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import hashlib
import io
import math
import os
import re
import sqlite3
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple, Self

import msgspec

from secgate.errors import AdvisoryError, UsageError
from secgate.model import Value
from secgate.sla import many_entries

Kind = Literal["known-exploited", "epss"]

ADDRESSES: dict[Kind, str] = {
    "known-exploited": "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json",
    "epss": "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz",
}
"""Where each is published."""

_FORMAT = "1"
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entry (cve TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
_CVE = re.compile(r"CVE-[0-9]{4}-[0-9]{4,19}")
_MODEL = re.compile(r"v[0-9][0-9A-Za-z.]{0,31}")
_BLOCK = 1 << 16
_LONGEST_LINE = 1 << 20
_PER_QUERY = 500
_REMEDIES: dict[Kind, str] = {
    "known-exploited": "give CISA's catalogue as it is published, JSON or CSV",
    "epss": "give EPSS scores as they are published, epss_scores-YYYY-MM-DD.csv.gz",
}
_OPTIONS: dict[Kind, str] = {"known-exploited": "--kev", "epss": "--epss"}


class ListLimits(Value, frozen=True, kw_only=True):
    """Caps on a list. Past one nothing is taken in and the old list stays."""

    source_bytes: int = 128 * 1024**2
    text_bytes: int = 512 * 1024**2
    entries: int = 2_000_000
    rejected_share: float = 0.01


class ListInfo(Value, frozen=True, kw_only=True):
    """What a list says of itself. `digest` is that of the file it was read from.

    `model` is the one that made the scores, "" for a list without any.
    """

    kind: Kind
    count: int
    rejected: int
    published_epoch_s: int
    digest: str
    model: str = ""

    def age_s(self, now: datetime) -> int:
        """Give the seconds since it was published, at least 0; `now` is aware."""
        return max(0, int(now.timestamp()) - self.published_epoch_s)


class _Read(NamedTuple):
    """A file's rows, unchecked, and when and by what it was made."""

    rows: Iterable[tuple[object, object]]
    published_epoch_s: int
    model: str = ""


def list_path(kind: Kind, database: str) -> str:
    """Give where a list is kept: beside the advisory database."""
    return str(Path(database).with_name(f"{kind}.sqlite"))


def build_list(kind: Kind, source: str, destination: str, *, limits: ListLimits, shown: str = "") -> ListInfo:
    """Read the list in the file `source` (`shown` in messages) into `destination`, replacing an older one in one step.

    Raises UsageError for a file that is no such list or breaks a cap, AdvisoryError where it cannot be written; either
    way an older one stays.
    """
    target = Path(destination)
    data = _bytes_of(source, kind, limits)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{kind}-", suffix=".partial", dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise AdvisoryError(f"no list can be written beside {target.name}: {error.strerror}") from error
    try:
        with contextlib.closing(sqlite3.connect(name)) as connection:
            info = _fill(connection, kind, data, source=shown or source, limits=limits)
        Path(name).replace(target)
    except (OSError, sqlite3.Error) as error:
        raise AdvisoryError(f"the list cannot be written: {error}") from error
    finally:
        Path(name).unlink(missing_ok=True)
    return info


def _bytes_of(source: str, kind: Kind, limits: ListLimits) -> bytes:
    try:
        with Path(source).open("rb") as stream:
            data = stream.read(limits.source_bytes + 1)
    except OSError as error:
        raise UsageError(f"{source} cannot be read: {error.strerror}", remedy=_REMEDIES[kind]) from error
    if len(data) > limits.source_bytes:
        raise UsageError(f"{source} is larger than {limits.source_bytes} bytes", remedy=_REMEDIES[kind])
    return data


def _fill(connection: sqlite3.Connection, kind: Kind, data: bytes, *, source: str, limits: ListLimits) -> ListInfo:
    connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _SCHEMA)
    try:
        read = _catalogue(data, limits) if kind == "known-exploited" else _scores(data, limits)
        found, rejected, newest = _checked(kind, read.rows, limits)
    except (ValueError, csv.Error, zlib.error, EOFError, RecursionError) as error:
        # gzip.BadGzipFile is an OSError of its own, and is made a ValueError where it may come up.
        raise UsageError(f"{source}: {' '.join(str(error).split())[:200]}", remedy=_REMEDIES[kind]) from error
    total = len(found) + rejected
    if not found or rejected > limits.rejected_share * total:
        told = f"{rejected} of {total} entries cannot be read" if total else "there is no entry in it"
        raise UsageError(f"{source}: {told}", remedy=_REMEDIES[kind])
    info = ListInfo(
        kind=kind,
        count=len(found),
        rejected=rejected,
        published_epoch_s=read.published_epoch_s or newest,
        digest=hashlib.sha256(data).hexdigest(),
        model=read.model,
    )
    connection.executemany("INSERT INTO entry VALUES (?, ?)", sorted(found.items()))
    facts = {"format": _FORMAT, "info": msgspec.json.encode(info).decode()}
    connection.executemany("INSERT INTO meta VALUES (?, ?)", sorted(facts.items()))
    connection.commit()
    return info


def _checked(kind: Kind, rows: Iterable[tuple[object, object]], limits: ListLimits) -> tuple[dict[str, int], int, int]:
    """Give value by CVE, the number of rows that do not read, and the newest listing.

    Of two rows for one CVE the stricter counts: the earlier listing, the higher score.
    """
    found: dict[str, int] = {}
    rejected, newest = 0, 0
    value_of = _listed_epoch_s if kind == "known-exploited" else _ppm
    stricter = min if kind == "known-exploited" else max
    for number, (name, text) in enumerate(rows, 1):
        if number > limits.entries:
            raise ValueError(f"it has more than {limits.entries} entries")
        cve = name.strip().upper() if isinstance(name, str) else ""
        value = value_of(text) if isinstance(text, str) and _CVE.fullmatch(cve) else None
        if value is None:
            rejected += 1
            continue
        found[cve] = stricter(found.get(cve, value), value)
        newest = max(newest, value)
    return found, rejected, newest


def _listed_epoch_s(text: str) -> int | None:
    """Give the first second, in UTC, of the day on which something was listed."""
    try:
        return max(0, int(datetime.combine(date.fromisoformat(text.strip()), time(), UTC).timestamp()))
    except ValueError:
        return None


def _ppm(text: str) -> int | None:
    try:
        score = float(text)
    except ValueError:
        return None
    return round(score * 1_000_000) if math.isfinite(score) and 0.0 <= score <= 1.0 else None


# ----------------------------------------------------------------------------------------------------- known exploited


class _Item(Value, frozen=True, kw_only=True):
    """One entry of the catalogue, as far as it is used."""

    cve: object = msgspec.field(name="cveID", default="")
    added: object = msgspec.field(name="dateAdded", default="")


class _Catalogue(Value, frozen=True, kw_only=True):
    """The catalogue in JSON."""

    vulnerabilities: tuple[_Item, ...]
    released: str = msgspec.field(name="dateReleased", default="")
    count: int | None = None


def _catalogue(data: bytes, limits: ListLimits) -> _Read:
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        read = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=_Catalogue)
        if read.count is not None and read.count != len(read.vulnerabilities):
            raise ValueError(f"it says that it has {many_entries(read.count)}, and has {len(read.vulnerabilities):,}")
        released = _moment(read.released) if read.released else 0
        return _Read(((one.cve, one.added) for one in read.vulnerabilities), released)
    reader = csv.DictReader(_lines(io.BytesIO(data), limits))
    missing = {"cveID", "dateAdded"} - set(reader.fieldnames or ())
    if missing:
        raise ValueError(f"it has no column {min(missing)}")
    return _Read(((row["cveID"], row["dateAdded"]) for row in reader), 0)


# ---------------------------------------------------------------------------------------------------------------- EPSS


def _scores(data: bytes, limits: ListLimits) -> _Read:
    stream: BinaryIO = io.BytesIO(data)
    if data.startswith(b"\x1f\x8b"):
        stream = gzip.GzipFile(fileobj=stream)  # type: ignore[assignment] # it reads as one
    lines = _lines(stream, limits)
    facts = dict(part.strip().split(":", 1) for part in next(lines, "").lstrip("#").split(",") if ":" in part)
    model, scored = facts.get("model_version", ""), facts.get("score_date", "")
    if not _MODEL.fullmatch(model) or not scored:
        raise ValueError("its first line does not name model and date: `#model_version:...,score_date:...`")
    reader = csv.DictReader(lines)
    missing = {"cve", "epss"} - set(reader.fieldnames or ())
    if missing:
        raise ValueError(f"it has no column {min(missing)}")
    return _Read(((row["cve"], row["epss"]) for row in reader), _moment(scored), model)


def _lines(stream: BinaryIO, limits: ListLimits) -> Iterator[str]:
    """Give a text's lines without reading more than is allowed. Raises ValueError past that, or for other bytes."""
    size = 0
    rest = b""
    while True:
        try:
            block = stream.read(_BLOCK)
        except gzip.BadGzipFile as error:
            raise ValueError(str(error)) from error
        size += len(block)
        if size > limits.text_bytes:
            raise ValueError(f"its text is larger than {limits.text_bytes} bytes")
        *lines, rest = (rest + block).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            raise ValueError(f"it has a line of more than {_LONGEST_LINE} bytes")
        for line in lines:
            yield line.decode("utf-8-sig") + "\n"
        if not block:
            if rest:
                yield rest.decode("utf-8-sig")
            return


def _moment(text: str) -> int:
    """Give a published moment; one without a zone is in UTC. Raises ValueError for other text."""
    at = datetime.fromisoformat(text.strip())
    return max(0, int((at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()))


# ------------------------------------------------------------------------------------------------------------- reading


class CveList:
    """A list opened for reading. Close it, or use it in a `with` statement."""

    def __init__(self, kind: Kind, database: str) -> None:
        """Open the list that lies beside the advisory database. Raises AdvisoryError when it is absent or damaged."""
        path = Path(list_path(kind, database))
        self._remedy = f"run `secgate advisories update {_OPTIONS[kind]}`"
        if not path.is_file():
            raise AdvisoryError(f"there is no list `{kind}`", remedy=self._remedy)
        try:
            self._connection = sqlite3.connect(path.absolute().as_uri() + "?mode=ro&immutable=1", uri=True)
        except sqlite3.Error as error:
            raise AdvisoryError(f"the list `{kind}` cannot be opened: {error}", remedy=self._remedy) from error
        try:
            facts = dict(self._rows("SELECT key, value FROM meta", ()))
            if facts.get("format") != _FORMAT:
                raise AdvisoryError(f"the list `{kind}` has another format", remedy=self._remedy)
            self.info = msgspec.json.decode(str(facts.get("info", "")), type=ListInfo)
        except msgspec.DecodeError as error:
            self.close()
            raise AdvisoryError(f"the list `{kind}` does not say what it holds", remedy=self._remedy) from error
        except AdvisoryError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it."""
        self._connection.close()

    def values(self, names: Iterable[str]) -> dict[str, int]:
        """Give the value of each CVE that is listed: when it was listed, in UTC seconds, or its score in ppm."""
        wanted = sorted({name for name in names if _CVE.fullmatch(name)})
        found: dict[str, int] = {}
        for at in range(0, len(wanted), _PER_QUERY):
            some = tuple(wanted[at : at + _PER_QUERY])
            marks = ", ".join("?" * len(some))
            rows = self._rows(f"SELECT cve, value FROM entry WHERE cve IN ({marks})", some)  # noqa: S608 - marks alone
            found |= {str(cve): int(str(value)) for cve, value in rows}
        return found

    def _rows(self, statement: str, values: tuple[str, ...]) -> list[tuple[object, object]]:
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise AdvisoryError(f"a list cannot be read: {error}", remedy=self._remedy) from error
