"""Proofs as files: that an entry is in a ledger, and that a ledger has grown from an earlier state of itself.

Each holds everything that checking it takes but the head, which is worth something only where it was kept elsewhere: a
checkpoint's. The arithmetic is RFC 6962's, hashes are lower-case hex.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from secgate.errors import LedgerError
from secgate.merkle import (
    consistency_proof,
    decode_entry,
    inclusion_proof,
    leaf_hash,
    tree_of,
    verify_consistency,
    verify_inclusion,
)
from secgate.model import Digest, Head, Value, encode
from secgate.once import require_once

MAX_BYTES = 32 * 1024 * 1024

Path = Annotated[tuple[Digest, ...], Meta(max_length=64)]


class Inclusion(
    Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="format", tag="secgate-inclusion"
):
    """`entry`, its exact bytes as text, is number `sequence` of the tree `head`."""

    version: Literal[1] = 1
    entry: str
    sequence: Annotated[int, Meta(ge=0)]
    head: Head
    path: Path


class Consistency(
    Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="format", tag="secgate-consistency"
):
    """The tree `new` begins with the tree `old`."""

    version: Literal[1] = 1
    old: Head
    new: Head
    path: Path


def prove_inclusion(leaves: Sequence[bytes], data: bytes, *, sequence: int) -> Inclusion:
    """Give the proof that `data` is entry `sequence` of the tree over `leaves` (leaf hashes, in order).

    Raises LedgerError if there is no such leaf.
    """
    path = inclusion_proof(leaves, sequence)
    return Inclusion(entry=data.decode(), sequence=sequence, head=tree_of(leaves).head(), path=_hex(path))


def prove_consistency(leaves: Sequence[bytes], old_size: int) -> Consistency:
    """Give the proof that the tree over `leaves` has grown from its first `old_size` ones. Raises LedgerError."""
    path = consistency_proof(leaves, old_size)
    return Consistency(old=tree_of(leaves[:old_size]).head(), new=tree_of(leaves).head(), path=_hex(path))


def written(proof: Inclusion | Consistency) -> bytes:
    """Give the bytes of a proof's file."""
    return msgspec.json.format(encode(proof), indent=2) + b"\n"


def read(data: bytes, *, place: str = "") -> Inclusion | Consistency:
    """Give the proof in a file. Raises LedgerError for what is none."""
    try:
        if len(data) > MAX_BYTES:
            raise msgspec.DecodeError("it is too large")
        proof = msgspec.json.decode(data, type=Inclusion | Consistency)
        require_once(data)
        return proof
    except (ValueError, RecursionError) as error:
        raise LedgerError(
            f"this is no proof: {error}", place=place, remedy="give what `secgate ledger prove` wrote"
        ) from error


def check(proof: Inclusion | Consistency) -> None:
    """Raise LedgerError unless the proof holds."""
    path = [bytes.fromhex(step) for step in proof.path]
    if isinstance(proof, Consistency):
        if not verify_consistency(proof.old, proof.new, path):
            raise LedgerError(
                f"the proof does not hold: the {proof.new.size} entries have not grown from those {proof.old.size}",
                remedy="ask for another; do not rely on this ledger meanwhile",
            )
        return
    data = proof.entry.encode()
    if decode_entry(data).sequence != proof.sequence or not verify_inclusion(
        leaf_hash(data), proof.sequence, proof.head, path
    ):
        raise LedgerError(
            f"the proof does not hold: this is not entry {proof.sequence} of the {proof.head.size} with that root",
            remedy="ask for another; do not rely on this ledger meanwhile",
        )


def _hex(path: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(step.hex() for step in path)
