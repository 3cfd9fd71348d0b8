"""Two people agree: one asks, another approves, any of them may end it. Each says so with a signature, in the ledger.

What follows from the statements is never stored: which of them count is worked out from the exact bytes, by the
enforced layer as it is now and at the ledger's time of each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

import msgspec

from secgate.errors import UsageError
from secgate.hearing import Check, Refused, Text, Ticket, hear
from secgate.model import Digest, Epoch, KnownStatement, Value
from secgate.people import People
from secgate.waivers import require_approver, same_person, statement_id


class Procedure(NamedTuple):
    """The words of one kind of agreement, such as `downgrade`: types of events, what signatures are for, schemas."""

    name: str

    @property
    def requested(self) -> str:
        """Type of the event with a request."""
        return f"{self.name}-requested"

    @property
    def approved(self) -> str:
        """Type of the event with an approval."""
        return f"{self.name}-approved"

    @property
    def revoked(self) -> str:
        """Type of the event with a revocation."""
        return f"{self.name}-revoked"

    @property
    def namespaces(self) -> Mapping[str, str]:
        """What a signature is for, by the type of the event that carries it."""
        return {
            self.requested: f"secgate-{self.name}-request",
            self.approved: f"secgate-{self.name}-approval",
            self.revoked: f"secgate-{self.name}-revocation",
        }

    def schema(self, part: str) -> str:
        """Give what a statement of a part (`request`, `approval`, `revocation`) names as its schema."""
        return f"secgate/{self.name}-{part}/v1"


class Asked(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ground of a request. The id of an agreement is the digest of this statement's bytes."""

    schema: str
    reason: Text
    requester: Text
    requested_epoch_s: Epoch
    expires_epoch_s: Epoch
    ticket: Ticket = ""
    shown: str = ""
    """The subject in words, for people: title and place."""


class Approval(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody else's word for a request."""

    schema: str
    request: Digest
    approver: Text
    approved_epoch_s: Epoch


class Revocation(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The end of an agreement before its time."""

    schema: str
    request: Digest
    by: Text
    reason: Text
    revoked_epoch_s: Epoch


Request = TypeVar("Request", bound=Asked)


class Agreement(Value, Generic[Request], frozen=True, kw_only=True):
    """A request whose signature holds, and what became of it. Times are the ledger's."""

    id: Digest
    request: Request
    approver: str = ""
    approved_epoch_s: Epoch = 0
    revoked_by: str = ""
    revoked_reason: str = ""
    revoked_epoch_s: Epoch = 0

    def until_epoch_s(self, longest_s: int) -> int:
        """Give when it ends: its own expiry, or the longest life that the policy allows, whichever is first."""
        return min(self.request.expires_epoch_s, self.approved_epoch_s + longest_s)


class _Aim(Value, frozen=True, kw_only=True):
    repository: str = ""


class _Outline(Value, frozen=True, kw_only=True):
    """As much of any statement as tells what it is about."""

    subject: _Aim = _Aim()
    request: str = ""


def about(statements: Sequence[KnownStatement], procedure: Procedure, *, repository: str) -> tuple[KnownStatement, ...]:
    """Give what is said of a repository, unchecked: signatures of all others need not be looked at.

    What does not read is kept, so that it is refused aloud.
    """
    return tuple(_about(statements, procedure, repository=repository))


def _about(statements: Sequence[KnownStatement], procedure: Procedure, *, repository: str) -> Iterator[KnownStatement]:
    asked: set[str] = set()
    for one in statements:
        if one.type not in procedure.namespaces:
            continue
        try:
            said = msgspec.json.decode(one.statement, type=_Outline)
        except msgspec.DecodeError:
            yield one
            continue
        if one.type == procedure.requested and said.subject.repository == repository:
            asked.add(statement_id(one.statement.encode()))
            yield one
        elif one.type != procedure.requested and said.request in asked:
            yield one


def gather(
    statements: Sequence[KnownStatement], procedure: Procedure, form: type[Request], *, check: Check, people: People
) -> tuple[tuple[Agreement[Request], ...], tuple[Refused, ...]]:
    """Give the agreements that the ledger's statements add up to, in their order, and what of them counts for nothing.

    A request counts when the person that it names signed it. An approval counts when the person that it names signed
    it, is not the requester and has the role `approver`. A revocation counts when any person signed it.
    """
    found: dict[str, Agreement[Request]] = {}

    def take(one: KnownStatement, signer: str) -> None:
        _take(one, signer, found, procedure, form, people=people)

    refused = hear(statements, take, namespaces=procedure.namespaces, check=check, people=people)
    return tuple(found.values()), refused


def _take(
    one: KnownStatement,
    signer: str,
    found: dict[str, Agreement[Request]],
    procedure: Procedure,
    form: type[Request],
    *,
    people: People,
) -> None:
    data = one.statement.encode()
    if one.type == procedure.requested:
        request = msgspec.json.decode(data, type=form)
        _same_schema(request.schema, procedure.schema("request"))
        same_person(request.requester, signer)
        # Said twice it is the same; what was approved since stays approved.
        found.setdefault(statement_id(data), Agreement(id=statement_id(data), request=request))
        return
    if one.type == procedure.approved:
        approval = msgspec.json.decode(data, type=Approval)
        _same_schema(approval.schema, procedure.schema("approval"))
        same_person(approval.approver, signer)
        asked = _asked(found, approval.request)
        require_approver(asked.request.requester, signer, people)
        if not asked.approver:
            found[asked.id] = msgspec.structs.replace(asked, approver=signer, approved_epoch_s=one.at_epoch_s)
        return
    revocation = msgspec.json.decode(data, type=Revocation)
    _same_schema(revocation.schema, procedure.schema("revocation"))
    same_person(revocation.by, signer)
    asked = _asked(found, revocation.request)
    if not asked.revoked_by:
        found[asked.id] = msgspec.structs.replace(
            asked, revoked_by=signer, revoked_reason=revocation.reason, revoked_epoch_s=one.at_epoch_s
        )


def _same_schema(named: str, wanted: str) -> None:
    if named != wanted:
        raise UsageError(f"it names the schema `{named}`, not `{wanted}`", remedy="")


def _asked(found: Mapping[str, Agreement[Request]], request: str) -> Agreement[Request]:
    if request not in found:
        raise UsageError(f"there is no request {request[:12]}", remedy="see the list")
    return found[request]
