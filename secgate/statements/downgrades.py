"""Downgrades asked for, approved, revoked and listed."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import msgspec

from secgate import queries
from secgate.agreement import Approval, Revocation, about
from secgate.baseline import as_bad_as_ever
from secgate.bounds import bound_of
from secgate.config import Machine
from secgate.downgrades import PROCEDURE, Downgrade, DowngradeRequest, Standing, standing
from secgate.errors import UsageError
from secgate.escape import plain
from secgate.hearing import Refused
from secgate.model import Finding, Severity, Value
from secgate.pipeline.downgraded import checked, is_above, late_duties
from secgate.pipeline.exceptions import SHOWN, limits_of
from secgate.preparation import Place
from secgate.signed_events import DowngradeApproved, DowngradeRequested, DowngradeRevoked
from secgate.statements.desk import Desk, Speaker, desk_at, lasting, named, say
from secgate.waivers import require_approver, statement_id, subject_of, time_words

_SEE = "see `secgate downgrade list`"


class DowngradeWish(Value, frozen=True, kw_only=True):
    """What is asked for: `severity` is what the finding is to count as, `expires` when that ends."""

    severity: Severity
    reason: str
    expires: datetime
    ticket: str = ""


class ListedDowngrades(NamedTuple):
    """The downgrades of a repository's findings, with how each stands by itself, and what counts for nothing."""

    standings: tuple[Standing, ...]
    refused: tuple[Refused, ...]


def request_downgrade(
    name: str, wish: DowngradeWish, *, speaker: Speaker, place: Place, run: str = "", machine: Machine, now: datetime
) -> Downgrade:
    """Ask that a finding of the last run (or of `run`) count for less; `name` is the beginning of its fingerprint.

    Raises UsageError, SignatureError or LedgerError; nothing is then written.
    """
    document = queries.stored_run(
        run, path=place.path, config=place.config, enforced=place.enforced, machine=machine, now=now
    )
    finding = named(name, document)
    with desk_at(place, machine=machine, now=now) as desk:
        asked = _request(finding, wish, speaker, desk)
        statement = say(PROCEDURE.namespaces[PROCEDURE.requested], asked, DowngradeRequested, speaker, desk)
        return _downgrade(statement_id(statement), desk)


def approve_downgrade(name: str, *, speaker: Speaker, place: Place, machine: Machine, now: datetime) -> Downgrade:
    """Approve the request whose id begins with `name`.

    Raises UsageError for one's own, without the role, and where every duty that it would take back was due already.
    """
    with desk_at(place, machine=machine, now=now) as desk:
        found = _downgrade(name, desk)
        at = int(desk.now.timestamp())
        if found.revoked_by or found.approver:
            told = "revoked" if found.revoked_by else f"approved by {found.approver}"
            raise UsageError(f"downgrade {found.id[:SHOWN]} is {told} already", remedy=_SEE)
        require_approver(found.request.requester, speaker.person, desk.enforced.people)
        if found.request.expires_epoch_s <= at:
            raise UsageError(f"downgrade {found.id[:SHOWN]} has expired", remedy="ask for another")
        _require_in_time(found, desk)
        said = Approval(
            schema=PROCEDURE.schema("approval"), request=found.id, approver=speaker.person, approved_epoch_s=at
        )
        say(PROCEDURE.namespaces[PROCEDURE.approved], said, DowngradeApproved, speaker, desk)
        return _downgrade(found.id, desk)


def revoke_downgrade(
    name: str, reason: str, *, speaker: Speaker, place: Place, machine: Machine, now: datetime
) -> Downgrade:
    """End a downgrade, or take back a request; any person may, and once is enough."""
    with desk_at(place, machine=machine, now=now) as desk:
        found = _downgrade(name, desk)
        if found.revoked_by:
            raise UsageError(
                f"downgrade {found.id[:SHOWN]} is revoked already, by {found.revoked_by}: "
                f"{plain(found.revoked_reason)}",
                remedy="nothing is left to do",
            )
        said = Revocation(
            schema=PROCEDURE.schema("revocation"),
            request=found.id,
            by=speaker.person,
            reason=reason,
            revoked_epoch_s=int(desk.now.timestamp()),
        )
        say(PROCEDURE.namespaces[PROCEDURE.revoked], said, DowngradeRevoked, speaker, desk)
        return _downgrade(found.id, desk)


