"""Proofs about a ledger, for somebody who has one checkpoint and not the ledger."""

from __future__ import annotations

from datetime import datetime

from secgate.checkpoint import sealed
from secgate.config import Machine
from secgate.custody.survey import entries_of
from secgate.errors import LedgerError, UsageError
from secgate.merkle import tree_of
from secgate.model import Head
from secgate.ports import Ledger
from secgate.preparation import Opened, Place, choose_keeper, opened
from secgate.proof import Consistency, Inclusion, check, prove_consistency, prove_inclusion, read
from secgate.sla import many_entries


def prove_entry(sequence: int, place: Place, *, against: str = "", machine: Machine, now: datetime) -> Inclusion:
    """Give the proof that an entry is in the ledger: of its head, or of the checkpoint kept at `against`.

    Raises LedgerError for a ledger that does not verify or has not grown from that checkpoint, UsageError where there
    is no such entry.
    """
    with opened(place, machine=machine, now=now) as desk:
        head = _head_at(against, desk) if against else None
        leaves, data = _leaves(desk.chosen.ledger, sequence=sequence)
        if head is not None:
            leaves = _cut(leaves, head, place=against)
        if not 0 <= sequence < len(leaves) or data is None:
            raise UsageError(
                f"there is no entry {sequence} among {len(leaves)}", remedy="`secgate ledger log` lists them"
            )
        return prove_inclusion(leaves, data, sequence=sequence)


def prove_growth(old_size: int, place: Place, *, against: str = "", machine: Machine, now: datetime) -> Consistency:
    """Give the proof that the ledger, or the checkpoint kept at `against`, has grown from its first `old_size` entries.

    Raises LedgerError and UsageError as `prove_entry` does.
    """
    with opened(place, machine=machine, now=now) as desk:
        head = _head_at(against, desk) if against else None
        leaves, _ = _leaves(desk.chosen.ledger, sequence=-1)
        if head is not None:
            leaves = _cut(leaves, head, place=against)
        if not 1 <= old_size <= len(leaves):
            raise UsageError(
                f"a ledger of {many_entries(len(leaves))} has not grown from {old_size}",
                remedy="give its size",
            )
        return prove_consistency(leaves, old_size)


def check_proof(data: bytes, *, file: str, against: str, place: Place, machine: Machine, now: datetime) -> str:
    """Say what the proof in a file shows, once it holds and is of the checkpoint kept at `against` ("" for any head).

    Needs no ledger. Raises LedgerError for a proof that does not hold, and for one of another head.
    """
    proof = read(data, place=file)
    try:
        check(proof)
    except LedgerError as error:
        raise LedgerError(error.what, place=file, remedy=error.remedy) from error
    if isinstance(proof, Inclusion):
        heads: tuple[Head, ...] = (proof.head,)
        told = f"holds; entry {proof.sequence} is one of {proof.head.size}, root {proof.head.root}"
    else:
        heads = (proof.old, proof.new)
        told = f"holds; {many_entries(proof.new.size)}, root {proof.new.root}, have grown from {proof.old.size}"
    if not against:
        return told
    with opened(place, machine=machine, now=now) as desk:
        kept = _head_at(against, desk)
    if kept not in heads:
        raise LedgerError(
            f"the proof is not of the checkpoint's {kept.size} entries", place=file, remedy="ask for one that is"
        )
    return f"{told}; a head of it is the checkpoint's"


def _head_at(against: str, desk: Opened) -> Head:
    keeper = choose_keeper(against, machine=desk.shop.machine, executor=desk.shop.executor)
    data = keeper.get()
    if data is None:
        raise LedgerError("there is no checkpoint", place=keeper.address, remedy="name where one is kept")
    return sealed(data, place=keeper.address).checkpoint.head


def _leaves(ledger: Ledger, *, sequence: int) -> tuple[list[bytes], bytes | None]:
    """Give all leaf hashes of a verified ledger, and the bytes of one entry."""
    leaves: list[bytes] = []
    data = None
    for entry in entries_of(ledger):
        leaves.append(bytes.fromhex(entry.leaf))
        if entry.sequence == sequence:
            data = entry.data
    return leaves, data


def _cut(leaves: list[bytes], head: Head, *, place: str) -> list[bytes]:
    first = leaves[: head.size]
    if tree_of(first).head() != head:
        raise LedgerError(
            f"the ledger has not grown from the checkpoint's {head.size} entries", place=place, remedy="verify it"
        )
    return first
