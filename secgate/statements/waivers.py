"""Waivers asked for, approved, revoked and listed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from secgate import queries
from secgate.bounds import Bound, bound_of
from secgate.config import Machine
from secgate.errors import UsageError
from secgate.escape import plain
from secgate.hearing import Refused
from secgate.model import KnownStatement, Lane, RunDocument, Severity, Value, WaiverAccount
from secgate.pipeline.exceptions import checked, limits_of
from secgate.policy.values import WaiverLimits
from secgate.preparation import Place
from secgate.scan.coverage import GAP_REASONS
from secgate.signed_events import WaiverApproved, WaiverRequested, WaiverRevoked, WaiversRequested
from secgate.sla import many
from secgate.statements.desk import Desk, Speaker, desk_at, lasting, named, readable, say
from secgate.story import read_document
from secgate.waived import account, for_findings
from secgate.waivers import (
    APPROVED,
    NAMESPACES,
    REQUESTED,
    REQUESTED_TOGETHER,
    REVOKED,
    AdvisorySubject,
    Approval,
    GapSubject,
    Kind,
    Origin,
    Request,
    Revocation,
    Subject,
    Waiver,
    about,
    require_approver,
    require_readable,
    standing,
    statement_id,
    subject_of,
    together,
)

_SHOWN = 12
_RUNS_LOOKED_AT = 50
_WITHOUT_USE = ("unused", "void")
MOST_REPOSITORIES = 5_000
MOST_VERSIONS = 200
LONGEST_NAME = 1_000
"""Characters of a path pattern, and of the name of anything else that a waiver is about."""
_NO_VERSION = frozenset("*<>=^,| \t\r\n")


class Wish(Value, frozen=True, kw_only=True):
    """What is asked for beside the subject. `expires` is when it ends."""

    kind: Kind
    reason: str
    expires: datetime
    ticket: str = ""


class Draft(Value, frozen=True, kw_only=True):
    """One of several requests that are made together."""

    wish: Wish
    subject: Subject
    bound: Bound
    shown: str
    origin: Origin


class Listed(NamedTuple):
    """The waivers that are about a repository, with how each stands, what counts for nothing, and limits."""

    waivers: tuple[Waiver, ...]
    accounts: tuple[WaiverAccount, ...]
    """One for each waiver, in the same order."""
    refused: tuple[Refused, ...]
    limits: WaiverLimits
    run_id: str
    """The run whose findings they were held against, "" for none."""


def request_for_finding(
    name: str, wish: Wish, *, speaker: Speaker, place: Place, run: str = "", machine: Machine, now: datetime
) -> Waiver:
    """Ask that a finding of the last run (or of `run`) be let pass; `name` is the beginning of its fingerprint.

    Raises UsageError, SignatureError or LedgerError; nothing is then written.
    """
    document = queries.stored_run(
        run, path=place.path, config=place.config, enforced=place.enforced, machine=machine, now=now
    )
    finding = named(name, document)
    with desk_at(place, machine=machine, now=now) as desk:
        subject = subject_of(finding, repository=desk.repository)
        shown = f"{finding.title} ({finding.location.words})"
        asked = _request(wish, speaker, desk, subject=subject, bound=bound_of(finding), shown=shown)
        return _ask(asked, speaker, desk)


def request_for_advisory(
    subject: AdvisorySubject,
    wish: Wish,
    *,
    versions: Sequence[str],
    severity: Severity,
    speaker: Speaker,
    place: Place,
    machine: Machine,
    now: datetime,
) -> Waiver:
    """Ask that an advisory on a package be let pass in the repositories that the subject names.

    It is bound to the resolved `versions`, at least one, and to a severity that it must not rise above. The tree's own
    repository must be among them. Raises UsageError, SignatureError or LedgerError; nothing is then written.
    """
    _require_versions(versions)
    _require_few(subject)
    bound = Bound(form="version", values=tuple(sorted(set(versions))), severity=severity)
    shown = (
        f"{subject.advisory} of {subject.package} in {many(len(subject.repositories), 'repository', 'repositories')}"
    )
    with desk_at(place, machine=machine, now=now) as desk:
        if desk.repository not in subject.repositories:
            raise UsageError(
                f"this tree is {desk.repository}, which is not among the repositories that the waiver is for",
                remedy="name it too, or ask in a tree of one of them: its gate is the one that reads this ledger",
            )
        return _ask(_request(wish, speaker, desk, subject=subject, bound=bound, shown=shown), speaker, desk)


def _require_versions(versions: Sequence[str]) -> None:
    """Raise UsageError unless each is a version as a lock file resolves it: of a range no package is ever."""
    if not versions:
        raise UsageError("no version is given that the waiver is bound to", remedy="give --version, once or more often")
    if len(versions) > MOST_VERSIONS:
        raise UsageError(
            f"{len(versions):,} versions are given, and {MOST_VERSIONS:,} are allowed",
            place="--version",
            remedy="give those that lock files have",
        )
    for one in versions:
        require_short(one, "--version")
        if not one or set(one) & _NO_VERSION:
            raise UsageError(
                f"`{plain(one)}` is no version of one package",
                remedy="give the resolved ones, as the lock file has them",
            )


def _require_few(subject: AdvisorySubject) -> None:
    """Raise UsageError for names and lists that nobody reads before signing."""
    if len(subject.repositories) > MOST_REPOSITORIES:
        raise UsageError(
            f"{len(subject.repositories):,} repositories are named, and {MOST_REPOSITORIES:,} are allowed",
            place="--repository",
            remedy="ask once for each part of them",
        )
    named = [("--advisory", subject.advisory), ("--package", subject.package)]
    for option, text in (*named, *(("--repository", one) for one in subject.repositories)):
        require_short(text, option)


def require_short(text: str, option: str) -> None:
    """Raise UsageError for a name or a pattern that is longer than any real one."""
    if len(text) > LONGEST_NAME:
        raise UsageError(
            f"it has {len(text):,} characters, and {LONGEST_NAME:,} are allowed: {plain(text[:40])}...",
            place=option,
            remedy="give the name as it is",
        )


def request_for_gap(
    lane: Lane, reason: str, path: str, wish: Wish, *, speaker: Speaker, place: Place, machine: Machine, now: datetime
) -> Waiver:
    """Ask that gaps of a lane, of one reason and under a path pattern, be let pass; "" for those of the whole lane.

    Raises UsageError for what no gap can ever have, SignatureError or LedgerError; nothing is then written.
    """
    _require_possible(reason, path)
    with desk_at(place, machine=machine, now=now) as desk:
        subject = GapSubject(lane=lane, reason=reason, path=path, repository=desk.repository)
        shown = f"{lane}: {reason} {path or 'of the whole lane'}"
        asked = _request(wish, speaker, desk, subject=subject, bound=Bound(form="nothing"), shown=shown)
        return _ask(asked, speaker, desk)


def _require_possible(reason: str, path: str) -> None:
    if reason not in GAP_REASONS:
        known = ", ".join(sorted(GAP_REASONS))
        raise UsageError(f"`{plain(reason)}` is no reason of a gap", remedy=f"one of: {known}")
    require_readable(path)
    require_short(path, "PATH")
    if {".", ".."} & set(path.split("/")):
        raise UsageError(
            f"`{plain(path)}` fits no file: patterns begin at the root of the repository",
            remedy="give one without `.` and `..`, such as `charts/`",
        )


def request_together(
    drafts: Sequence[Draft], *, speaker: Speaker, place: Place, machine: Machine, now: datetime
) -> tuple[Waiver, ...]:
    """Ask for several waivers under one signature, each approved and revoked by itself; the key is used once.

    Raises UsageError, SignatureError or LedgerError; nothing is then written.
    """
    with desk_at(place, machine=machine, now=now) as desk:
        asked = [
            _request(one.wish, speaker, desk, subject=one.subject, bound=one.bound, shown=one.shown, origin=one.origin)
            for one in drafts
        ]
        names = [statement_id(readable(one)) for one in asked]
        say(NAMESPACES[REQUESTED_TOGETHER], together(asked), WaiversRequested, speaker, desk)
        made = {waiver.id: waiver for waiver in _waivers(desk)[0]}
        return tuple(made[name] for name in names)


def approve(name: str, *, speaker: Speaker, place: Place, machine: Machine, now: datetime) -> Waiver:
    """Approve the request whose id begins with `name`. Raises UsageError for one's own, and without the role."""
    with desk_at(place, machine=machine, now=now) as desk:
        waiver = _waiver(name, desk)
        if waiver.revoked_by or waiver.approver:
            told = "revoked" if waiver.revoked_by else f"approved by {waiver.approver}"
            raise UsageError(f"waiver {waiver.id[:_SHOWN]} is {told} already", remedy="see `secgate waiver list`")
        require_approver(waiver.request.requester, speaker.person, desk.enforced.people)
        if waiver.request.expires_epoch_s <= int(desk.now.timestamp()):
            raise UsageError(f"waiver {waiver.id[:_SHOWN]} has expired", remedy="ask for another")
        said = Approval(request=waiver.id, approver=speaker.person, approved_epoch_s=int(desk.now.timestamp()))
        say(NAMESPACES[APPROVED], said, WaiverApproved, speaker, desk)
        return _waiver(waiver.id, desk)


