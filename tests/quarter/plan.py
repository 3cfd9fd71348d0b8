"""A made period in plain numbers: what happened where, by whom and when. Nothing here knows secgate.

Times are seconds since 1970 in UTC, digests and fingerprints are hex. `planted` are the deviations that were meant, as
(assertion, item, exception); `spared` are items that come close to one and are none, as (assertion, item).
"""

from __future__ import annotations

from dataclasses import dataclass

HOUR, DAY = 3600, 86400
MACHINE = "machine:ci"
LANES = ("sast", "dependencies", "iac", "secrets", "workflows")


@dataclass(frozen=True)
class Person:
    """Somebody of people.toml."""

    id: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tool:
    """A scanner's part in a run. `rules` and `data` are the dates of its rules and advisories, 0 for none."""

    scanner: str
    lanes: tuple[str, ...]
    status: str = "completed"
    rules: int = 0
    data: int = 0
    named: bool = True
    """Whether its advisories have a digest; one that asks an index has none."""


@dataclass(frozen=True)
class Look:
    """A lane of a run: whether it had files, and what was not covered."""

    lane: str
    needed: bool = True
    gaps: int = 0


@dataclass(frozen=True)
class Run:
    """A run of the gate, recorded at `at`."""

    name: str
    repository: str
    at: int
    line: str = "main"
    scope: str = "protected"
    commit: str = ""
    tree: str = ""
    artifacts: tuple[str, ...] = ()
    outcome: str = "pass"
    mode: str = "enforce"
    override: str = ""
    dirty: bool = False
    partial: bool = False
    folder: str = ""
    looks: tuple[Look, ...] = ()
    tools: tuple[Tool, ...] = ()
    record: str = "whole"
    """What became of its document: whole, missing or differs."""
    inventory: str = ""
    """What became of the inventory of its tree: kept, or lost; "" for one that was never taken."""


@dataclass(frozen=True)
class Duty:
    """A time to be closed in: due at start + limit. `taken_back` is when a downgrade ended it, 0 for never.

    `taken_by` is the exemption that is named for it, "" for one that nobody ever asked for.
    """

    recorded: int
    start: int
    limit: int
    basis: str
    taken_back: int = 0
    taken_by: str = ""


@dataclass(frozen=True)
class Finding:
    """A weakness on a line: opened, closed and seen again in turns, perhaps renamed, edited or found to be worse."""

    name: str
    repository: str
    fingerprint: str
    severity: str
    opened: int
    duties: tuple[Duty, ...] = ()
    closed: tuple[int, ...] = ()
    again: tuple[int, ...] = ()
    lane: str = "sast"
    line: str = "main"
    episode: int = 1
    text: str = ""
    scanners: tuple[str, ...] = ("bandit",)
    advisory: str = ""
    package: str = ""
    version: str = ""
    renamed: int = 0
    renamed_to: str = ""
    edited: int = 0
    edited_to: str = ""
    raised: int = 0
    raised_to: str = ""
    merged: int = 0
    """When it became a part of `into`, a finding by name; 0 for never."""
    into: str = ""
    split: int = 0
    """When it was told apart from `origin`, whose clock and duties it has; 0 for one that was found by itself."""
    origin: str = ""


@dataclass(frozen=True)
class Approval:
    """An approval of `by`; `key` is whose key really signed it."""

    by: str
    key: str
    at: int


@dataclass(frozen=True)
class Exemption:
    """A waiver, or with `lowered_to` a downgrade, of one finding or of an advisory on a package.

    `severity`, `values` and `scanners` are what it is bound to.
    """

    name: str
    repository: str
    requester: str
    key: str
    requested: int
    expires: int
    severity: str
    approvals: tuple[Approval, ...] = ()
    reason: str = "behind a login"
    finding: str = ""
    advisory: str = ""
    package: str = ""
    values: tuple[str, ...] = ()
    scanners: tuple[str, ...] = ("bandit",)
    revoked: int = 0
    lowered_to: str = ""
    kind: str = "accept"


@dataclass(frozen=True)
class Review:
    """A second person's word for an override."""

    by: str
    key: str
    at: int
    word: str = "justified"


