"""Lists from outside: deployments, repositories, releases, merged changes with who agreed, patches with their dates.

The gate cannot say of itself that it saw everything; whoever deploys, or keeps the repositories, can. Rows are kept
with opaque ids in place of names, as one blob by its digest, beside an event that says where they come from.
Source: notes on compliance, section 3, row 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar, Literal, NamedTuple, TypeAlias, get_args

import msgspec

from secgate.event import Event
from secgate.model import Digest, Epoch, Value, encode
from secgate.ports import PopulationKind

KINDS: tuple[PopulationKind, ...] = get_args(PopulationKind)
UNDATED: frozenset[PopulationKind] = frozenset({"repositories", "patches"})
"""Lists of no period: they are as of their extraction."""


class Deployment(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something went to an environment: `commit`, `tree` and `artifacts` as far as the source says."""

    repository: str
    name: str
    """The source's own id of it, once in a repository."""
    environment: str
    commit: str = ""
    tree: str = ""
    artifacts: tuple[str, ...] = ()
    deployed_epoch_s: Epoch
    actor: str = ""

    @property
    def at_epoch_s(self) -> int:
        """When it counts."""
        return self.deployed_epoch_s


class RepositoryInScope(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A repository that the gate should have looked at, from a time until another; 0 for no such end."""

    repository: str
    name: str = ""
    infrastructure: bool = True
    """Whether it declares infrastructure; where nobody says, it counts as if it did."""
    from_epoch_s: Epoch = 0
    until_epoch_s: Epoch = 0

    @property
    def at_epoch_s(self) -> int:
        """A list of repositories is as of its extraction."""
        return 0


class ReleasedArtifact(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that was built and given out, by its digest."""

    repository: str
    name: str
    digest: str
    commit: str = ""
    released_epoch_s: Epoch

    @property
    def at_epoch_s(self) -> int:
        """When it counts."""
        return self.released_epoch_s


class Approval(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody agreed to a change. `machine`: an account that is no person's."""

    reviewer: str
    approved_epoch_s: Epoch
    machine: bool = False


class Change(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change that was merged, and who agreed to it; () for nobody."""

    repository: str
    name: str
    author: str
    merged_epoch_s: Epoch
    commit: str = ""
    approvals: tuple[Approval, ...] = ()

    @property
    def at_epoch_s(self) -> int:
        """When it counts."""
        return self.merged_epoch_s


class PatchRelease(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A version of a package that mends an advisory came out. It is of no repository, and of no period."""

    advisory: str
    ecosystem: str
    package: str
    version: str
    released_epoch_s: Epoch

    @property
    def repository(self) -> str:
        """Of none."""
        return ""

    @property
    def name(self) -> str:
        """What it mends, and what one installs."""
        return f"{self.advisory} {self.ecosystem}/{self.package}@{self.version}"

    @property
    def at_epoch_s(self) -> int:
        """A list of patches is as of its extraction."""
        return 0


Row: TypeAlias = Deployment | RepositoryInScope | ReleasedArtifact | Change | PatchRelease
ROWS: Mapping[PopulationKind, type[Row]] = MappingProxyType(
    {
        "deployments": Deployment,
        "repositories": RepositoryInScope,
        "artifacts": ReleasedArtifact,
        "reviews": Change,
        "patches": PatchRelease,
    }
)


class PopulationImported(Event, frozen=True, kw_only=True):
    """A list from outside was taken in; its rows (`rows_digest`) are a blob.

    `source` and `query` say in words where it comes from and how it was asked for. It holds everything of the period
    from `from_epoch_s` until before `to_epoch_s` (0 and 0 for a list as of `extracted_epoch_s`), of `repositories` and
    `environments`, () for all. Of `read` records `left_out` were not taken, by reason.
    """

    TYPE: ClassVar[str] = "population-imported"
    VERSION: ClassVar[int] = 1

    kind: PopulationKind
    form: str
    source: str
    query: str
    extracted_epoch_s: Epoch
    from_epoch_s: Epoch = 0
    to_epoch_s: Epoch = 0
    repositories: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    source_digest: Digest
    rows_digest: Digest
    rows: Epoch
    read: Epoch
    left_out: Mapping[str, int] = {}
    unknown_people: Epoch = 0
    """How many of the people in it people.toml does not know; two of them may be one person."""
    actor: str = ""
    secgate_version: str

    def is_again(self, other: PopulationImported) -> bool:
        """Tell whether this says of the same rows of the same file what another one said already."""

        def said(one: PopulationImported) -> tuple[object, ...]:
            whole = (one.from_epoch_s, one.to_epoch_s, one.repositories, one.environments)
            return (one.kind, one.source_digest, one.rows_digest, *whole)

        return said(self) == said(other)


POPULATION_EVENTS: tuple[type[Event], ...] = (PopulationImported,)
"""All of them."""


class _Stored(Value, frozen=True, kw_only=True):
    schema: Literal["secgate/population"]
    version: Literal[1]
    kind: PopulationKind
    rows: tuple[msgspec.Raw, ...]


def stored(kind: PopulationKind, rows: Sequence[Row]) -> bytes:
    """Give the bytes that are kept, rows sorted by their key."""
    ordered = sorted(rows, key=lambda row: (row.repository, row.name))
    return encode({"schema": "secgate/population", "version": 1, "kind": kind, "rows": ordered})


def read_stored(data: bytes) -> tuple[Row, ...]:
    """Give the rows of a blob. Raises msgspec.DecodeError for what is none."""
    read = msgspec.json.decode(data, type=_Stored)
    return tuple(msgspec.json.decode(row, type=ROWS[read.kind]) for row in read.rows)


class Imported(NamedTuple):
    """An import as the ledger has it: its event with the entry's number and time, and its rows."""

    event: PopulationImported
    sequence: int
    at_epoch_s: int
    rows: tuple[Row, ...]


class Joined(NamedTuple):
    """The rows of all imports of one kind. Of one key the last import counts; `changed` are keys that it changed."""

    imports: tuple[Imported, ...]
    rows: tuple[Row, ...]
    changed: tuple[str, ...]

    def missing(self, start_epoch_s: int, end_epoch_s: int) -> tuple[tuple[str, int, int], ...]:
        """Give what of a period no import holds, as (repository, from, to).

        The repository is "" where it is missing of all; where imports name repositories, each is looked at alone.
        """
        if all(not one.event.to_epoch_s for one in self.imports):
            return ()
        names = sorted({name for one in self.imports for name in one.event.repositories})
        whole = [one for one in self.imports if not one.event.repositories]
        found = []
        for name in [""] if whole else names:
            of_name = [one for one in self.imports if name in one.event.repositories] + whole
            spans = sorted((one.event.from_epoch_s, one.event.to_epoch_s) for one in of_name)
            found += [(name, start, end) for start, end in _gaps(spans, start_epoch_s, end_epoch_s)]
        return tuple(found)


def joined(imports: Iterable[Imported]) -> Joined:
    """Put imports of one kind together, in the ledger's order: rows are added and replaced, never taken away."""
    taken = tuple(imports)
    rows: dict[tuple[str, str], Row] = {}
    changed: list[str] = []
    for one in taken:
        for row in one.rows:
            key = (row.repository, row.name)
            if rows.get(key, row) != row:
                changed.append(key_of(row))
            rows[key] = row
    return Joined(taken, tuple(rows[key] for key in sorted(rows)), tuple(dict.fromkeys(changed)))


def key_of(row: Row) -> str:
    """Give the stable key of a row, as people and reports name it."""
    return "#".join(filter(None, (row.repository, row.name)))


def _gaps(spans: Sequence[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    found = []
    at = start
    for one_start, one_end in spans:
        if one_start > at:
            found.append((at, min(one_start, end)))
        at = max(at, one_end)
        if at >= end:
            break
    if at < end:
        found.append((at, end))
    return [(one, other) for one, other in found if one < other]