def revoke(name: str, reason: str, *, speaker: Speaker, place: Place, machine: Machine, now: datetime) -> Waiver:
    """End a waiver, or take back a request; any person may, and once is enough."""
    with desk_at(place, machine=machine, now=now) as desk:
        waiver = _waiver(name, desk)
        if waiver.revoked_by:
            raise UsageError(
                f"waiver {waiver.id[:_SHOWN]} is revoked already, by {waiver.revoked_by}: "
                f"{plain(waiver.revoked_reason)}",
                remedy="nothing is left to do",
            )
        said = Revocation(
            request=waiver.id, by=speaker.person, reason=reason, revoked_epoch_s=int(desk.now.timestamp())
        )
        say(NAMESPACES[REVOKED], said, WaiverRevoked, speaker, desk)
        return _waiver(waiver.id, desk)


def listed(*, place: Place, machine: Machine, now: datetime) -> Listed:
    """Give the waivers that are about a tree's repository, in the order in which they were asked for.

    Each stands as towards the findings of the last run that looked at the whole tree, else by itself.
    """
    with desk_at(place, machine=machine, now=now) as desk:
        waivers, refused = _waivers(desk)
        policy = limits_of(desk.prepared)
        limits, at = policy.waivers_s, int(desk.now.timestamp())
        last = _last_whole_run(desk)
        found = last.findings if last is not None else ()
        stand = for_findings(waivers, found, repository=desk.repository, now_epoch_s=at, longest_s=limits.of)
        # Of several findings that one waiver is about, the one that it does not hold for is told.
        beside = {
            one.waiver.id: account(one, shown="", fingerprint=name, notice_s=policy.notice_s, now_epoch_s=at)
            for name, one in sorted(stand.items(), key=lambda item: item[1].state != "active")
        }
        # What the run told of a finding by a name that it has no more, or of one that is gone, holds until the next.
        told_then = {one.id: one for one in last.waivers if one.state in _WITHOUT_USE} if last is not None else {}
        accounts = []
        for waiver in waivers:
            life = limits.longest(waiver.request.bound.severity, of_gap=waiver.of_gap)
            alone = standing(waiver, None, now_epoch_s=at, longest_s=life)
            told = account(alone, shown="", fingerprint="", notice_s=policy.notice_s, now_epoch_s=at)
            if alone.state == "active":
                told = beside.get(waiver.id) or told_then.get(waiver.id) or told
            accounts.append(told)
        return Listed(tuple(waivers), tuple(accounts), refused, limits, last.run_id if last is not None else "")


