"""What a ledger's events add up to: findings with their clocks and duties per repository and line, and the runs.

A fold, in the order of the entries, that anybody can do again from entry 0; nothing of it is stored. `recall` and
`record` share it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from msgspec.structs import replace

from secgate.errors import LedgerError
from secgate.event import Event
from secgate.events import (
    BaselineRecorded,
    FindingAliased,
    FindingChanged,
    FindingClosed,
    FindingMerged,
    FindingOpened,
    FindingSeenAgain,
    FindingSplit,
    LedgerAdopted,
    LedgerCreated,
    ObligationAdded,
    ObligationSuperseded,
    Run,
    RunTool,
    event_of,
)
from secgate.gate_changes import GateState, is_gating, state_after
from secgate.gate_events import ArtefactBound
from secgate.inventory import InventoryStored
from secgate.merkle import EMPTY_ROOT
from secgate.model import (
    Digest,
    Head,
    KnownRun,
    KnownStatement,
    Lane,
    LedgerEntry,
    Obligation,
    ScanStatus,
    Value,
)
from secgate.notification import KnownNotification, NotificationSent
from secgate.population import PopulationImported
from secgate.ports import Ledger
from secgate.remembered import Remembered, merged, parted, seen_as
from secgate.run_facts import known_run
from secgate.signed_events import SignedEvent

EPISODE_WINDOW_S = 30 * 86400
"""Absent no longer than this and seen again is the same episode. Source: SLA semantics, rule 4."""

RunTools: TypeAlias = tuple[RunTool, ...]
"""The invocations of one scanner in one run."""


class KnownBaseline(Value, frozen=True, kw_only=True):
    """A list of known debt as it was recorded, and when; whether it counts is for its signature to say."""

    event: BaselineRecorded
    at_epoch_s: int


class KnownInventory(Value, frozen=True, kw_only=True):
    """The inventory that a run kept, and when; it is a blob."""

    event: InventoryStored
    at_epoch_s: int


class KnownPopulation(Value, frozen=True, kw_only=True):
    """A list from outside as it was imported, and when; its rows are a blob."""

    event: PopulationImported
    sequence: int
    at_epoch_s: int


def tools_for(tools: Mapping[tuple[Lane, str], RunTools], lane: Lane, scanner: str) -> RunTools:
    """Give what `scanner` was in a lane; () where it did not run.

    Of a scanner that saw what is of another lane than it serves, as one for code sees secrets, what it was in its own.
    """
    own = tools.get((lane, scanner))
    if own is not None:
        return own
    return tuple(tool for (_, name), found in sorted(tools.items()) if name == scanner for tool in found)


class Line:
    """Everything that is remembered of one line of one repository."""

    def __init__(self) -> None:
        self.findings: dict[str, Remembered] = {}
        """By current fingerprint, open and closed."""
        self._by_name: dict[str, str] = {}
        self._tools: dict[tuple[Lane, str], RunTools] = {}
        self._last_seen_with: dict[str, Mapping[tuple[Lane, str], RunTools]] = {}

    def find(self, names: Iterable[str]) -> Remembered | None:
        """Give the finding that is or was known by the first of `names` that is known at all."""
        for name in names:
            fingerprint = name if name in self.findings else self._by_name.get(name)
            if fingerprint is not None:
                return self.findings[fingerprint]
        return None

    def seen_with(self, fingerprint: str, lane: Lane, scanner: str) -> RunTools:
        """Give `scanner` as it was when the finding was last seen in a settled lane; () when it never was."""
        return tools_for(self._last_seen_with.get(fingerprint, self._tools), lane, scanner)

    def put(self, remembered: Remembered) -> None:
        """Take in a finding in place of what was known by its fingerprint."""
        own = remembered.facts.fingerprint
        self.findings[own] = remembered
        for name in remembered.names:
            # Both parts of what was split have the names of the whole: the one that had them keeps them.
            holder = self.findings.get(self._by_name.get(name.value, ""))
            if holder is None or holder is remembered or name not in holder.names:
                self._by_name[name.value] = own

    def follow(self, event: FindingAliased | FindingMerged | FindingSplit, *, sequence: int) -> None:
        """Take in that an identity goes on in another. Raises LedgerError if there is nothing that could."""
        match event:
            case FindingAliased():
                self._rename(event, sequence=sequence)
            case FindingMerged():
                self._merge(event, sequence=sequence)
            case FindingSplit():
                self._split(event, sequence=sequence)

    def _rename(self, event: FindingAliased, *, sequence: int) -> None:
        """Know a finding by another fingerprint from here on."""
        old = self.findings.pop(event.former.value, None)
        if old is None or event.fingerprint in self.findings:
            raise _impossible(sequence, event)
        facts = replace(old.facts, fingerprint=event.fingerprint, algorithm=event.algorithm)
        duties = tuple(replace(duty, finding=event.fingerprint) for duty in old.obligations)
        self._by_name.pop(event.fingerprint, None)
        self.put(replace(old, facts=facts, obligations=duties, former=(*old.former, event.former)))
        # Others may have had this name among theirs; it was its own.
        self._by_name[event.former.value] = event.fingerprint
        if event.former.value in self._last_seen_with:
            self._last_seen_with[event.fingerprint] = self._last_seen_with.pop(event.former.value)

    def _merge(self, event: FindingMerged, *, sequence: int) -> None:
        """Take one finding into another: the earlier clock counts, and all duties of both."""
        old, known = self.findings.get(event.absorbed.value), self.findings.get(event.fingerprint)
        if old is None or known is None or old is known:
            raise _impossible(sequence, event)
        del self.findings[event.absorbed.value]
        self._last_seen_with.pop(event.absorbed.value, None)
        self.put(merged(known, old, event))
        self._by_name[event.absorbed.value] = event.fingerprint

    def _split(self, event: FindingSplit, *, sequence: int) -> None:
        """Make a part of a finding one of its own, with the clock and the duties of the whole."""
        origin = self.find([event.origin.value])
        if origin is None or event.finding.fingerprint in self.findings:
            raise _impossible(sequence, event)
        self.put(parted(origin, event))

    def settle(self, run: Run) -> None:
        """Take in with which tools a run looked, for what it saw; what it did not see keeps what it was seen with."""
        lanes = set(run.settled)
        unseen = set(run.unseen)
        before = dict(self._tools)
        for fingerprint in unseen:
            self._last_seen_with.setdefault(fingerprint, before)
        for fingerprint in [name for name in self._last_seen_with if name not in unseen]:
            known = self.findings.get(fingerprint)
            if known is None or known.facts.lane in lanes:
                del self._last_seen_with[fingerprint]
        ran: dict[tuple[Lane, str], list[RunTool]] = {}
        for tool in run.tools:
            if tool.status is ScanStatus.COMPLETED:
                for lane in lanes.intersection(tool.lanes):
                    ran.setdefault((lane, tool.scanner), []).append(tool)
        self._tools.update({key: tuple(tools) for key, tools in ran.items()})


class Memory:
    """The fold itself: grows entry by entry, never forgets. One caller at a time."""

    def __init__(self) -> None:
        self._size, self._root = 0, EMPTY_ROOT
        self.last_epoch_s = 0
        """Ledger time of the last entry."""
        self.ledger_id: Digest | None = None
        self.provisional = True
        """Until the ledger was made, or adopted, on purpose."""
        self._lines: dict[tuple[str, str], Line] = {}
        self._runs: dict[str, list[KnownRun]] = {}
        self._gates: dict[tuple[str, str, str], GateState] = {}
        self._baselines: dict[tuple[str, str], dict[str, KnownBaseline]] = {}
        self.statements: list[KnownStatement] = []
        """What people signed, in order; nobody has checked it yet."""
        self.populations: list[KnownPopulation] = []
        """Lists from outside, in order."""
        self.inventories: dict[str, KnownInventory] = {}
        """By the run that kept it, in order."""
        self.bindings: list[ArtefactBound] = []
        """Artefacts that were bound to runs, in order; nobody has checked by whom."""
        self.notifications: list[KnownNotification] = []
        """What somebody was told, in order."""
        self._skipped = 0

    @property
    def head(self) -> Head:
        """Size and root of what was folded so far."""
        return Head(size=self._size, root=self._root)

    @property
    def skipped(self) -> int:
        """Number of entries of a type or version that this program does not know."""
        return self._skipped

    def line(self, repository: str, line: str) -> Line:
        """Give what is remembered of a line; an empty memory for one never seen."""
        return self._lines.get((repository, line)) or Line()

    def lines(self, repository: str) -> Mapping[str, Line]:
        """Give what is remembered of each line of a repository, by the line's name."""
        return {name: line for (owner, name), line in self._lines.items() if owner == repository}

    def all_lines(self) -> Mapping[tuple[str, str], Line]:
        """Give what is remembered of every line, by repository and line, sorted."""
        return {key: self._lines[key] for key in sorted(self._lines)}

    def runs(self, repository: str) -> tuple[KnownRun, ...]:
        """Give the repository's runs on all lines, oldest first."""
        return tuple(self._runs.get(repository, ()))

    def gate(self, repository: str, line: str, profile: str) -> GateState | None:
        """Give the gate as the last run of a protected line under a profile used it; None before the first."""
        return self._gates.get((repository, line, profile))

    def baselines(self, repository: str, line: str) -> tuple[KnownBaseline, ...]:
        """Give the recorded lists of known debt of a line, oldest first; of one list its first entry."""
        return tuple(self._baselines.get((repository, line), {}).values())

    def catch_up(self, ledger: Ledger) -> None:
        """Fold what the ledger holds beyond what was folded. Raises LedgerError if it does not verify or read."""
        for entry in ledger.read(self._size):
            self.apply(entry)

    def apply(self, entry: LedgerEntry) -> None:
        """Fold the next entry. Raises LedgerError if it is not the next, or cannot follow on those before."""
        if entry.sequence != self._size:
            raise LedgerError(f"entry {entry.sequence} was read where entry {self._size} belongs")
        event = event_of(entry)
        self._size, self._root = entry.sequence + 1, entry.root
        self.last_epoch_s = max(self.last_epoch_s, entry.at_epoch_s)
        if event is None:
            self._skipped += 1
        elif isinstance(event, BaselineRecorded):
            lists = self._baselines.setdefault((event.repository, event.line), {})
            lists.setdefault(event.statement_digest, KnownBaseline(event=event, at_epoch_s=entry.at_epoch_s))
        elif isinstance(event, InventoryStored):
            self.inventories[event.run_id] = KnownInventory(event=event, at_epoch_s=entry.at_epoch_s)
        elif isinstance(event, PopulationImported):
            known = KnownPopulation(event=event, sequence=entry.sequence, at_epoch_s=entry.at_epoch_s)
            self.populations.append(known)
        elif isinstance(event, ArtefactBound):
            self.bindings.append(event)
        elif isinstance(event, NotificationSent):
            self.notifications.append(KnownNotification(event=event, at_epoch_s=entry.at_epoch_s))
        elif isinstance(event, SignedEvent):
            self.statements.append(event.known(entry))
        else:
            self._fold(event, sequence=entry.sequence, at_epoch_s=entry.at_epoch_s)

    def _fold(self, event: Event, *, sequence: int, at_epoch_s: int) -> None:
        match event:
            case LedgerCreated():
                if sequence != 0:
                    raise _impossible(sequence, event)
                self.ledger_id, self.provisional = event.ledger_id, event.provisional
            case LedgerAdopted():
                self.provisional = False
            case Run():
                self._run(event)
            case FindingOpened() | FindingSeenAgain():
                self._open(event)
            case FindingAliased() | FindingMerged() | FindingSplit():
                self._line_of(event).follow(event, sequence=sequence)
            case FindingChanged():
                fingerprint = event.finding.fingerprint
                line, known = self._known(event, fingerprint, sequence=sequence)
                line.put(replace(seen_as(known, event.finding), former=known.names))
            case FindingClosed():
                line, known = self._known(event, event.fingerprint, sequence=sequence)
                line.put(replace(known, closed_epoch_s=at_epoch_s))
            case ObligationAdded():
                line, known = self._known(event, event.fingerprint, sequence=sequence)
                line.put(replace(known, obligations=(*known.obligations, _duty(event))))
            case ObligationSuperseded():
                line, known = self._known(event, event.fingerprint, sequence=sequence)
                duties = tuple(_superseded(duty, event) for duty in known.obligations)
                line.put(replace(known, obligations=duties))

    def _run(self, event: Run) -> None:
        self._runs.setdefault(event.repository, []).append(known_run(event))
        if is_gating(event):
            key = (event.repository, event.line, event.profile)
            self._gates[key] = state_after(self._gates.get(key), event)
        if event.settled:
            self._line_of(event).settle(event)

    def _line_of(
        self, event: Run | FindingAliased | FindingMerged | FindingSplit | FindingOpened | FindingSeenAgain
    ) -> Line:
        return self._lines.setdefault((event.repository, event.line), Line())

    def _open(self, event: FindingOpened | FindingSeenAgain) -> None:
        line = self._line_of(event)
        known = line.findings.get(event.finding.fingerprint)
        former = known.names if known else ()
        same_episode = known is not None and isinstance(event, FindingSeenAgain)
        line.put(
            Remembered(
                facts=event.finding,
                episode=event.episode,
                first_seen_epoch_s=event.start_epoch_s,
                obligations=known.obligations if known is not None and same_episode else (),
                former=former,
                wholes=known.wholes if known else (),
                apart=seen_as(known, event.finding).apart if known else (),
            )
        )

    def _known(
        self,
        event: FindingChanged | FindingClosed | ObligationAdded | ObligationSuperseded,
        fingerprint: str,
        *,
        sequence: int,
    ) -> tuple[Line, Remembered]:
        line = self._lines.get((event.repository, event.line))
        known = line.findings.get(fingerprint) if line else None
        if line is None or known is None:
            raise _impossible(sequence, event)
        return line, known


def _duty(event: ObligationAdded) -> Obligation:
    return Obligation(
        finding=event.fingerprint,
        basis=event.basis,
        start_epoch_s=event.start_epoch_s,
        limit_s=event.limit_s,
        policy_digest=event.policy_digest,
    )


def _superseded(duty: Obligation, event: ObligationSuperseded) -> Obligation:
    is_it = (duty.basis, duty.start_epoch_s, duty.limit_s) == (event.basis, event.start_epoch_s, event.limit_s)
    if duty.superseded or not is_it:
        return duty
    return replace(duty, superseded=True, superseded_by=event.downgrade, superseded_epoch_s=event.approved_epoch_s)


def _impossible(sequence: int, event: Event) -> LedgerError:
    return LedgerError(
        f"entry {sequence}, a {event.TYPE!r} event, cannot follow on the entries before it",
        remedy="it was written by something else; compare the ledger with a backup",
    )
