"""Exceptions with a life: who asked for one, who approved it, what it is bound to, when it ends, whether it holds now.

A waiver is a chain of signed statements in the ledger: a request, an approval by somebody else, perhaps a revocation.
Nothing of it is stored but the statements; whether it holds is worked out anew in every run. It never moves a clock:
it changes what the gate says while it holds, and no longer. Source: SLA semantics, rules 10 and 12.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from secgate.bounds import Bound, broken
from secgate.errors import SignatureError, UsageError
from secgate.hearing import Check, Refused, Text, Ticket, hear
from secgate.model import Digest, Epoch, Finding, KnownStatement, Lane, Value, encode
from secgate.patterns import PathPattern
from secgate.people import People
from secgate.twins import twin_group

REQUESTED, APPROVED, REVOKED = "waiver-requested", "waiver-approved", "waiver-revoked"
REQUESTED_TOGETHER = "waivers-requested"
NAMESPACES: Mapping[str, str] = {
    REQUESTED: "secgate-waiver-request",
    REQUESTED_TOGETHER: "secgate-waiver-request",
    APPROVED: "secgate-waiver-approval",
    REVOKED: "secgate-waiver-revocation",
}
"""What a signature is for, by the type of the event that carries it."""

APPROVER = "approver"
"""Role of people.toml without which nobody approves."""

Kind: TypeAlias = Literal["accept", "false-positive", "not-affected"]
DISMISSING: frozenset[Kind] = frozenset({"false-positive", "not-affected"})
"""Kinds that call a finding none. Who approves one of them accepts no risk."""
State: TypeAlias = Literal["requested", "active", "expired", "void"]


class FindingSubject(Value, frozen=True, kw_only=True, tag="finding", forbid_unknown_fields=True):
    """One finding of one repository, and the group of twins that it was in."""

    fingerprint: Digest
    group: Digest
    repository: Text


class AdvisorySubject(Value, frozen=True, kw_only=True, tag="advisory", forbid_unknown_fields=True):
    """One advisory on one package, under any of its names, in the repositories that are named."""

    advisory: Text
    ecosystem: Text
    package: Text
    repositories: Annotated[tuple[Text, ...], Meta(min_length=1)]


class GapSubject(Value, frozen=True, kw_only=True, tag="gap", forbid_unknown_fields=True):
    """What a lane did not look at, for one reason. `path` is a pattern, "" for gaps of the whole lane."""

    lane: Lane
    reason: Text
    path: str
    repository: Text


Subject: TypeAlias = FindingSubject | AdvisorySubject | GapSubject


class Origin(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a request comes from that another tool's file asked for: its form, the file's name, the entry in it.

    `entry` tells the entry from others of its form wherever it stands: asked for once, it is not asked for again.
    """

    form: Text
    file: str
    place: str
    entry: Digest


