"""One pass over a whole ledger: every entry verified and read, and what the keeping of it needs to know picked up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from secgate.errors import LedgerError
from secgate.events import LedgerCreated, blobs_of, event_of
from secgate.gate_events import ArtefactBound, CheckpointTaken
from secgate.merkle import EMPTY_ROOT, HASH_BYTES, unverified
from secgate.model import Digest, Head, KnownStatement, LedgerEntry
from secgate.ports import Ledger
from secgate.signed_events import SignedEvent


class Survey(NamedTuple):
    """What a pass found; `checkpoints` are (sequence, event) in order, `bindings` (sequence, time, event).

    `named` are the digests of blobs, each with the first entry that names it; `unknown` the numbers of entries of a
    type or version that this program does not know.
    """

    head: Head
    ledger_id: Digest
    first_epoch_s: int
    last_epoch_s: int
    checkpoints: tuple[tuple[int, CheckpointTaken], ...]
    statements: tuple[KnownStatement, ...]
    bindings: tuple[tuple[int, int, ArtefactBound], ...]
    named: Mapping[Digest, int]
    unknown: tuple[int, ...]
    roots: bytes
    """Over the first 0, 1, 2 ... entries, one behind the other; those over all is the head's."""

    def root_of(self, size: int) -> Digest:
        """Give the root over the first `size` entries, "" for more than there are."""
        if size == self.head.size:
            return self.head.root
        return self.roots[HASH_BYTES * size : HASH_BYTES * (size + 1)].hex()


def entries_of(ledger: Ledger) -> Iterator[LedgerEntry]:
    """Give every entry, verified. Raises LedgerError for an absent ledger, and the first entry that is not right."""
    if not ledger.exists():
        raise LedgerError("there is no ledger", place=ledger.address, remedy="run `secgate ledger init`, or restore it")
    return ledger.read()


def survey(entries: Iterable[LedgerEntry], *, place: str) -> Survey:
    """Take in verified entries from the first on; `place` is where they are from.

    Raises LedgerError for the first one whose body is not what its type says, or that speaks of a checkpoint of other
    entries than those before it.
    """
    found = _Found()
    for entry in entries:
        try:
            found.take(entry)
        except LedgerError as error:
            error.place = error.place or place
            raise
    return found.survey()


class _Found:
    """What was found so far."""

    def __init__(self) -> None:
        self._size, self._root = 0, EMPTY_ROOT
        self._roots = bytearray()
        self._first_epoch_s = self._last_epoch_s = 0
        self._ledger_id = ""
        self._checkpoints: list[tuple[int, CheckpointTaken]] = []
        self._statements: list[KnownStatement] = []
        self._bindings: list[tuple[int, int, ArtefactBound]] = []
        self._named: dict[Digest, int] = {}
        self._unknown: list[int] = []

    def take(self, entry: LedgerEntry) -> None:
        """Take in the next entry."""
        self._roots += bytes.fromhex(entry.previous_root)
        self._size, self._root, self._last_epoch_s = entry.sequence + 1, entry.root, entry.at_epoch_s
        if not entry.sequence:
            self._first_epoch_s = entry.at_epoch_s
        event = event_of(entry)
        if event is None:
            self._unknown.append(entry.sequence)
            return
        for digest in blobs_of(event):
            self._named.setdefault(digest, entry.sequence)
        match event:
            case LedgerCreated():
                self._ledger_id = event.ledger_id
            case CheckpointTaken():
                self._require_head(entry.sequence, event)
                self._checkpoints.append((entry.sequence, event))
            case ArtefactBound():
                self._bindings.append((entry.sequence, entry.at_epoch_s, event))
            case SignedEvent():
                self._statements.append(event.known(entry))
            case _:
                return

    def _require_head(self, sequence: int, event: CheckpointTaken) -> None:
        """Its own previous root is the root over all that is before it, so a checkpoint's is known by now."""
        at = HASH_BYTES * event.size
        if event.size > sequence or self._roots[at : at + HASH_BYTES].hex() != event.root:
            raise unverified(sequence, "the head that it says was signed is not that of the entries before it")

    def survey(self) -> Survey:
        """Give all of it."""
        return Survey(
            head=Head(size=self._size, root=self._root),
            ledger_id=self._ledger_id,
            first_epoch_s=self._first_epoch_s,
            last_epoch_s=self._last_epoch_s,
            checkpoints=tuple(self._checkpoints),
            statements=tuple(self._statements),
            bindings=tuple(self._bindings),
            named=self._named,
            unknown=tuple(self._unknown),
            roots=bytes(self._roots),
        )
