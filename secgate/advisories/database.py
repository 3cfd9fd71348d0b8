"""The local advisory database: questions about packages and about itself. Opened for reading only."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec
from packaging.utils import canonicalize_name

from secgate.advisories.build import FORMAT
from secgate.advisories.osv import Range, is_affected, parsed
from secgate.errors import AdvisoryError, UsageError
from secgate.model import Value

_REMEDY = "run `secgate advisories update`, or `secgate advisories import DUMP.zip`"


class Info(Value, frozen=True, kw_only=True):
    """What the database says of itself. `digest` is that of the dump it was built from."""

    count: int
    withdrawn: int
    rejected: int
    unmatchable: int
    newest_modified_epoch_s: int
    digest: str
    ecosystems: tuple[str, ...]

    def age_s(self, now: datetime) -> int:
        """Give the seconds from the newest `modified` to `now` (aware), at least 0."""
        return max(0, int(now.timestamp()) - self.newest_modified_epoch_s)


class Match(Value, frozen=True, kw_only=True):
    """An advisory that affects the version asked for.

    `fixed` are versions as the advisory writes them, lowest first.
    """

    id: str
    aliases: tuple[str, ...]
    title: str
    modified_epoch_s: int
    fixed: tuple[str, ...]


class Score(Value, frozen=True, kw_only=True):
    """The highest base score in an alias group. `score` is None where nobody gave one.

    `basis` is `cvss-3.0`, `cvss-3.1`, `unscored`, or `unscored-v4` where only a version 4 vector stands, which
    secgate does not compute.
    """

    score: float | None
    basis: str
    group: str


class Case(Value, frozen=True, kw_only=True):
    """What an alias group says beyond its score: every name in it, and the worst of its vectors."""

    names: tuple[str, ...]
    automatable: Literal["unknown", "yes", "no"]
    impact: Literal["unknown", "partial", "total"]


class Database:
    """A database opened for reading; safe to ask from several threads. Close it, or use it in a `with` statement."""

    def __init__(self, path: str) -> None:
        """Open the database at `path`. Raises AdvisoryError when it is absent, damaged or of another format."""
        self._lock = threading.Lock()
        if not Path(path).is_file():
            raise AdvisoryError("there is no advisory database", remedy=_REMEDY)
        try:
            address = Path(path).absolute().as_uri() + "?mode=ro&immutable=1"
            self._connection = sqlite3.connect(address, uri=True, check_same_thread=False)
        except sqlite3.Error as error:
            raise AdvisoryError(f"the advisory database cannot be opened: {error}", remedy=_REMEDY) from error
        try:
            self._facts = dict(self._connection.execute("SELECT key, value FROM meta"))
        except sqlite3.Error as error:
            self._connection.close()
            raise AdvisoryError(f"the advisory database cannot be read: {error}", remedy=_REMEDY) from error
        if self._facts.get("format") != FORMAT:
            self._connection.close()
            raise AdvisoryError("the advisory database has another format", remedy=_REMEDY)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close it; asking afterwards raises AdvisoryError."""
        with self._lock:
            self._connection.close()

    def info(self) -> Info:
        """Give count, age and origin. Raises AdvisoryError where those facts are not there."""
        try:
            return Info(
                count=int(self._facts["count"]),
                withdrawn=int(self._facts["withdrawn"]),
                rejected=int(self._facts["rejected"]),
                unmatchable=int(self._facts["unmatchable"]),
                newest_modified_epoch_s=int(self._facts["newest_modified_epoch_s"]),
                digest=self._facts["digest"],
                ecosystems=tuple(msgspec.json.decode(self._facts["ecosystems"], type=list[str])),
            )
        except (KeyError, ValueError, msgspec.DecodeError) as error:
            raise AdvisoryError("the advisory database does not say what it holds", remedy=_REMEDY) from error

    def query(self, ecosystem: str, name: str, version: str) -> tuple[Match, ...]:
        """Give the advisories that affect `version` of `name`, sorted by id, compared by PEP 440.

        Raises UsageError for another ecosystem than PyPI, whose order of versions is not known here, and for text
        that is no version.
        """
        if ecosystem != "PyPI":
            raise UsageError(f"versions of {ecosystem} cannot be compared", remedy="only PyPI is supported")
        wanted = parsed(version)
        if wanted is None:
            raise UsageError(f"{version[:100]!r} is not a version", remedy="give a PEP 440 version")
        rows = self._rows(
            "SELECT a.id, a.aliases, a.title, a.modified_epoch_s, f.versions, f.ranges, f.fixed FROM affected f"
            " JOIN advisory a ON a.id = f.advisory WHERE f.ecosystem = ? AND f.name = ? ORDER BY a.id",
            (ecosystem, str(canonicalize_name(name))),
        )
        found: dict[str, Match] = {}
        for identifier, aliases, title, modified, versions, ranges, fixed in rows:
            listed = msgspec.json.decode(str(versions), type=list[str])
            if not is_affected(wanted, listed, msgspec.json.decode(str(ranges), type=list[Range])):
                continue
            held = found[str(identifier)].fixed if str(identifier) in found else ()
            found[str(identifier)] = Match(
                id=str(identifier),
                aliases=tuple(msgspec.json.decode(str(aliases), type=list[str])),
                title=str(title),
                modified_epoch_s=int(str(modified)),
                fixed=_sorted({*held, *msgspec.json.decode(str(fixed), type=list[str])}),
            )
        return tuple(found.values())

    def scores(self, identifiers: Iterable[str]) -> dict[str, Score]:
        """Give the score of each identifier's alias group; identifiers that the database does not know are left out."""
        statement = (
            "SELECT g.score, g.basis, g.name FROM member m JOIN alias_group g ON g.name = m.alias_group WHERE m.id = ?"
        )
        found = {}
        for identifier in sorted(set(identifiers)):
            for score, basis, group in self._rows(statement, (identifier,)):
                number = float(score) if isinstance(score, (int, float)) else None
                found[identifier] = Score(score=number, basis=str(basis), group=str(group))
        return found

    def cases(self, identifiers: Iterable[str]) -> dict[str, Case]:
        """Give each identifier's alias group; identifiers that the database does not know are left out."""
        groups: dict[str, Case] = {}
        found: dict[str, Case] = {}
        for identifier in sorted(set(identifiers)):
            for (group,) in self._rows("SELECT alias_group FROM member WHERE id = ?", (identifier,)):
                name = str(group)
                if name not in groups:
                    groups[name] = self._case(name)
                found[identifier] = groups[name]
        return found

    def _case(self, group: str) -> Case:
        members = self._rows("SELECT id FROM member WHERE alias_group = ? ORDER BY id", (group,))
        facts = self._rows("SELECT automatable, impact FROM alias_group WHERE name = ?", (group,))
        names = tuple(str(name) for (name,) in members)
        try:
            return msgspec.convert({"names": names, "automatable": facts[0][0], "impact": facts[0][1]}, Case)
        except (IndexError, msgspec.ValidationError) as error:
            raise AdvisoryError("the advisory database does not hold together", remedy=_REMEDY) from error

    def _rows(self, statement: str, values: tuple[str, ...]) -> list[tuple[object, ...]]:
        try:
            with self._lock:
                return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise AdvisoryError(f"the advisory database cannot be read: {error}", remedy=_REMEDY) from error


def _sorted(versions: set[str]) -> tuple[str, ...]:
    """Give versions lowest first.

    Those that are no PEP 440 versions are left out, since nobody can compare with them.
    """
    known = {v: at for v in versions if (at := parsed(v)) is not None}
    return tuple(sorted(known, key=lambda v: (known[v], v)))
