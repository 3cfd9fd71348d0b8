"""One pass over a whole ledger: every entry verified, and what the keeping of it needs to know picked up on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from secgate.errors import LedgerError
from secgate.events import EVENTS, LedgerCreated, from_envelope
from secgate.gate_events import ArtefactBound, CheckpointTaken
from secgate.merkle import Tree, envelope_of
from secgate.model import Digest, Head, KnownStatement, LedgerEntry
from secgate.ports import Ledger
from secgate.signed_events import SignedEvent


class Survey(NamedTuple):
    """What a pass found. `roots` are those asked for, by size; `checkpoints` are (sequence, event) in order.

    `bindings` are (sequence, time, event).
    """

    head: Head
    ledger_id: Digest
    first_epoch_s: int
    last_epoch_s: int
    roots: Mapping[int, Digest]
    checkpoints: tuple[tuple[int, CheckpointTaken], ...]
    statements: tuple[KnownStatement, ...]
    bindings: tuple[tuple[int, int, ArtefactBound], ...]


_WANTED = LedgerCreated | CheckpointTaken | ArtefactBound | SignedEvent
_PICKED = {key for key, event in EVENTS.items() if issubclass(event, _WANTED)}


def entries_of(ledger: Ledger) -> Iterator[LedgerEntry]:
    """Give every entry, verified. Raises LedgerError for an absent ledger, and the first entry that is not right."""
    if not ledger.exists():
        raise LedgerError("there is no ledger", place=ledger.address, remedy="run `secgate ledger init`, or restore it")
    return ledger.read()


def survey(entries: Iterable[LedgerEntry], *, sizes: Iterable[int] = ()) -> Survey:
    """Take in verified entries from the first on.

    `sizes` are the tree sizes whose roots are wanted; those beyond the ledger's own are left out.
    """
    wanted = set(sizes)
    roots: dict[int, Digest] = {}
    picked: list[tuple[LedgerEntry, int]] = []
    first = last = None
    tree = Tree()
    for entry in entries:
        if entry.sequence in wanted:
            roots[entry.sequence] = entry.previous_root
        tree.append(bytes.fromhex(entry.leaf))
        first, last = first or entry, entry
        if (entry.type, entry.version) in _PICKED:
            picked.append((entry, envelope_of(entry).at_epoch_s))
    head = tree.head()
    roots[head.size] = head.root
    return _survey(picked, head=head, roots=roots, first=first, last=last)


def _survey(
    picked: list[tuple[LedgerEntry, int]],
    *,
    head: Head,
    roots: dict[int, Digest],
    first: LedgerEntry | None,
    last: LedgerEntry | None,
) -> Survey:
    ledger_id = ""
    checkpoints: list[tuple[int, CheckpointTaken]] = []
    statements: list[KnownStatement] = []
    bindings: list[tuple[int, int, ArtefactBound]] = []
    for entry, at_epoch_s in picked:
        event = from_envelope(envelope_of(entry))
        if isinstance(event, LedgerCreated):
            ledger_id = event.ledger_id
        elif isinstance(event, CheckpointTaken):
            checkpoints.append((entry.sequence, event))
        elif isinstance(event, ArtefactBound):
            bindings.append((entry.sequence, at_epoch_s, event))
        elif isinstance(event, SignedEvent):
            statements.append(
                KnownStatement(
                    sequence=entry.sequence,
                    type=event.TYPE,
                    statement=event.statement,
                    signature=event.signature,
                    at_epoch_s=at_epoch_s,
                )
            )
    return Survey(
        head=head,
        ledger_id=ledger_id,
        first_epoch_s=envelope_of(first).at_epoch_s if first else 0,
        last_epoch_s=envelope_of(last).at_epoch_s if last else 0,
        roots=roots,
        checkpoints=tuple(checkpoints),
        statements=tuple(statements),
        bindings=tuple(bindings),
    )
