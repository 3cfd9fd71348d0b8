"""What a ledger's entries mean: one Struct per event type and version.

The bodies are stored as JSON for as long as there are ledgers, so a version never changes its meaning: it may gain
optional fields, anything else is a new version. A type or version that this program does not know is kept and skipped
by every fold, never an error; a known one that does not read is. People are opaque ids here, and nothing comes from the
text of a scanned file but paths, symbols and rule names, masked before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from secgate.event import Event
from secgate.finding_facts import FindingFacts
from secgate.gate_events import GATE_EVENTS
from secgate.inventory import INVENTORY_EVENTS
from secgate.merkle import Envelope, unverified
from secgate.model import (
    Digest,
    Entry,
    Epoch,
    Fingerprint,
    Lane,
    LedgerEntry,
    ScanStatus,
    Scope,
    Severity,
    Source,
    Value,
    encode,
)
from secgate.notification import NOTIFICATION_EVENTS
from secgate.once import key_given_twice
from secgate.population import POPULATION_EVENTS
from secgate.signed_events import SIGNED_EVENTS, SignedEvent


class LedgerCreated(Event, frozen=True, kw_only=True):
    """The first entry. `provisional`: made at first use, where nothing asked for a ledger."""

    TYPE: ClassVar[str] = "ledger-created"
    VERSION: ClassVar[int] = 1

    ledger_id: Digest
    """Tells one ledger from another in its place."""
    provisional: bool
    secgate_version: str
    tree: str = "rfc6962-sha256"


class LedgerAdopted(Event, frozen=True, kw_only=True):
    """A provisional ledger was made the one that counts, on purpose and by somebody."""

    TYPE: ClassVar[str] = "ledger-adopted"
    VERSION: ClassVar[int] = 1

    secgate_version: str
    actor: str = ""
    reason: str = ""


class RunTool(Value, frozen=True, kw_only=True):
    """A scanner's part in a run, as far as a later run must compare with it.

    `data_epoch_s` tells how new its advisories were; 0 where it has none.
    """

    scanner: str
    lanes: tuple[Lane, ...]
    status: ScanStatus
    version: str = ""
    tool_digest: str = ""
    rule_pack: str = ""
    rule_pack_digest: str = ""
    rule_pack_epoch_s: Epoch = 0
    options_digest: str = ""
    advisories_digest: str = ""
    data_epoch_s: Epoch = 0


class LaneCount(Value, frozen=True, kw_only=True):
    """One lane's coverage in numbers; the gaps are in the run document."""

    lane: Lane
    asked: bool
    needed: bool
    offered: Epoch
    covered: Epoch
    failed: Epoch
    unsupported: Epoch
    gaps: Epoch


