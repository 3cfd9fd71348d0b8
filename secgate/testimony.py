"""What people answer for that happened outside of the gate: that they reviewed it, that a leaked secret was revoked.

Each is a signed statement of the ledger, bound to that ledger by its id. Whether it counts is worked out anew each
time, by the enforced layer as it is now and at the ledger's time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import Meta

from secgate.errors import UsageError
from secgate.hearing import Check, Refused, Text, hear
from secgate.model import Digest, Epoch, KnownStatement, Value
from secgate.people import People
from secgate.waivers import same_person, statement_id

REVIEWED, REVOKED = "gate-reviewed", "secret-revoked"
NAMESPACES = {REVIEWED: "secgate-gate-review", REVOKED: "secgate-secret-revocation"}
"""What a signature is for, by the type of the event that carries it."""

Reviewed: TypeAlias = Literal["results", "gate-settings", "access", "exceptions"]
"""What may be reviewed: what the gate said; policies, scanners, rules, mode; who may do what; waivers and the like."""


class GateReview(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person looked at these parts of the gate, over a period that has ended, in all of a ledger's repositories."""

    schema: Literal["secgate/gate-review/v1"] = "secgate/gate-review/v1"
    ledger_id: Digest
    from_epoch_s: Epoch
    to_epoch_s: Epoch
    what: Annotated[tuple[Reviewed, ...], Meta(min_length=1)]
    note: Text
    """What was looked at, and what follows."""
    by: Text
    reviewed_epoch_s: Epoch


class SecretRevocation(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A secret that was found was revoked where it was good for something, and where the proof of that is kept."""

    schema: Literal["secgate/secret-revocation/v1"] = "secgate/secret-revocation/v1"
    ledger_id: Digest
    repository: Text
    fingerprint: Text
    revoked_epoch_s: Epoch
    reference: Annotated[str, Meta(min_length=1, max_length=200)]
    by: Text
    said_epoch_s: Epoch


class KnownReview(Value, frozen=True, kw_only=True):
    """A review whose signature holds; times are the ledger's."""

    id: Digest
    said: GateReview
    at_epoch_s: int


class KnownRevocation(Value, frozen=True, kw_only=True):
    """A revocation whose signature holds; `at_epoch_s` is when the ledger was told."""

    id: Digest
    said: SecretRevocation
    at_epoch_s: int


class Vouched(NamedTuple):
    """What counts, in the ledger's order, and what counts for nothing."""

    reviews: tuple[KnownReview, ...] = ()
    revocations: tuple[KnownRevocation, ...] = ()
    refused: tuple[Refused, ...] = ()


def gather(statements: Sequence[KnownStatement], *, check: Check, people: People, ledger_id: str) -> Vouched:
    """Give what statements of these kinds add up to.

    One counts when the person that it names is of people.toml and signed it, for this ledger, and speaks of no time to
    come: a review of a period that is not over, or a revocation that is still to be made, is none.
    """
    reviews: list[KnownReview] = []
    revocations: list[KnownRevocation] = []

    def take(one: KnownStatement, signer: str) -> None:
        found = _read(one, signer, ledger_id)
        if isinstance(found, KnownReview):
            reviews.append(found)
        else:
            revocations.append(found)

    refused = hear(statements, take, namespaces=NAMESPACES, check=check, people=people)
    return Vouched(tuple(reviews), tuple(revocations), refused)


def _read(one: KnownStatement, signer: str, ledger_id: str) -> KnownReview | KnownRevocation:
    data = one.statement.encode()
    if one.type == REVIEWED:
        review = msgspec.json.decode(data, type=GateReview)
        same_person(review.by, signer)
        require_sense(review, ledger_id=ledger_id, at_epoch_s=one.at_epoch_s)
        return KnownReview(id=statement_id(data), said=review, at_epoch_s=one.at_epoch_s)
    revocation = msgspec.json.decode(data, type=SecretRevocation)
    same_person(revocation.by, signer)
    require_sense(revocation, ledger_id=ledger_id, at_epoch_s=one.at_epoch_s)
    return KnownRevocation(id=statement_id(data), said=revocation, at_epoch_s=one.at_epoch_s)


def require_sense(said: GateReview | SecretRevocation, *, ledger_id: str, at_epoch_s: int) -> None:
    """Raise UsageError for a statement of another ledger, or of a time to come."""
    if said.ledger_id != ledger_id:
        raise UsageError("it was said to another ledger", remedy="say it to this one")
    if isinstance(said, SecretRevocation):
        if said.revoked_epoch_s > at_epoch_s:
            raise UsageError("that time is still to come", place="--at", remedy="say it when it is done")
        return
    if said.from_epoch_s >= said.to_epoch_s:
        raise UsageError("the period ends before it begins", place="--to", remedy="give a later day")
    if said.to_epoch_s > at_epoch_s:
        raise UsageError("the period is not over", place="--to", remedy="what may still happen cannot be reviewed")