class Request(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody asks for. The id of a waiver is the digest of this statement's bytes."""

    schema: Literal["secgate/waiver-request/v1"] = "secgate/waiver-request/v1"
    kind: Kind
    subject: Subject
    bound: Bound
    reason: Text
    requester: Text
    requested_epoch_s: Epoch
    expires_epoch_s: Epoch
    ticket: Ticket = ""
    shown: str = ""
    """The subject in words, for people: title and place."""
    origin: Origin | None = None


class Together(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Several requests under one signature. Each is a waiver of its own, known by the digest of its own bytes here."""

    schema: Literal["secgate/waiver-requests/v1"] = "secgate/waiver-requests/v1"
    requests: Annotated[tuple[msgspec.Raw, ...], Meta(min_length=1)]


class Approval(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody else's word for a request."""

    schema: Literal["secgate/waiver-approval/v1"] = "secgate/waiver-approval/v1"
    request: Digest
    approver: Text
    approved_epoch_s: Epoch


class Revocation(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The end of a waiver before its time."""

    schema: Literal["secgate/waiver-revocation/v1"] = "secgate/waiver-revocation/v1"
    request: Digest
    by: Text
    reason: Text
    revoked_epoch_s: Epoch


class Waiver(Value, frozen=True, kw_only=True):
    """A request whose signature holds, and what became of it. Times are the ledger's."""

    id: Digest
    request: Request
    asked_epoch_s: Epoch = 0
    approver: str = ""
    approved_epoch_s: Epoch = 0
    revoked_by: str = ""
    revoked_reason: str = ""

    @property
    def of_gap(self) -> bool:
        """Whether it is of a coverage gap, and of no finding."""
        return isinstance(self.request.subject, GapSubject)

    def until_epoch_s(self, longest_s: int) -> int:
        """Give when it ends: its own expiry, or the longest life that the policy allows, whichever is first."""
        return min(self.request.expires_epoch_s, self.approved_epoch_s + longest_s)


class Standing(Value, frozen=True, kw_only=True):
    """How a waiver stands towards a finding now. `why` is "" for an active one."""

    waiver: Waiver
    state: State
    until_epoch_s: Epoch
    why: str = ""


def statement_id(statement: bytes) -> Digest:
    """Give the id of a statement: the digest of its exact bytes."""
    return hashlib.sha256(statement).hexdigest()


def statement_of(value: Request | Approval | Revocation | Together) -> bytes:
    """Give the exact bytes that are signed."""
    return encode(value)


def together(requests: Iterable[Request]) -> Together:
    """Put requests under one signature."""
    return Together(requests=tuple(msgspec.Raw(statement_of(one)) for one in requests))


def requests_in(one: KnownStatement) -> tuple[bytes, ...]:
    """Give the exact bytes of each request of a statement that requests, alone or together.

    Raises msgspec.DecodeError for what does not read.
    """
    if one.type != REQUESTED_TOGETHER:
        return (one.statement.encode(),)
    return tuple(bytes(raw) for raw in msgspec.json.decode(one.statement, type=Together).requests)


# -------------------------------------------------------------------------------------------------------------- gather


def about(statements: Sequence[KnownStatement], *, repository: str) -> tuple[KnownStatement, ...]:
    """Give what is said of waivers for a repository, unchecked: signatures of all others need not be looked at.

    What does not read is kept, so that it is refused aloud.
    """
    kept: list[KnownStatement] = []
    asked: set[str] = set()
    for one in statements:
        if one.type not in NAMESPACES:
            continue
        try:
            if one.type in (REQUESTED, REQUESTED_TOGETHER):
                mine = [part for part in requests_in(one) if repository in _repositories(part)]
                asked.update(map(statement_id, mine))
                is_about = bool(mine)
            else:
                is_about = msgspec.json.decode(one.statement, type=_Outline).request in asked
        except msgspec.DecodeError:
            is_about = True
        if is_about:
            kept.append(one)
    return tuple(kept)


def _repositories(request: bytes) -> tuple[str, ...]:
    subject = msgspec.json.decode(request, type=_Outline).subject
    return (subject.repository, *subject.repositories)


class _Aim(Value, frozen=True, kw_only=True):
    repository: str = ""
    repositories: tuple[str, ...] = ()


class _Outline(Value, frozen=True, kw_only=True):
    """As much of any statement as tells what it is about."""

    subject: _Aim = _Aim()
    request: str = ""


def gather(
    statements: Sequence[KnownStatement], *, check: Check, people: People
) -> tuple[tuple[Waiver, ...], tuple[Refused, ...]]:
    """Give the waivers that the ledger's statements add up to, in their order, and what of them counts for nothing.

    A request counts when the person that it names signed it. An approval counts when the person that it names signed
    it, is not the requester and has the role `approver`. A revocation counts when any person signed it.
    """
    waivers: dict[str, Waiver] = {}

    def take(one: KnownStatement, signer: str) -> None:
        _take(one, signer, waivers, people)

    refused = hear(statements, take, namespaces=NAMESPACES, check=check, people=people)
    return tuple(waivers.values()), refused


def _take(one: KnownStatement, signer: str, waivers: dict[str, Waiver], people: People) -> None:
    data = one.statement.encode()
    if one.type in (REQUESTED, REQUESTED_TOGETHER):
        asked_for = {statement_id(part): msgspec.json.decode(part, type=Request) for part in requests_in(one)}
        for request in asked_for.values():
            same_person(request.requester, signer)
            if isinstance(request.subject, GapSubject):
                require_readable(request.subject.path)
        for name, request in asked_for.items():
            waivers.setdefault(name, Waiver(id=name, request=request, asked_epoch_s=one.at_epoch_s))
        return
    if one.type == APPROVED:
        approval = msgspec.json.decode(data, type=Approval)
        same_person(approval.approver, signer)
        asked = _asked(waivers, approval.request)
        require_approver(asked.request.requester, signer, people)
        if not asked.approver:
            waivers[asked.id] = msgspec.structs.replace(asked, approver=signer, approved_epoch_s=one.at_epoch_s)
        return
    revocation = msgspec.json.decode(data, type=Revocation)
    same_person(revocation.by, signer)
    asked = _asked(waivers, revocation.request)
    if not asked.revoked_by:
        waivers[asked.id] = msgspec.structs.replace(asked, revoked_by=signer, revoked_reason=revocation.reason)


def require_readable(path: str) -> None:
    """Raise UsageError unless the path of a gap's waiver is "" or a pattern.

    Whoever can sign can write any, and a run that stopped at it would stop for good: the ledger keeps what it has.
    """
    if path:
        PathPattern(path).fits("")


def same_person(named: str, signer: str) -> None:
    """Raise SignatureError unless a statement names the person who signed it."""
    if named != signer:
        raise SignatureError(f"it names `{named}` and `{signer}` signed it", remedy="sign with your own key")


def _asked(waivers: Mapping[str, Waiver], request: str) -> Waiver:
    if request not in waivers:
        raise UsageError(f"there is no request {request[:12]}", remedy="see `secgate waiver list`")
    return waivers[request]


def require_approver(
    requester: str, approver: str, people: People, *, did: str = "asked for", verb: str = "approve"
) -> None:
    """Raise UsageError unless `approver` may approve what `requester` asks for; `did` and `verb` say it in words."""
    if requester == approver:
        raise UsageError(
            f"`{approver}` {did} it and cannot {verb} it", remedy=f"have a second person {verb} it", place="approver"
        )
    person = people.person(approver)
    if person is None:
        raise UsageError(
            f"`{approver}` is nobody of people.toml", remedy="name a person who is in it", place="approver"
        )
    if APPROVER not in person.roles:
        raise UsageError(
            f"`{approver}` may not {verb} it: the role `{APPROVER}` is missing in people.toml",
            remedy="ask one who has it",
            place="approver",
        )


# --------------------------------------------------------------------------------------------------------------- apply


def standing(
    waiver: Waiver, finding: Finding | None, *, now_epoch_s: int, longest_s: int, apart: Collection[str] = ()
) -> Standing:
    """Tell how a waiver stands towards a finding, or by itself for None. At its last second it holds no longer.

    `apart` as in `broken`.
    """
    until = waiver.until_epoch_s(longest_s) if waiver.approver else waiver.request.expires_epoch_s
    state: State = "active"
    why = ""
    if waiver.revoked_by:
        state, why = "void", f"revoked by {waiver.revoked_by}: {waiver.revoked_reason}"
    elif not waiver.approver:
        state, why = "requested", "nobody has approved it yet"
    elif now_epoch_s >= until:
        state, why = "expired", f"it ended {time_words(until)}"
    elif finding is not None:
        why = broken(waiver.request.bound, finding, apart)
        state = "void" if why else "active"
    return Standing(waiver=waiver, state=state, until_epoch_s=until, why=why)


def subject_of(finding: Finding, *, repository: str) -> FindingSubject:
    """Give the subject of a waiver for one finding."""
    return FindingSubject(fingerprint=finding.fingerprint, group=twin_group(finding), repository=repository)


def time_words(epoch_s: int) -> str:
    """Give a time to the second, in UTC."""
    return datetime.fromtimestamp(epoch_s, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
