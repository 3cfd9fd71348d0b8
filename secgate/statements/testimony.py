"""Reviews of the gate signed and listed, and revocations of leaked secrets told."""

from __future__ import annotations

from datetime import datetime

from secgate.config import Machine
from secgate.errors import LedgerError, UsageError
from secgate.model import Lane, Value
from secgate.naming import resolve
from secgate.pipeline.testifying import checked
from secgate.preparation import Place
from secgate.signed_events import GateReviewed, SecretRevoked
from secgate.statements.desk import Desk, Speaker, desk_at, say
from secgate.testimony import (
    NAMESPACES,
    REVIEWED,
    REVOKED,
    GateReview,
    KnownReview,
    KnownRevocation,
    Reviewed,
    SecretRevocation,
    Vouched,
    require_sense,
)
from secgate.waivers import statement_id


class ReviewWish(Value, frozen=True, kw_only=True):
    """Which parts of the gate were reviewed over which period (aware times), and what was looked at."""

    start: datetime
    end: datetime
    what: tuple[Reviewed, ...]
    note: str


def sign_review(wish: ReviewWish, *, speaker: Speaker, place: Place, machine: Machine, now: datetime) -> KnownReview:
    """Say that the gate was reviewed. Raises UsageError, SignatureError or LedgerError."""
    with desk_at(place, machine=machine, now=now) as desk:
        at = int(desk.now.timestamp())
        said = GateReview(
            ledger_id=_ledger_id(desk),
            from_epoch_s=int(wish.start.timestamp()),
            to_epoch_s=int(wish.end.timestamp()),
            what=tuple(sorted(set(wish.what))),
            note=wish.note,
            by=speaker.person,
            reviewed_epoch_s=at,
        )
        require_sense(said, ledger_id=said.ledger_id, at_epoch_s=at)
        statement = say(NAMESPACES[REVIEWED], said, GateReviewed, speaker, desk)
        return KnownReview(id=statement_id(statement), said=said, at_epoch_s=at)


def tell_revocation(
    finding: str, revoked: datetime, reference: str, *, speaker: Speaker, place: Place, machine: Machine, now: datetime
) -> KnownRevocation:
    """Say that a secret which was found was revoked. `finding` is any name of it.

    Raises UsageError for what is no secret that the ledger knows or a time to come, SignatureError, LedgerError.
    """
    with desk_at(place, machine=machine, now=now) as desk:
        at = int(desk.now.timestamp())
        said = SecretRevocation(
            ledger_id=_ledger_id(desk),
            repository=desk.repository,
            fingerprint=_secret(finding, desk),
            revoked_epoch_s=int(revoked.timestamp()),
            reference=reference,
            by=speaker.person,
            said_epoch_s=at,
        )
        require_sense(said, ledger_id=said.ledger_id, at_epoch_s=at)
        statement = say(NAMESPACES[REVOKED], said, SecretRevoked, speaker, desk)
        return KnownRevocation(id=statement_id(statement), said=said, at_epoch_s=at)


def listed_testimony(*, place: Place, machine: Machine, now: datetime) -> Vouched:
    """Give the reviews and revocations of a tree's ledger, oldest first, and what counts for nothing."""
    with desk_at(place, machine=machine, now=now) as desk:
        return checked(desk.memory.statements, enforced=desk.enforced, signer=desk.signer, ledger_id=_ledger_id(desk))


def _ledger_id(desk: Desk) -> str:
    if desk.memory.ledger_id is None:
        raise LedgerError("the ledger has no id", place=desk.ledger.address, remedy="secgate ledger init")
    return desk.memory.ledger_id


def _secret(finding: str, desk: Desk) -> str:
    lines = desk.memory.lines(desk.repository)
    names = resolve(finding.strip(), lines) if finding.strip() else ()
    known = next((line.findings[names[0]] for line in lines.values() if names and names[0] in line.findings), None)
    if known is None:
        raise UsageError(
            f"the ledger knows no finding `{finding}` of {desk.repository}",
            remedy="see the fingerprints in `secgate sla --format json`",
        )
    if known.facts.lane is not Lane.SECRETS:
        raise UsageError(f"{names[0][:12]} is no secret: it is of the lane {known.facts.lane}", remedy="name a secret")
    return names[0]