def listed_downgrades(*, place: Place, machine: Machine, now: datetime) -> ListedDowngrades:
    """Give the downgrades of a tree's repository, in the order in which they were asked for."""
    with desk_at(place, machine=machine, now=now) as desk:
        found, refused = _downgrades(desk)
        limits = limits_of(desk.prepared).downgrades_s
        at = int(desk.now.timestamp())
        return ListedDowngrades(
            tuple(
                standing(one, None, now_epoch_s=at, longest_s=limits.of(one.request.bound.severity)) for one in found
            ),
            refused,
        )


def _request(finding: Finding, wish: DowngradeWish, speaker: Speaker, desk: Desk) -> DowngradeRequest:
    at = int(desk.now.timestamp())
    # What stands counts, though the tools say less by now: their word loosens nothing.
    severity = as_bad_as_ever(finding.severity, finding.obligations)
    if wish.severity is Severity.INFO:
        raise UsageError(
            "nothing is downgraded to info, which has no limit",
            remedy="if it is no weakness at all, ask for a waiver of the kind false-positive",
        )
    if wish.severity.rank >= severity.rank:
        raise UsageError(f"the finding counts as {severity}: {wish.severity} is not less", remedy="give a lower --to")
    until = lasting(
        wish.expires,
        at_epoch_s=at,
        longest_s=limits_of(desk.prepared).downgrades_s.of(severity),
        what=f"a downgrade from {severity}",
        limit=f"downgrades_s.{severity.value}",
    )
    return DowngradeRequest(
        schema=PROCEDURE.schema("request"),
        subject=subject_of(finding, repository=desk.repository),
        bound=msgspec.structs.replace(bound_of(finding), severity=severity),
        severity=wish.severity,
        reason=wish.reason,
        requester=speaker.person,
        requested_epoch_s=at,
        expires_epoch_s=until,
        ticket=wish.ticket,
        shown=f"{finding.title} ({finding.location.words})"[:200],
    )


def _require_in_time(found: Downgrade, desk: Desk) -> None:
    """Raise UsageError where all that it would take back was due before now. Source: SLA semantics, rule 7."""
    severity = found.request.severity
    lines = desk.memory.lines(desk.repository).values()
    known = [one for line in lines if (one := line.find([found.request.subject.fingerprint])) is not None]
    duties = [duty for one in known if one.is_open for duty in one.obligations]
    taken = [duty for duty in duties if not duty.superseded and is_above(duty, severity)]
    late = late_duties(duties, severity, approved_epoch_s=int(desk.now.timestamp()))
    if taken and len(late) == len(taken):
        raise UsageError(
            f"{late[0].basis} was due {time_words(late[0].due_epoch_s)}: a downgrade approved after that moves nothing",
            remedy="fix it, or ask for a waiver; the clock runs on either way",
        )


def _downgrades(desk: Desk) -> tuple[tuple[Downgrade, ...], tuple[Refused, ...]]:
    mine = about(desk.memory.statements, PROCEDURE, repository=desk.repository)
    return checked(mine, enforced=desk.enforced, signer=desk.signer)


def _downgrade(name: str, desk: Desk) -> Downgrade:
    downgrades, refused = _downgrades(desk)
    found = [one for one in downgrades if one.id.startswith(name)]
    if name and len(found) == 1:
        return found[0]
    told = f"{len(found)} downgrades begin with `{name}`"
    if refused:
        told += f"; {len(refused)} statements count for nothing, the first: {refused[0].why}"
    raise UsageError(told, remedy=_SEE)
