"""A ledger read once from its beginning, for a period's evidence: its runs, episodes, changes of the gate, in order.

`memory` holds what is true now; this holds what was true when, as far as assertions ask for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from secgate.event import Event
from secgate.events import (
    BaselineRecorded,
    FindingAliased,
    FindingChanged,
    FindingClosed,
    FindingEvent,
    FindingMerged,
    FindingOpened,
    FindingSeenAgain,
    FindingSplit,
    ObligationAdded,
    ObligationSuperseded,
    Run,
    blobs_of,
    event_of,
)
from secgate.gate_events import ArtefactBound, CheckpointTaken, GateChanged
from secgate.memory import KnownPopulation, Memory
from secgate.merkle import HASH_BYTES
from secgate.model import Digest, KnownStatement, LedgerEntry, Value
from secgate.notification import NotificationSent
from secgate.remembered import Remembered


class RecordedRun(NamedTuple):
    """A run, the number of its entry and the ledger's time of it.

    `name` is how people and reports name it: its id, with what tells it from another of the same id.
    """

    run: Run
    sequence: int
    at_epoch_s: int
    name: str


def place_name(repository: str, line: str) -> str:
    """Name a line of a repository: `a/b` and `c` otherwise than `a` and `b/c`, since the line has no stroke in it."""
    return f"{repository}/{_without('/', line)}"


def _without(mark: str, text: str) -> str:
    """Give a text with a mark as an address would have it, so that no text has it that is put together with it."""
    return text.replace("%", "%25").replace(mark, f"%{ord(mark):02X}")


class RecordedChange(NamedTuple):
    """A change of the gate, the number of its entry and the ledger's time of it."""

    change: GateChanged
    sequence: int
    at_epoch_s: int

    @property
    def key(self) -> str:
        """How people and reports name it: repository, line, kind and number of the entry."""
        return f"{place_name(self.change.repository, self.change.line)}/{self.change.TYPE}/{self.sequence}"


class RecordedBinding(NamedTuple):
    """An artefact that was bound to a run, the number of its entry and the ledger's time of it; unchecked."""

    bound: ArtefactBound
    sequence: int
    at_epoch_s: int


class RecordedSuperseding(NamedTuple):
    """A duty that was taken back, the number of its entry, the ledger's time of it, and the finding as it was then.

    Nobody has checked whose word is behind it.
    """

    event: ObligationSuperseded
    sequence: int
    at_epoch_s: int
    known: Remembered


class Episode(Value, frozen=True, kw_only=True):
    """A finding on a line from when it was opened until it was closed, 0 for one that is open; times of the ledger.

    `judged_epoch_s` is when its first duty was recorded, 0 for none.
    """

    repository: str
    line: str
    known: Remembered
    opened_epoch_s: int
    opened_sequence: int
    judged_epoch_s: int
    closed_epoch_s: int
    sequences: tuple[int, ...] = ()
    """Numbers of all entries about it, of what became a part of it too."""

    @property
    def key(self) -> str:
        """How people and reports name it: repository, line, fingerprint and number of the episode."""
        place = place_name(self.repository, self.line)
        return f"{place}/{self.known.facts.fingerprint[:16]}/{self.known.episode}"


class _Times(NamedTuple):
    opened_epoch_s: int
    opened_sequence: int
    judged_epoch_s: int = 0
    sequences: tuple[int, ...] = ()


_Key = tuple[str, str, str]
_NEVER = _Times(0, 0)


