"""A ledger verified: every entry, every signature in it, and whether it has grown from checkpoints kept elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from secgate import overrides, registry, testimony
from secgate.agreement import Procedure
from secgate.checkpoint import NAMESPACE, Sealed, sealed
from secgate.config import Machine
from secgate.custody.attested import attestation_of, require_counting
from secgate.custody.containers import manifest_of, rows_of, source
from secgate.custody.survey import Survey, entries_of, survey
from secgate.errors import LedgerError, SignatureError
from secgate.gate_events import CheckpointTaken
from secgate.merkle import unverified
from secgate.model import Digest, Head, Signed, Trust
from secgate.ports import Keeper, Ledger, Signer
from secgate.preparation import AUTHORITIES_NAME, Opened, Place, Workshop, choose_keeper, opened
from secgate.recall import check_growth
from secgate.sla import many_entries
from secgate.trust import MACHINE
from secgate.waivers import NAMESPACES


class Asked(NamedTuple):
    """What a ledger is held against: places of checkpoints, how old each may be, and an export made before."""

    places: tuple[str, ...] = ()
    max_age: timedelta | None = None
    earlier: str = ""


class Held(NamedTuple):
    """A checkpoint that the ledger has grown from, who signed it, when it was stamped, and what does not count."""

    address: str
    sealed: Sealed
    signed: Signed
    stamped: tuple[datetime, ...]
    notes: tuple[str, ...]


class Checked(NamedTuple):
    """A ledger that is whole. `unchecked` is how many signed statements nobody could check, without signers.

    `erased` is how many artefacts are bound by an attestation whose blob is gone, and `revoked` how many signed
    statements count for nothing, because their key was revoked. `blobs` are there, `missing` are those that entries
    name and that are not. `earlier` is how many entries are those of the export that was made before.
    """

    address: str
    survey: Survey
    held: tuple[Held, ...]
    unchecked: int
    erased: int = 0
    revoked: int = 0
    blobs: int = 0
    missing: int = 0
    earlier: int = 0

    @property
    def head(self) -> Head:
        """Its size and root."""
        return self.survey.head


def verify(place: Place, asked: Asked, *, machine: Machine, now: datetime) -> Checked:
    """Read and verify every entry and signature of a tree's ledger, and hold it against checkpoints.

    Raises LedgerError for the first fault, and SignatureError for a checkpoint that nobody signed who counts.
    """
    with opened(place, machine=machine, now=now) as desk:
        keepers = [choose_keeper(one, machine=machine, executor=desk.shop.executor) for one in asked.places]
        kept = [_kept(keeper) for keeper in keepers]
        ledger = desk.chosen.ledger
        # First, since it alone can tell where a past that was made to fit begins.
        earlier = check_earlier(ledger, str(Path(machine.cwd, asked.earlier))) if asked.earlier else 0
        seen = survey(entries_of(ledger), place=ledger.address)
        if desk.chosen.remembered is not None:
            check_growth(ledger, desk.chosen.remembered, head=seen.head)
        trust = desk.prepared.enforced.trust
        revoked = 0
        if trust.allowed_signers:
            revoked = check_statements(seen, trust=trust, signer=_signer("sshsig", desk), place=ledger.address)
        blobs = check_blobs(seen, ledger)
        erased = check_bindings(seen, ledger, blobs, trust=trust, signer=_signer("dsse", desk))
        check_noted(seen, ledger, blobs, trust=trust, signer=_signer("dsse", desk))
        held = []
        sound = [one.checkpoint.size for one in kept if seen.root_of(one.checkpoint.size) == one.checkpoint.root]
        for keeper, one in zip(keepers, kept, strict=True):
            times, notes = required_stamps(one, keeper, desk)
            notes = (*notes, *_newer_notes(seen, one))
            held.append(Held(keeper.address, one, _who_signed(one, keeper, desk, times), times, notes))
            check_grown(seen, one, place=keeper.address, sound=sound)
            _check_age(one, asked.max_age, place=keeper.address, now=now)
        return Checked(
            ledger.address,
            seen,
            tuple(held),
            unchecked=0 if trust.allowed_signers else len(seen.statements) + len(seen.bindings),
            erased=erased,
            revoked=revoked,
            blobs=len(blobs),
            missing=len(seen.named.keys() - blobs),
            earlier=earlier,
        )


def check_grown(seen: Survey, kept: Sealed, *, place: str, sound: Iterable[int] = ()) -> None:
    """Raise LedgerError unless the ledger has grown from a checkpoint, and it is the newest that was put there.

    `sound` are sizes up to which the ledger is known to be what it was: what changed lies behind the largest.
    """
    checkpoint, head = kept.checkpoint, seen.head
    remedy = "compare the ledger with a backup or an export; record nothing on top of it"
    if head.size and checkpoint.ledger_id != seen.ledger_id:
        raise LedgerError("the checkpoint is of another ledger", place=place, remedy="name this ledger's own place")
    if checkpoint.size > head.size:
        raise LedgerError(
            f"the ledger does not verify at entry {head.size}: it has {many_entries(head.size)}, and the "
            f"checkpoint is of {checkpoint.size}: its tail was cut off",
            place=place,
            remedy=remedy,
        )
    if seen.root_of(checkpoint.size) != checkpoint.root:
        first = max((size for size in sound if size < checkpoint.size), default=0)
        raise LedgerError(
            f"the ledger does not verify: one of the entries {first} to {checkpoint.size - 1} is not what it was when "
            f"the checkpoint was made, and all after it were made to fit",
            place=place,
            remedy=remedy,
        )
    newer = [
        (number, one.size) for number, one in seen.checkpoints if one.place == place and one.size > checkpoint.size
    ]
    if newer:
        raise LedgerError(
            f"the checkpoint there is of {many_entries(checkpoint.size)}, and entry {newer[-1][0]} says that "
            f"one of {newer[-1][1]} was put there: an old one was put back",
            place=place,
            remedy="restore the newer one; whoever put the old one back may have cut off a ledger too",
        )


def namespace_of(kind: str) -> str:
    """Give what the signature in an event of a type has to be for."""
    known = {**NAMESPACES, **overrides.NAMESPACES, **testimony.NAMESPACES}
    return known.get(kind) or Procedure(kind.rpartition("-")[0]).namespaces[kind]


def check_earlier(ledger: Ledger, export: str) -> int:
    """Raise LedgerError for the first entry that is another one in an export that was made before, or is gone.

    Gives how many the export has.
    """
    now = entries_of(ledger)
    with source(export) as read:
        count = manifest_of(read).size
        for number, data in enumerate(rows_of(read)):
            entry = next(now, None)
            if entry is None or entry.data != data:
                told = "is gone" if entry is None else "is another one now"
                raise LedgerError(
                    f"the ledger does not verify at entry {number}: the one in the earlier export {told}",
                    place=ledger.address,
                    remedy="what follows was made to fit; find out who could write it, and restore a backup",
                )
    return count


def check_blobs(seen: Survey, ledger: Ledger) -> frozenset[Digest]:
    """Give the digests of the blobs that are there. Raises LedgerError for the first that is not what it is called.

    One that was erased is no fault.
    """
    there = tuple(ledger.blobs())
    for digest, data in zip(there, ledger.whole_blobs(there), strict=True):
        if data is None:
            if digest in seen.named:
                raise _not_right(seen.named[digest], f"the blob {digest} that it names was changed", ledger)
            # Asked for alone, it says why.
            ledger.blob(digest)
    return frozenset(there)


def check_noted(seen: Survey, ledger: Ledger, blobs: Collection[Digest], *, trust: Trust, signer: Signer) -> None:
    """Raise LedgerError for the first checkpoint of the entries that is none of this ledger, or that nobody signed.

    Whose it is counts by its own word for when, as what people signed counts by the ledger's; a key that was revoked
    since is no fault of the ledger.
    """
    allowed = Trust(allowed_signers=trust.allowed_signers)
    for sequence, event in seen.checkpoints:
        if event.checkpoint_digest not in blobs:
            continue
        data = ledger.blob(event.checkpoint_digest)
        why = _why_none(data, event, seen, trust=allowed, signer=signer)
        if why:
            raise _not_right(sequence, f"the checkpoint that it names {why}", ledger)


def _why_none(data: bytes, event: CheckpointTaken, seen: Survey, *, trust: Trust, signer: Signer) -> str:
    """Say why a file is not the checkpoint that an entry speaks of, "" where it is."""
    try:
        kept = sealed(data)
        if (kept.checkpoint.ledger_id, kept.checkpoint.head) != (
            seen.ledger_id,
            Head(size=event.size, root=event.root),
        ):
            return "is of other entries"
        if trust.allowed_signers:
            # A person's as well: versions before noted those, and what is noted proves nothing by itself.
            at = datetime.fromtimestamp(kept.checkpoint.at_epoch_s, tz=UTC)
            signer.verify(kept.statement, kept.data, namespace=NAMESPACE, trust=trust, at=at)
    except LedgerError as error:
        return f"does not read: {error.what}"
    except SignatureError as error:
        return f"does not count: {error.what}; if a key was taken out of allowed_signers, put it back"
    return ""


def _not_right(sequence: int, why: str, ledger: Ledger) -> LedgerError:
    error = unverified(sequence, why)
    error.place = ledger.address
    return error


def check_statements(seen: Survey, *, trust: Trust, signer: Signer, place: str) -> int:
    """Raise LedgerError for the first statement whose signature was not made by somebody who counts.

    That a key was revoked since makes a statement count for nothing, which is no fault of the ledger: gives how many.
    """
    allowed = Trust(allowed_signers=trust.allowed_signers)
    revoked = 0
    for one in seen.statements:
        at = datetime.fromtimestamp(one.at_epoch_s, tz=UTC)
        check = partial(
            signer.verify, one.statement.encode(), one.signature.encode(), namespace=namespace_of(one.type), at=at
        )
        try:
            check(trust=allowed)
        except SignatureError as error:
            raise LedgerError(
                f"the ledger does not verify at entry {one.sequence}: its signature as a {one.type} does not count: "
                f"{error.what}",
                place=place,
                remedy="it may be forged; if a key was taken out of allowed_signers, put it back and revoke it instead",
            ) from error
        if trust.revoked:
            try:
                check(trust=trust)
            except SignatureError:
                revoked += 1
    return revoked


def check_bindings(seen: Survey, ledger: Ledger, blobs: Collection[Digest], *, trust: Trust, signer: Signer) -> int:
    """Raise LedgerError for the first artefact whose attestation says something else, or does not count.

    Gives how many have an attestation that was erased. Without signers nobody's signature is checked. As above, a key
    that was revoked since is no fault of the ledger.
    """
    allowed = Trust(allowed_signers=trust.allowed_signers)
    erased = 0
    for sequence, at_epoch_s, event in seen.bindings:
        if event.statement_digest not in blobs:
            erased += 1
            continue
        try:
            made = attestation_of(event, ledger)
            if trust.allowed_signers:
                require_counting(made, trust=allowed, signer=signer, at=datetime.fromtimestamp(at_epoch_s, tz=UTC))
        except SignatureError as error:
            raise LedgerError(
                f"the ledger does not verify at entry {sequence}: the attestation that it rests on does not count: "
                f"{error.what}",
                place=ledger.address,
                remedy="it may be forged; if a key was taken out of allowed_signers, put it back and revoke it instead",
            ) from error
    return erased


def _kept(keeper: Keeper) -> Sealed:
    data = keeper.get()
    if data is None:
        raise LedgerError(
            "there is no checkpoint", place=keeper.address, remedy="`secgate ledger checkpoint` puts one there"
        )
    return sealed(data, place=keeper.address)


def who_signed(kept: Sealed, times: Sequence[datetime], *, trust: Trust, signer: Signer) -> Signed:
    """Give who signed; `times` are what authorities that count vouch for, earliest first.

    A key counts at the earliest of them, else at the checkpoint's own word. Raises SignatureError where it does not,
    and for a person: whoever may write to a ledger and sign for people could else vouch for what they rewrote.
    """
    at = times[0] if times else datetime.fromtimestamp(kept.checkpoint.at_epoch_s, tz=UTC)
    signed = signer.verify(kept.statement, kept.data, namespace=NAMESPACE, trust=trust, at=at)
    if not signed.principal.startswith(MACHINE):
        raise SignatureError(f"`{signed.principal}` is a person, and only machines sign checkpoints")
    return signed


def _who_signed(kept: Sealed, keeper: Keeper, desk: Opened, times: Sequence[datetime]) -> Signed:
    try:
        return who_signed(kept, times, trust=desk.prepared.enforced.trust, signer=_signer("dsse", desk))
    except SignatureError as error:
        raise SignatureError(
            f"the checkpoint does not count: {error.what}",
            place=keeper.address,
            remedy=f"give --enforced DIR whose allowed_signers has the machine's key for {NAMESPACE}",
        ) from error


def stamps(kept: Sealed, authorities: bytes, shop: Workshop) -> tuple[tuple[datetime, ...], tuple[str, ...]]:
    """Give when authorities that count say it was signed, earliest first, and what became of the other timestamps."""
    times: list[datetime] = []
    notes: list[str] = []
    if kept.timestamps and not authorities:
        notes.append(f"its timestamps were not checked: the enforced layer has no {AUTHORITIES_NAME}")
    elif kept.timestamps:
        checker = registry.timestamps(shop.machine, runner=shop.executor, scratch=shop.scratch)
        for answer in kept.timestamps:
            try:
                times.append(checker.verify(answer, kept.signature, authorities=authorities))
            except SignatureError as error:
                notes.append(f"a timestamp does not count: {error.what}")
    return tuple(sorted(times)), tuple(notes)


def required_stamps(kept: Sealed, keeper: Keeper, desk: Opened) -> tuple[tuple[datetime, ...], tuple[str, ...]]:
    """Give what `stamps` does. Raises SignatureError where one is required and none counts."""
    times, notes = stamps(kept, desk.prepared.enforced.authorities, desk.shop)
    if desk.prepared.settings.ledger.timestamps_required and not times:
        told = f": {'; '.join(notes)}" if notes else ""
        lacking = kept.timestamps and not desk.prepared.enforced.authorities
        put = f"put the root certificates of the authorities that count into {AUTHORITIES_NAME} of the enforced layer"
        raise SignatureError(
            f"the checkpoint has no timestamp that counts{told}",
            place=keeper.address,
            remedy=put if lacking else "take one with `secgate ledger checkpoint --timestamp URL`",
        )
    return times, notes


def _newer_notes(seen: Survey, kept: Sealed) -> Iterator[str]:
    """Say where a newer one was put: the place may be the same under another name, and this an old one put back."""
    newer = [(number, one) for number, one in seen.checkpoints if one.size > kept.checkpoint.size]
    if newer:
        number, one = newer[-1]
        yield f"a newer one, of {many_entries(one.size)}, was put at {one.place}, says entry {number}"


def _check_age(kept: Sealed, max_age: timedelta | None, *, place: str, now: datetime) -> None:
    made = datetime.fromtimestamp(kept.checkpoint.at_epoch_s, tz=UTC)
    if max_age is not None and now - made > max_age:
        raise LedgerError(
            f"the checkpoint is of {made:%Y-%m-%d %H:%M} UTC, older than was asked for",
            place=place,
            remedy="see why no newer one was put there, or whether an old one was put back",
        )


def _signer(name: str, desk: Opened) -> Signer:
    return registry.signer(name, machine=desk.shop.machine, runner=desk.shop.executor, scratch=desk.shop.scratch)