class Run(Event, frozen=True, kw_only=True):
    """A run of the gate, and everything that decides whether another one may be compared with it.

    `complete` is true only if the run looked at the whole target, ended, and every tool of it completed. `settled` are
    the lanes in which the run starts and closes clocks; () for a run that touches none. Every open finding of a settled
    lane was seen, closed, or is in `unseen`: it stays open, since the run could not have seen it. `clock_back_s` is by
    how much the machine's clock lay behind the ledger's last entry.
    """

    TYPE: ClassVar[str] = "run"
    VERSION: ClassVar[int] = 1

    run_id: str
    secgate_version: str
    repository: str
    line: str
    scope: Scope
    scope_basis: str
    kind: str
    prefix: str
    source: Source
    ref: str
    event: str
    provider: str
    commit: str
    tree: str
    base_commit: str
    base_ref: str
    dirty: bool
    shallow: bool
    partial: bool
    """Only what a change touches was looked at."""
    artifacts: tuple[str, ...] = ()
    actor: str = ""
    author: str = ""
    reviewers: tuple[str, ...] = ()
    complete: bool
    provisional: bool
    lanes: tuple[Lane, ...]
    coverage: tuple[LaneCount, ...]
    tools: tuple[RunTool, ...]
    tools_digest: Digest
    outcome: str
    """"" when the run ended before a decision."""
    outcomes: tuple[str, ...] = ()
    mode: str = ""
    override: str = ""
    """The override that was in force, "" for none."""
    profile: str = ""
    words: Mapping[str, int] = {}
    """Number of finding verdicts by word."""
    severities: Mapping[str, Epoch] = {}
    """Number of findings by severity, each named; {} for a run from before it was recorded."""
    engine: str = ""
    policy_digests: Mapping[str, Digest] = {}
    enforced_digest: str = ""
    config_digest: str = ""
    mapping_versions: tuple[str, ...] = ()
    """Of the files of the control mapping, in their order; () for a run from before it was recorded."""
    mapping_digest: str = ""
    input_digest: str = ""
    document_digest: Digest
    evaluated_epoch_s: Epoch
    clock_back_s: Epoch = 0
    settled: tuple[Lane, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether it was of all of a clean tree: of no folder alone, and of more than what a change touches."""
        return not (self.dirty or self.partial or self.prefix)


class FindingEvent(Event, frozen=True, kw_only=True):
    """Ground of the events about one finding. `line` is the branch or deployment that its clock belongs to."""

    run_id: str
    repository: str
    line: str
    episode: Annotated[int, Meta(ge=1)] = 1


class FindingOpened(FindingEvent, frozen=True, kw_only=True):
    """A clock starts. `state` is the finding's against the base: also `unchanged`, for code older than the ledger."""

    TYPE: ClassVar[str] = "finding-opened"
    VERSION: ClassVar[int] = 1

    finding: FindingFacts
    start_epoch_s: Epoch
    state: str
    previous_closed_epoch_s: Epoch = 0
    """When the episode before this one was closed; 0 for the first."""


class FindingSeenAgain(FindingEvent, frozen=True, kw_only=True):
    """A finding is back within the window of its episode: its first clock goes on."""

    TYPE: ClassVar[str] = "finding-seen-again"
    VERSION: ClassVar[int] = 1

    finding: FindingFacts
    start_epoch_s: Epoch
    closed_epoch_s: Epoch


class FindingChanged(FindingEvent, frozen=True, kw_only=True):
    """Facts of an open finding are others now: `changes` names them, `finding` holds all as they are from here on."""

    TYPE: ClassVar[str] = "finding-changed"
    VERSION: ClassVar[int] = 1

    finding: FindingFacts
    changes: tuple[str, ...]
    previous_severity: Severity


class FindingClosed(FindingEvent, frozen=True, kw_only=True):
    """A comparable run did not see it. `basis`: `absent`, `path-gone`, `text-gone`, or `retired`.

    `retired`: the signed map (`retirement`, its digest) says that nothing that saw it is used any more.
    """

    TYPE: ClassVar[str] = "finding-closed"
    VERSION: ClassVar[int] = 1

    fingerprint: str
    algorithm: str
    basis: str
    commit: str
    retirement: str = ""


class FindingAliased(FindingEvent, frozen=True, kw_only=True):
    """A known finding has another fingerprint from here on; the former one stays its alias.

    `basis`: `algorithm` for another algorithm, `matched` where matching found it again.
    """

    TYPE: ClassVar[str] = "finding-aliased"
    VERSION: ClassVar[int] = 1

    fingerprint: str
    algorithm: str
    former: Fingerprint
    basis: str


class FindingMerged(FindingEvent, frozen=True, kw_only=True):
    """Another known finding is part of this one from here on: its names, its duties and the earlier of both clocks."""

    TYPE: ClassVar[str] = "finding-merged"
    VERSION: ClassVar[int] = 1

    fingerprint: str
    algorithm: str
    absorbed: Fingerprint
    start_epoch_s: Epoch
    """The earlier of the two."""


class FindingSplit(FindingEvent, frozen=True, kw_only=True):
    """Part of a known finding is one of its own from here on, with the clock and the duties of the whole."""

    TYPE: ClassVar[str] = "finding-split"
    VERSION: ClassVar[int] = 1

    finding: FindingFacts
    origin: Fingerprint
    start_epoch_s: Epoch


class ObligationAdded(FindingEvent, frozen=True, kw_only=True):
    """A duty with its time: due at start + limit, never loosened. Source: SLA semantics, rules 5 and 14."""

    TYPE: ClassVar[str] = "obligation"
    VERSION: ClassVar[int] = 1

    fingerprint: str
    algorithm: str
    basis: str
    start_epoch_s: Epoch
    limit_s: Epoch
    policy_digest: str


class ObligationSuperseded(FindingEvent, frozen=True, kw_only=True):
    """A duty that counts no longer, by an approval before it was due. Source: SLA semantics, rule 7.

    `downgrade` is the id of what was approved and `approved_epoch_s` its ledger time; "" and 0 for known debt.
    """

    TYPE: ClassVar[str] = "obligation-superseded"
    VERSION: ClassVar[int] = 1

    fingerprint: str
    algorithm: str
    basis: str
    start_epoch_s: Epoch
    limit_s: Epoch
    policy_digest: str
    downgrade: str = ""
    approved_epoch_s: Epoch = 0


class BaselineRecorded(Event, frozen=True, kw_only=True):
    """A signed list of known debt. From this entry's time on what it names has limits of its own.

    `kind`: `statement`, made by `secgate baseline write`; `sarif`, a file of another tool; `sarif-digest`, such a file
    by its digest, and the line that says it is what was signed. The signature is a blob, and so is what was signed, but
    for a `sarif`: a file of another tool may hold secrets, so what it lists (`list_digest`) is kept instead.
    """

    TYPE: ClassVar[str] = "baseline"
    VERSION: ClassVar[int] = 1

    repository: str
    line: str
    kind: str
    author: str
    key: str
    statement_digest: Digest
    signature_digest: Digest
    limits_s: Mapping[str, Epoch]
    findings: Epoch
    run_id: str = ""
    list_digest: str = ""


_EVENTS: tuple[type[Event], ...] = (
    LedgerCreated,
    LedgerAdopted,
    Run,
    *GATE_EVENTS,
    FindingOpened,
    FindingSeenAgain,
    FindingChanged,
    FindingClosed,
    FindingAliased,
    FindingMerged,
    FindingSplit,
    ObligationAdded,
    ObligationSuperseded,
    BaselineRecorded,
    *INVENTORY_EVENTS,
    *POPULATION_EVENTS,
    *SIGNED_EVENTS,
    *NOTIFICATION_EVENTS,
)

EVENTS: Mapping[tuple[str, int], type[Event]] = MappingProxyType(
    {(event.TYPE, event.VERSION): event for event in _EVENTS}
)
"""Every event that this version reads, by type and version."""


_NAMES_A_BLOB = (
    *("document_digest", "input_digest", "checkpoint_digest", "statement_digest", "signature_digest"),
    *("list_digest", "rows_digest", "inventory_digest"),
)
"""Fields of events whose digest is a blob's."""
_BLOB_FIELDS: Mapping[type[Event], tuple[str, ...]] = MappingProxyType(
    {event: tuple(name for name in _NAMES_A_BLOB if name in event.__struct_fields__) for event in _EVENTS}
)


def blobs_of(event: Event) -> Iterator[Digest]:
    """Give the digests of the blobs that an event names. Of another tool's list none is kept but what it lists."""
    for name in _BLOB_FIELDS[type(event)]:
        digest: Digest = getattr(event, name)
        if digest and not (
            name == "statement_digest" and isinstance(event, BaselineRecorded) and event.kind == "sarif"
        ):
            yield digest


def to_entry(event: Event) -> Entry:
    """Give the event as it is handed to a ledger."""
    return Entry(type=event.TYPE, version=event.VERSION, body=encode(event))


def event_of(entry: Envelope | LedgerEntry) -> Event | None:
    """Give the event of an entry, or None for a type or version that this program does not know.

    Raises LedgerError if the type is known and its body is not what that version says, if it or the statement that it
    holds gives a key twice, or if it is no JSON at all.
    """
    known = EVENTS.get((entry.type, entry.version))
    try:
        said = msgspec.json.decode(entry.body) if known is None else msgspec.json.decode(entry.body, type=known)
        twice = key_given_twice(bytes(entry.body), said)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unverified(entry.sequence, f"as a `{entry.type}` event it does not read: {error}") from error
    if not twice and isinstance(said, SignedEvent):
        twice = _twice_in(said.statement)
    if twice:
        raise unverified(
            entry.sequence, f"it gives the key {twice!r} twice, so that what it says is the reader's choice"
        )
    return None if known is None else said


def _twice_in(statement: str) -> str:
    """Give a key that something signed has twice; what is no JSON is for its own reader to refuse."""
    try:
        return key_given_twice(statement.encode())
    except (ValueError, RecursionError):
        return ""