@dataclass(frozen=True)
class Override:
    """Break-glass for a line, or for one commit of it."""

    name: str
    repository: str
    by: str
    key: str
    given: int
    until: int
    line: str = "main"
    commit: str = ""
    reason: str = "the shop is down"
    reviews: tuple[Review, ...] = ()


@dataclass(frozen=True)
class GateReview:
    """Somebody's word that they reviewed a part of the gate in a ledger, from `start` until before `end`."""

    ledger: str
    by: str
    key: str
    part: str
    start: int
    end: int
    at: int


@dataclass(frozen=True)
class Revocation:
    """Somebody's word, told `at`, that a secret which was found was revoked."""

    repository: str
    fingerprint: str
    by: str
    key: str
    revoked: int
    at: int


@dataclass(frozen=True)
class Notice:
    """A channel was told `at` that a finding, by the name that it had then, had reached a stage."""

    repository: str
    fingerprint: str
    at: int
    stage: str = "overdue"
    line: str = "main"
    episode: int = 1


@dataclass(frozen=True)
class Binding:
    """An artefact was bound to a run `at`; `key` is whose key signed that."""

    run: str
    artifact: str
    at: int
    key: str = MACHINE


@dataclass(frozen=True)
class GateChange:
    """Another policy, scanner, rule pack or mode than before."""

    name: str
    repository: str
    at: int
    what: str


@dataclass(frozen=True)
class Deployment:
    """A row of the list of deployments."""

    repository: str
    name: str
    at: int
    commit: str = ""
    tree: str = ""
    artifacts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """A row of the list of merged changes; approvals are (who, when, whether a machine)."""

    repository: str
    name: str
    author: str
    at: int
    approvals: tuple[tuple[str, int, bool], ...] = ()


@dataclass(frozen=True)
class Release:
    """A row of the list of artefacts."""

    repository: str
    name: str
    digest: str
    at: int
    commit: str = ""


@dataclass(frozen=True)
class Patch:
    """A row of the list of patches: `version` of a package, which mends an advisory, came out."""

    advisory: str
    package: str
    version: str
    at: int


@dataclass(frozen=True)
class InScope:
    """A row of the list of repositories; 0 for no such end."""

    repository: str
    infrastructure: bool = True
    start: int = 0
    until: int = 0


Row = Deployment | Change | Release | InScope | Patch


@dataclass(frozen=True)
class Import:
    """A list as it was taken, in this order; it says that it holds all from `start` until before `end`."""

    kind: str
    extracted: int
    rows: tuple[Row, ...]
    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class Checkpoint:
    """Head of a ledger as it was at `at`, kept elsewhere. `signer` is whose key signed it."""

    name: str
    ledger: str
    at: int
    signer: str = MACHINE


@dataclass(frozen=True)
class Plan:
    """All of it. `begun` is when the ledgers begin; `rewritten` and `cut` are ledgers that somebody tampered with."""

    seed: int
    start: int
    end: int
    begun: int
    ledgers: dict[str, tuple[str, ...]]
    """Repositories by ledger."""
    people: tuple[Person, ...] = ()
    runs: tuple[Run, ...] = ()
    findings: tuple[Finding, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    overrides: tuple[Override, ...] = ()
    notices: tuple[Notice, ...] = ()
    bindings: tuple[Binding, ...] = ()
    gate_changes: tuple[GateChange, ...] = ()
    gate_reviews: tuple[GateReview, ...] = ()
    revocations: tuple[Revocation, ...] = ()
    imports: tuple[Import, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    rewritten: str = ""
    cut: str = ""
    in_git: str = ""
    """The ledger that is a ref of a repository; the others are files."""
    planted: frozenset[tuple[str, str, str]] = frozenset()
    spared: frozenset[tuple[str, str]] = frozenset()
    dismissed: frozenset[tuple[str, str]] = frozenset()


def key_of(finding: Finding) -> str:
    """Name a finding as evidence names it, before it is renamed."""
    return f"{finding.repository}/{finding.line}/{finding.fingerprint[:16]}/{finding.episode}"