class Chronicle:
    """Grows entry by entry. `memory` is the fold of the same entries."""

    def __init__(self, address: str, *, roots_of: Iterable[int] = (), until_epoch_s: int = 0) -> None:
        """`until_epoch_s`: episodes are given as they stood then, by the entries before it; 0 for all entries."""
        self.address = address
        self.memory = Memory()
        self.runs: list[RecordedRun] = []
        self._run_ids: set[str] = set()
        self.changes: list[RecordedChange] = []
        self.bindings: list[RecordedBinding] = []
        self.supersedings: list[RecordedSuperseding] = []
        self.roots: dict[int, Digest] = {}
        """Root by size, of the sizes that were asked for and the ledger has."""
        self.first_epoch_s = 0
        self.size_then = 0
        """How many entries there were at the end that was asked for; notes of checkpoints behind the last other one
        are left out, since no checkpoint is of its own note."""
        self.notices: list[tuple[NotificationSent, int]] = []
        """Messages, each with the number of its entry."""
        self.baselines: list[tuple[BaselineRecorded, int]] = []
        """Lists of known debt, each with the number of its entry."""
        self._leaves = bytearray()
        self._types: list[str] = []
        self._bodies: dict[int, tuple[Digest, ...]] = {}
        self._wanted = frozenset(roots_of)
        self._until_epoch_s = until_epoch_s
        self._then: tuple[Episode, ...] | None = None
        self._past: list[Episode] = []
        self._times: dict[_Key, _Times] = {}

    def read(self, entries: Iterable[LedgerEntry]) -> Chronicle:
        """Take in entries from the first on, and give itself. Raises LedgerError for one that is not right."""
        for entry in entries:
            if entry.sequence in self._wanted:
                self.roots[entry.sequence] = entry.previous_root
            event = event_of(entry)
            if 0 < self._until_epoch_s <= entry.at_epoch_s and self._then is None:
                self._then = self.episodes()
            if isinstance(event, FindingOpened):
                self._archive(event)
            self.memory.apply(entry)
            self.first_epoch_s = self.first_epoch_s or entry.at_epoch_s
            if self._then is None and entry.type != CheckpointTaken.TYPE:
                self.size_then = entry.sequence + 1
            self._leaves += bytes.fromhex(entry.leaf)
            self._types.append(entry.type)
            if event is not None:
                if named := tuple(blobs_of(event)):
                    self._bodies[entry.sequence] = named
                self._take(event, entry.sequence, entry.at_epoch_s)
        head = self.memory.head
        if head.size in self._wanted:
            self.roots[head.size] = head.root
        return self

    def leaf(self, sequence: int) -> Digest:
        """Give the leaf of an entry, as it was read."""
        return self._leaves[HASH_BYTES * sequence : HASH_BYTES * (sequence + 1)].hex()

    def type_of(self, sequence: int) -> str:
        """Give the type of an entry."""
        return self._types[sequence]

    def bodies(self, sequence: int) -> tuple[Digest, ...]:
        """Give the digests of what an entry names and the ledger keeps beside it, () for nothing."""
        return self._bodies.get(sequence, ())

    def name_runs(self, named: Callable[[str, str], str]) -> None:
        """Name runs anew: `named` is given the name and the id of each."""
        self.runs = [one._replace(name=named(one.name, one.run.run_id)) for one in self.runs]

    @property
    def statements(self) -> list[KnownStatement]:
        """What people signed, unchecked."""
        return self.memory.statements

    @property
    def populations(self) -> list[KnownPopulation]:
        """Lists from outside."""
        return self.memory.populations

    def episodes(self) -> tuple[Episode, ...]:
        """Give every episode of every finding, oldest first, as it stood at the end that was asked for."""
        if self._then is not None:
            return self._then
        now = [
            self._episode(repository, line, known)
            for (repository, line), remembered in self.memory.all_lines().items()
            for known in remembered.findings.values()
        ]
        return tuple(sorted([*self._past, *now], key=lambda one: (one.opened_sequence, one.key)))

    def _episode(self, repository: str, line: str, known: Remembered) -> Episode:
        times = self._times.get((repository, line, known.facts.fingerprint), _NEVER)
        return Episode(
            repository=repository,
            line=line,
            known=known,
            # What was split off or merged has the clock of the whole, and no opening of its own.
            opened_epoch_s=times.opened_epoch_s or known.first_seen_epoch_s,
            opened_sequence=times.opened_sequence,
            judged_epoch_s=times.judged_epoch_s or (known.first_seen_epoch_s if known.obligations else 0),
            closed_epoch_s=known.closed_epoch_s or 0,
            sequences=times.sequences,
        )

    def _archive(self, event: FindingOpened) -> None:
        """Keep the episode that a new one follows on: the fold forgets it."""
        known = self.memory.line(event.repository, event.line).findings.get(event.finding.fingerprint)
        if known is not None and not known.is_open:
            self._past.append(self._episode(event.repository, event.line, known))

    def _take(self, event: Event, sequence: int, at_epoch_s: int) -> None:
        if isinstance(event, Run):
            # No two of our runs have one id, but whoever writes a ledger chooses them.
            again = f" (entry {sequence})" if event.run_id in self._run_ids else ""
            self._run_ids.add(event.run_id)
            self.runs.append(RecordedRun(event, sequence, at_epoch_s, f"{_without(' ', event.run_id)}{again}"))
        elif isinstance(event, GateChanged):
            self.changes.append(RecordedChange(event, sequence, at_epoch_s))
        elif isinstance(event, ArtefactBound):
            self.bindings.append(RecordedBinding(event, sequence, at_epoch_s))
        elif isinstance(event, ObligationSuperseded):
            known = self.memory.line(event.repository, event.line).findings[event.fingerprint]
            self.supersedings.append(RecordedSuperseding(event, sequence, at_epoch_s, known))
            self._finding(event, sequence, at_epoch_s)
        elif isinstance(event, FindingEvent):
            self._finding(event, sequence, at_epoch_s)
        elif isinstance(event, NotificationSent):
            self.notices.append((event, sequence))
        elif isinstance(event, BaselineRecorded):
            self.baselines.append((event, sequence))

    def _finding(self, event: FindingEvent, sequence: int, at_epoch_s: int) -> None:
        def key(fingerprint: str) -> _Key:
            return (event.repository, event.line, fingerprint)

        def kept(fingerprint: str) -> _Times:
            return self._times.get(key(fingerprint), _NEVER)

        match event:
            case FindingOpened():
                name, times = event.finding.fingerprint, _Times(at_epoch_s, sequence)
            case ObligationAdded():
                name, times = event.fingerprint, kept(event.fingerprint)
                if times.opened_sequence and not times.judged_epoch_s:
                    times = times._replace(judged_epoch_s=at_epoch_s)
            case FindingAliased():
                name, times = event.fingerprint, self._times.pop(key(event.former.value), kept(event.fingerprint))
            case FindingMerged():
                part, times = kept(event.absorbed.value), kept(event.fingerprint)
                name, times = event.fingerprint, times._replace(sequences=(*times.sequences, *part.sequences))
            case FindingSeenAgain() | FindingChanged() | FindingSplit():
                name, times = event.finding.fingerprint, kept(event.finding.fingerprint)
            case FindingClosed() | ObligationSuperseded():
                name, times = event.fingerprint, kept(event.fingerprint)
            case _:
                return
        self._times[key(name)] = times._replace(sequences=(*times.sequences, sequence))
