"""A checkpoint taken: the ledger verified, its head signed, put where it is kept, and that noted in the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from secrets import token_bytes
from typing import NamedTuple

from secgate import registry
from secgate.checkpoint import NAMESPACE, Checkpoint, Sealed, sealed, stamped, statement_of
from secgate.config import Machine
from secgate.custody.survey import Survey, entries_of, survey
from secgate.custody.verifying import check_grown, required_stamps, who_signed
from secgate.errors import HeadMovedError, LedgerError, SignatureError
from secgate.events import to_entry
from secgate.gate_events import CheckpointTaken
from secgate.model import Head
from secgate.ports import Keeper, Ledger, Signer
from secgate.preparation import Opened, Place, choose_keeper, opened
from secgate.recall import check_growth

NONCE_BYTES = 8
_ATTEMPTS = 64


class Taken(NamedTuple):
    """A checkpoint that was taken; `head` is the ledger's with the note of it."""

    address: str
    sealed: Sealed
    head: Head


def take_checkpoint(
    place: Place, *, to: str, key: str, authorities: Sequence[str] = (), machine: Machine, now: datetime
) -> Taken:
    """Sign size and root of a tree's ledger with the Ed25519 key in the file `key` and keep them at `to`.

    `authorities` are addresses of RFC 3161 services that are asked to stamp the signature; each must.

    What was kept there before must be of this ledger, and the ledger must have grown from it: a ledger that was cut off
    or rewritten never replaces the checkpoint that would show it. It is put there first and noted in the ledger after,
    which is asked before whether it can be written to: killed in between, or where the ledger fails after all, there is
    a good checkpoint that no entry speaks of.

    Raises LedgerError for a ledger that is not there, is empty, cannot be written or does not verify, HeadMovedError
    where others were first every time, SignatureError for a key that cannot be used, or that counts for nobody of the
    enforced layer's signers, an authority that does not answer, and no timestamp that counts where the enforced layer
    requires one.
    """
    with opened(place, machine=machine, now=now) as desk:
        keeper = choose_keeper(to, machine=machine, executor=desk.shop.executor)
        before = keeper.get()
        old = sealed(before, place=keeper.address) if before is not None else None
        ledger = desk.chosen.ledger
        seen = survey(entries_of(ledger), place=ledger.address)
        if not seen.head.size:
            raise LedgerError("the ledger is empty", place=ledger.address, remedy="`secgate ledger init` begins it")
        if desk.chosen.remembered is not None:
            check_growth(ledger, desk.chosen.remembered, head=seen.head)
        if old is not None:
            check_grown(seen, old, place=keeper.address)
        made = _sealed(seen, key=key, desk=desk, now=now)
        _require_counting(made, desk)
        made = _stamped(made, authorities, desk)
        required_stamps(made, keeper, desk)
        ledger.check_writable()
        keeper.put(made.data, expected=before, at_epoch_s=made.checkpoint.at_epoch_s)
        try:
            head = _note(ledger, seen.head, made, keeper=keeper, now=now)
        except LedgerError as error:
            raise LedgerError(
                f"the checkpoint is at {keeper.address} and is good, but no entry speaks of it: {error.what}",
                place=error.place,
                remedy="take another one once the ledger can be written",
            ) from error
        desk.chosen.seen.keep(ledger.address, head)
        return Taken(keeper.address, made, head)


def _require_counting(made: Sealed, desk: Opened) -> None:
    """Raise SignatureError for a key that counts for nobody: what it signs shows nothing, and is noted for ever."""
    trust = desk.prepared.enforced.trust
    if not trust.allowed_signers:
        return
    try:
        who_signed(made, (), trust=trust, signer=_signer(desk))
    except SignatureError as error:
        raise SignatureError(
            f"the checkpoint would not count: {error.what}",
            remedy=f"sign with a key that allowed_signers has for a machine and {NAMESPACE}",
        ) from error


def _signer(desk: Opened) -> Signer:
    return registry.signer("dsse", machine=desk.shop.machine, runner=desk.shop.executor, scratch=desk.shop.scratch)


def _sealed(seen: Survey, *, key: str, desk: Opened, now: datetime) -> Sealed:
    checkpoint = Checkpoint(
        at_epoch_s=max(int(now.timestamp()), seen.last_epoch_s),
        ledger_id=seen.ledger_id,
        root=seen.head.root,
        size=seen.head.size,
    )
    return sealed(_signer(desk).sign(statement_of(checkpoint), namespace=NAMESPACE, key=key) + b"\n")


def _stamped(made: Sealed, authorities: Sequence[str], desk: Opened) -> Sealed:
    if not authorities:
        return made
    stamps = registry.timestamps(desk.shop.machine, runner=desk.shop.executor, scratch=desk.shop.scratch)
    answers = [stamps.ask(one, made.signature, nonce=token_bytes(NONCE_BYTES)) for one in authorities]
    return sealed(stamped(made.data, tuple(answers)) + b"\n")


def _note(ledger: Ledger, head: Head, made: Sealed, *, keeper: Keeper, now: datetime) -> Head:
    """Append what was put where, on whatever the ledger is by now."""
    digest = sha256(made.data).hexdigest()
    event = CheckpointTaken(
        size=made.checkpoint.size,
        root=made.checkpoint.root,
        place=keeper.address,
        key=made.key,
        checkpoint_digest=digest,
        timestamps=len(made.timestamps),
    )
    for _ in range(_ATTEMPTS):
        try:
            return ledger.append(head, [to_entry(event)], now=now, blobs={digest: made.data})
        except HeadMovedError:
            head = ledger.head()
    raise HeadMovedError("other writers were first every time", place=ledger.address, remedy="run it again")