def _last_whole_run(desk: Desk) -> RunDocument | None:
    """Give the last recorded run that looked at the whole tree and came to its end."""
    runs = [run for run in desk.memory.runs(desk.repository) if run.complete]
    for run in reversed(runs[-_RUNS_LOOKED_AT:]):
        document = read_document(desk.ledger.blob(run.document_digest))
        if document.target.changed is None and not document.target.prefix:
            return document
    return None


# ----------------------------------------------------------------------------------------------------------- machinery


def _request(
    wish: Wish,
    speaker: Speaker,
    desk: Desk,
    *,
    subject: Subject,
    bound: Bound,
    shown: str,
    origin: Origin | None = None,
) -> Request:
    at = int(desk.now.timestamp())
    of_gap = isinstance(subject, GapSubject)
    until = lasting(
        wish.expires,
        at_epoch_s=at,
        longest_s=limits_of(desk.prepared).waivers_s.longest(bound.severity, of_gap=of_gap),
        what="a waiver of a gap"
        if of_gap
        else f"a waiver of {'an' if bound.severity is Severity.INFO else 'a'} {bound.severity} finding",
        limit=f"waivers_s.{'gap' if of_gap else bound.severity.value}",
    )
    return Request(
        kind=wish.kind,
        subject=subject,
        bound=bound,
        reason=wish.reason,
        requester=speaker.person,
        requested_epoch_s=at,
        expires_epoch_s=until,
        ticket=wish.ticket,
        shown=shown[:200],
        origin=origin,
    )


def _ask(asked: Request, speaker: Speaker, desk: Desk) -> Waiver:
    statement = say(NAMESPACES[REQUESTED], asked, WaiverRequested, speaker, desk)
    return _waiver(statement_id(statement), desk)


def _waivers(desk: Desk) -> tuple[tuple[Waiver, ...], tuple[Refused, ...]]:
    mine: tuple[KnownStatement, ...] = about(desk.memory.statements, repository=desk.repository)
    return checked(mine, enforced=desk.enforced, signer=desk.signer)


def _waiver(name: str, desk: Desk) -> Waiver:
    waivers, refused = _waivers(desk)
    found = [one for one in waivers if one.id.startswith(name)]
    if name and len(found) == 1:
        return found[0]
    told = f"{len(found)} waivers begin with `{name}`"
    if refused:
        told += f"; {len(refused)} statements count for nothing, the first: {refused[0].why}"
    raise UsageError(told, remedy="see `secgate waiver list`")
