"""Records of a population as a source gives them, text by name, made into rows: strictly, every fault with its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from packaging.utils import canonicalize_name

from secgate.attest import ARTIFACT
from secgate.people import UNKNOWN, People
from secgate.population import Approval, Change, Deployment, PatchRelease, ReleasedArtifact, RepositoryInScope, Row
from secgate.population_text import Element, Faults
from secgate.ports import PopulationKind, PopulationReading, PopulationRecord
from secgate.purl import PYPI, parse

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*")
_FORMULA = ("=", "+", "-", "@")
_LONGEST = 300
_MARKS = {";": "semicolons", "\t": "tabs", "|": "bars"}
"""What others put between cells instead of a comma."""
_YES = {"yes": True, "true": True, "no": False, "false": False}


class Columns(NamedTuple):
    """The names that a record of a kind must have, and may have."""

    needed: tuple[str, ...]
    allowed: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.needed, *self.allowed)


COLUMNS: Mapping[PopulationKind, Columns] = MappingProxyType(
    {
        "deployments": Columns(
            ("repository", "id", "environment", "deployed_at"), ("commit", "tree", "artifacts", "actor")
        ),
        "repositories": Columns(("repository",), ("infrastructure", "from", "until")),
        "artifacts": Columns(("repository", "id", "digest", "released_at"), ("commit",)),
        "reviews": Columns(
            ("repository", "id", "author", "merged_at"), ("commit", "reviewer", "approved_at", "machine")
        ),
        "patches": Columns(("advisory", "patch", "released_at")),
    }
)


class Scope(NamedTuple):
    """What an import holds: times from `start_epoch_s` until before `end_epoch_s` (0 and 0: not said), and where.

    `extracted_epoch_s` is when it was taken.
    """

    extracted_epoch_s: int
    start_epoch_s: int = 0
    end_epoch_s: int = 0
    repositories: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()


class Rows(NamedTuple):
    """Rows with opaque ids, the number of people nobody knows, and what was left out, by reason."""

    rows: tuple[Row, ...]
    unknown_people: int
    left_out: Mapping[str, int]


def rows_of(
    kind: PopulationKind, reading: PopulationReading, *, scope: Scope, people: People, provider: str, place: str
) -> Rows:
    """Make rows of what a source gave. `provider` is whose account names its people have, "" for none.

    Raises ConfigError with every fault: a text that is none of its kind, a time without a zone, a key that is there
    twice, a row outside of what the import says to hold.
    """
    faults = Faults(place)
    maker = _Maker(faults, _Names(people, provider))
    left_out = dict(reading.left_out)
    rows: dict[tuple[str, str], tuple[int, Row]] = {}
    for record in reading.records:
        if scope.environments and record.fields.get("environment", "") not in scope.environments:
            left_out["another environment"] = left_out.get("another environment", 0) + 1
            continue
        row = _MAKERS[kind](maker, record)
        if row is not None:
            _check_scope(row, record.line, scope, faults)
            _take(row, record.line, rows, faults)
    faults.raise_any()
    return Rows(tuple(row for _, row in rows.values()), maker.names.unknown, left_out)


def _take(row: Row, line: int, rows: dict[tuple[str, str], tuple[int, Row]], faults: Faults) -> None:
    key = (row.repository, row.name)
    if key not in rows:
        rows[key] = (line, row)
        return
    first, known = rows[key]
    if isinstance(row, Change) and isinstance(known, Change):
        told = (row.author, row.merged_epoch_s, row.commit)
        if told != (known.author, known.merged_epoch_s, known.commit):
            faults.add(line, f"another author, time or commit than the same change has in line {first}", "export again")
        elif not row.approvals or set(row.approvals) & set(known.approvals):
            faults.add(line, f"it says again what line {first} says", "take one of them out")
        else:
            approvals = tuple(sorted((*known.approvals, *row.approvals), key=lambda one: one.approved_epoch_s))
            rows[key] = (first, _with(known, approvals))
        return
    named = f"`{row.name}`" if row.name else f"`{row.repository}`"
    faults.add(line, f"{named} is there already, in line {first}", "take one of them out: a key is there once")


def _with(change: Change, approvals: tuple[Approval, ...]) -> Change:
    return Change(
        repository=change.repository,
        name=change.name,
        author=change.author,
        merged_epoch_s=change.merged_epoch_s,
        commit=change.commit,
        approvals=approvals,
    )


def _check_scope(row: Row, line: int, scope: Scope, faults: Faults) -> None:
    if scope.end_epoch_s and not scope.start_epoch_s <= row.at_epoch_s < scope.end_epoch_s:
        faults.add(line, "its time is outside of what --from and --to say", "widen them, or export that time alone")
    if isinstance(row, PatchRelease) and row.released_epoch_s > scope.extracted_epoch_s:
        faults.add(line, "it came out after --extracted-at", "list what is out already")
    if scope.repositories and row.repository not in scope.repositories:
        faults.add(line, f"`{row.repository}` is not among the --repository that were given", "name it too")


class _Names:
    """Ids for names: those of people.toml, else `unknown-1` and so on, in the order of a file."""

    def __init__(self, people: People, provider: str) -> None:
        self._people = people
        self._provider = provider
        self._strangers: dict[str, str] = {}

    @property
    def unknown(self) -> int:
        return len(self._strangers)

    def id_of(self, name: str) -> str:
        """Give who is meant: an id of people.toml, an account of the provider, `provider:account`, or an address."""
        provider, colon, handle = name.partition(":")
        person = self._people.by_email(name)
        if colon:
            person = self._people.by_handle(provider, handle)
        elif self._provider:
            person = self._people.by_handle(self._provider, name) or person
        else:
            person = self._people.person(name) or person
        if person is not None:
            return person.id
        return self._strangers.setdefault(name.lower(), f"{UNKNOWN}{len(self._strangers) + 1}")


class _Maker:
    """Makes rows of records, and notes what is wrong with each."""

    def __init__(self, faults: Faults, names: _Names) -> None:
        self._faults = faults
        self.names = names

    def deployment(self, record: PopulationRecord) -> Deployment | None:
        found = self._common(record, "deployments")
        artifacts = tuple(sorted(set(self._text(record, "artifacts").split())))
        if any(not ARTIFACT.fullmatch(one) for one in artifacts):
            self._fault(record, "`artifacts` has what is no digest", "sha256: and 64 hex digits, a space between two")
            found = False
        at = self._time(record, "deployed_at")
        commit, tree = self._hash(record, "commit"), self._hash(record, "tree")
        if found and not any(self._text(record, name) for name in ("commit", "tree", "artifacts")):
            self._fault(record, "nothing says what was deployed", "give a commit, a tree or a digest")
            found = False
        if not found or at is None or commit is None or tree is None:
            return None
        return Deployment(
            repository=record.fields["repository"],
            name=record.fields["id"],
            environment=record.fields["environment"],
            commit=commit,
            tree=tree,
            artifacts=artifacts,
            deployed_epoch_s=at,
            actor=self._who(record, "actor"),
        )

    def repository(self, record: PopulationRecord) -> RepositoryInScope | None:
        found = self._common(record, "repositories")
        infrastructure = self._yes(record, "infrastructure", otherwise=True)
        start, until = (self._time(record, name, optional=True) for name in ("from", "until"))
        if not found or infrastructure is None or start is None or until is None:
            return None
        return RepositoryInScope(
            repository=record.fields["repository"],
            infrastructure=infrastructure,
            from_epoch_s=start,
            until_epoch_s=until,
        )

    def artifact(self, record: PopulationRecord) -> ReleasedArtifact | None:
        found = self._common(record, "artifacts")
        digest = self._text(record, "digest")
        if digest and not ARTIFACT.fullmatch(digest):
            self._fault(record, "`digest` is no digest", "sha256: and 64 hex digits")
            found = False
        commit, at = self._hash(record, "commit"), self._time(record, "released_at")
        if not found or commit is None or at is None:
            return None
        return ReleasedArtifact(
            repository=record.fields["repository"],
            name=record.fields["id"],
            digest=digest,
            commit=commit,
            released_epoch_s=at,
        )

    def change(self, record: PopulationRecord) -> Change | None:
        found = self._common(record, "reviews")
        merged, commit = self._time(record, "merged_at"), self._hash(record, "commit")
        machine = self._yes(record, "machine", otherwise=False)
        author, reviewer = self._who(record, "author"), self._text(record, "reviewer")
        approved = self._time(record, "approved_at", optional=not reviewer)
        if not reviewer and approved:
            self._fault(record, "`approved_at` without a `reviewer`", "give both, or neither")
            found = False
        if not found or merged is None or commit is None or machine is None or approved is None:
            return None
        approvals = (
            (Approval(reviewer=self._who(record, "reviewer"), approved_epoch_s=approved, machine=machine),)
            if reviewer
            else ()
        )
        return Change(
            repository=record.fields["repository"],
            name=record.fields["id"],
            author=author,
            merged_epoch_s=merged,
            commit=commit,
            approvals=approvals,
        )

    def patch(self, record: PopulationRecord) -> PatchRelease | None:
        found = self._common(record, "patches")
        patch = parse(self._text(record, "patch"))
        if found and (patch is None or not patch.is_package or not patch.version):
            self._fault(record, "`patch` is no version of a package", "a package URL, such as pkg:pypi/jinja2@3.1.6")
            found = False
        at = self._time(record, "released_at")
        if not found or patch is None or at is None:
            return None
        return PatchRelease(
            advisory=self._text(record, "advisory").upper(),
            ecosystem=patch.ecosystem,
            package=str(canonicalize_name(patch.name)) if patch.ecosystem == PYPI else patch.name,
            version=patch.version,
            released_epoch_s=at,
        )

    # --------------------------------------------------------------------------------------------------- single fields

    def _fault(self, record: PopulationRecord, what: str, remedy: str) -> None:
        self._faults.add(record.line, what, remedy)

    def _common(self, record: PopulationRecord, kind: PopulationKind) -> bool:
        """Check every text for what none may hold, and that what is needed is there."""
        whole = True
        for name, text in record.fields.items():
            if text.startswith(_FORMULA):
                self._fault(record, f"`{name}` begins with `{text[0]}`, as formulas do", "export values, not formulas")
            elif not text.isprintable():
                self._fault(record, f"`{name}` holds what cannot be printed", "take it out")
            elif text != text.strip():
                self._fault(record, f"`{name}` has white space around it", "take it out")
            elif len(text) > _LONGEST and name != "artifacts":
                self._fault(record, f"`{name}` has more than {_LONGEST} characters", "export the value itself")
            else:
                continue
            whole = False
        for name in COLUMNS[kind].needed:
            if not record.fields.get(name):
                remedy = (
                    "name it with --repository, where all are of one" if name == "repository" else "every row needs it"
                )
                self._fault(record, f"`{name}` is empty", remedy)
                whole = False
        repository = record.fields.get("repository", "")
        if whole and ("://" in repository or "@" in repository or repository.endswith(".git")):
            self._fault(
                record, f"`repository` is an address: {repository}", "host/owner/name, as `secgate show` has it"
            )
            whole = False
        return whole

    def _text(self, record: PopulationRecord, name: str) -> str:
        return record.fields.get(name, "")

    def _who(self, record: PopulationRecord, name: str) -> str:
        text = self._text(record, name)
        return self.names.id_of(text) if text else ""

    def _hash(self, record: PopulationRecord, name: str) -> str | None:
        text = self._text(record, name)
        if not text or _COMMIT.fullmatch(text):
            return text
        self._fault(record, f"`{name}` is no object id of git", "all 40 or 64 hex digits, small letters")
        return None

    def _yes(self, record: PopulationRecord, name: str, *, otherwise: bool) -> bool | None:
        text = self._text(record, name)
        if not text or text in _YES:
            return _YES.get(text, otherwise)
        self._fault(record, f"`{name}` is `{text[:40]}`", "yes or no")
        return None

    def _time(self, record: PopulationRecord, name: str, *, optional: bool = False) -> int | None:
        """Give the UTC second that a time lies in; 0 for one that may be empty and is, None for a fault."""
        text = self._text(record, name)
        if not text:
            if not optional and name == "approved_at":
                self._fault(record, "`approved_at` is empty", "say when the reviewer approved")
            return 0 if optional else None
        try:
            given = datetime.fromisoformat(text) if _TIME.fullmatch(text) else None
            seconds = int(given.timestamp()) if given is not None and given.tzinfo is not None else -1
        except (ValueError, OverflowError):
            given, seconds = None, -1
        if given is None:
            self._fault(record, f"`{name}` is no time: {text[:40]}", "ISO 8601, such as 2026-11-03T14:05:09Z")
        elif given.tzinfo is None:
            self._fault(record, f"`{name}` has no zone: {text[:40]}", "end it in Z, or in an offset such as +01:00")
        elif seconds < 0:
            self._fault(record, f"`{name}` lies before 1970", "give the time that it happened")
        return seconds if seconds >= 0 else None


_MAKERS: Mapping[PopulationKind, Callable[[_Maker, PopulationRecord], Row | None]] = MappingProxyType(
    {
        "deployments": _Maker.deployment,
        "repositories": _Maker.repository,
        "artifacts": _Maker.artifact,
        "reviews": _Maker.change,
        "patches": _Maker.patch,
    }
)


def check_columns(kind: PopulationKind, names: Sequence[str], line: int, faults: Faults) -> None:
    """Note columns that are missing, unknown, or there twice."""
    known = COLUMNS[kind]
    for mark, word in _MARKS.items():
        if len(names) == 1 and mark in names[0] and set(known.needed) <= set(names[0].split(mark)):
            faults.add(line, f"its cells are separated by {word}", "save it with commas between cells")
            return
    for name in sorted({one for one in names if names.count(one) > 1}):
        faults.add(line, f"the column `{name}` is there twice", "take one out")
    for name in sorted(set(known.needed) - set(names)):
        faults.add(line, f"the column `{name}` is missing", f"{kind} have: {', '.join(known.all)}")
    for name in sorted(set(names) - set(known.all)):
        faults.add(line, f"there is no column `{name[:60]}`", f"{kind} have: {', '.join(known.all)}")


def provided(reading: PopulationReading, repositories: Sequence[str]) -> PopulationReading:
    """Give a reading whose records have the one repository that was named, where their source does not name any."""
    if len(repositories) != 1:
        return reading
    records = (
        record
        if record.fields.get("repository")
        else PopulationRecord(record.line, {**record.fields, "repository": repositories[0]})
        for record in reading.records
    )
    return reading._replace(records=tuple(records))


class Asked:
    """Values of an object of an interface, looked up by path; what is missing or of another type is noted."""

    def __init__(self, element: Element, faults: Faults) -> None:
        self._element = element
        self._faults = faults

    def text(self, *path: str, optional: bool = False) -> str:
        """Give a text, or a whole number as text; "" where there is none."""
        value: object = self._element.fields
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
            return str(value)
        if value is not None or not optional:
            told = "is missing" if value is None else "is no text"
            self._faults.add(self._element.line, f"`{'.'.join(path)}` {told}", "give the objects as the interface does")
        return ""

    def flag(self, *path: str) -> bool:
        """Tell whether something is `true`."""
        value: object = self._element.fields
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value is True

    def objects(self, name: str) -> tuple[Asked, ...]:
        """Give the objects of an array."""
        value = self._element.fields.get(name)
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self._faults.add(
                self._element.line, f"`{name}` is no array of objects", "give the objects as the interface does"
            )
            return ()
        return tuple(Asked(Element(self._element.line, one), self._faults) for one in value)

    def fault(self, what: str, remedy: str) -> None:
        """Note what is wrong with it."""
        self._faults.add(self._element.line, what, remedy)

    def record(self, **fields: str) -> PopulationRecord:
        """Give its record."""
        return PopulationRecord(self._element.line, fields)
