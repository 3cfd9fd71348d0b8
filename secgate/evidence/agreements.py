"""Populations of what people answered for: overrides, exceptions, changes and reviews of the gate, checkpoints."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from secgate.agreement import Procedure
from secgate.assertion_facts import CheckpointItem, ExceptionItem, GateChangeItem, OverrideItem, ReviewWindowItem
from secgate.assertions import Period, Population
from secgate.controls import Assertion
from secgate.evidence.ground import Ground, Read
from secgate.hearing import refused_words
from secgate.model import Value
from secgate.testimony import REVIEWED, KnownReview, Reviewed
from secgate.waivers import APPROVED, REQUESTED, statement_id

_APPROVED = (APPROVED, Procedure("downgrade").approved)
_DAY_S = 86400
_LONGEST_MONTH_S = 31 * _DAY_S
_REQUESTED = (REQUESTED, Procedure("downgrade").requested)


def overrides(ground: Ground, assertion: Assertion) -> Population:
    """Give each override that was given in the period, or whose review still had time when it began."""
    del assertion
    limits = ground.limits.overrides_s
    items = tuple(
        OverrideItem(
            id=read.named(one.id, one.id),
            by=one.said.by,
            authorised=not one.void,
            has_reason=bool(one.said.reason.strip()),
            given_epoch_s=one.given_epoch_s,
            until_epoch_s=one.said.until_epoch_s,
            longest_s=limits.longest,
            reviewer=one.reviewer or (one.said.by if one.own_review_epoch_s else ""),
            reviewed_epoch_s=one.reviewed_epoch_s or one.own_review_epoch_s,
            review_due_epoch_s=one.given_epoch_s + limits.review,
            word=one.word or "none",
        )
        for read in ground.ledgers
        for one in read.said.overrides
    )
    items = tuple(
        one for one in items if ground.concerns(one.given_epoch_s, one.review_due_epoch_s, one.reviewed_epoch_s)
    )
    return Population(items, reason=unchecked(ground, "override-"), notes=refused_notes(ground, "override-"))


def exceptions(ground: Ground, assertion: Assertion) -> Population:
    """Give each waiver, dismissal and downgrade that was approved in the period, in vain as well."""
    del assertion
    items = [item for read in ground.ledgers for item in (*_approved(read, ground), *_in_vain(read, ground))]
    notes = (*refused_notes(ground, "waiver"), *refused_notes(ground, "downgrade-"))
    return Population(tuple(items), reason=unchecked(ground, "waiver", "downgrade-"), notes=notes)


def gate_changes(ground: Ground, assertion: Assertion) -> Population:
    """Give each change of policy, scanner, rule pack or mode, and the first review of it that was signed after it.

    Those before the period whose review still had time when it began are told again.
    """
    items, limit_s = [], int(assertion.params.get("limit_days", 0)) * _DAY_S
    for read in ground.ledgers:
        for one in read.chronicle.changes:
            found = _reviewed(read, "gate-settings", one.at_epoch_s, one.at_epoch_s + 1)
            item = GateChangeItem(
                id=read.named(one.key, one.change.repository),
                changed_epoch_s=one.at_epoch_s,
                reviewed_epoch_s=found[-1].at_epoch_s if found else 0,
                review=found[-1].id if found else "",
            )
            if ground.concerns(item.changed_epoch_s, item.changed_epoch_s + limit_s, item.reviewed_epoch_s):
                items.append(item)
    notes = (*refused_notes(ground, REVIEWED), *ground.overlaps())
    return Population(tuple(items), reason=unchecked(ground, REVIEWED), notes=notes)


def review_windows(ground: Ground, assertion: Assertion) -> Population:
    """Give each calendar month of the period, in UTC, and when the last of the ledgers was reviewed for it.

    Before them those in which runs were recorded and whose review still had time when the period began.
    """
    items, limit_s = [], int(assertion.params.get("limit_days", 0)) * _DAY_S
    for one in (*_months_before(ground, limit_s), *months(ground.period)):
        reviews = [_reviewed(read, "results", start, one.to_epoch_s) for read, start in _to_review(ground, one)]
        item = ReviewWindowItem(
            id=f"{datetime.fromtimestamp(one.from_epoch_s, tz=UTC):%Y-%m-%d}",
            to_epoch_s=one.to_epoch_s,
            reviewed_epoch_s=max(found[-1].at_epoch_s for found in reviews) if all(reviews) else 0,
            reviews=tuple(review.id for found in reviews for review in found),
        )
        if ground.concerns(one.to_epoch_s - 1, one.to_epoch_s + limit_s, item.reviewed_epoch_s):
            items.append(item)
    return Population(tuple(items), reason=unchecked(ground, REVIEWED), notes=refused_notes(ground, REVIEWED))


def checkpoints(ground: Ground, assertion: Assertion) -> Population:
    """Give each checkpoint that was brought from where it is kept, and what of the period none of them is of.

    An old checkpoint, or one of another of the ledgers, shows nothing of what was recorded since, or there.
    """
    del assertion
    reason = "" if ground.checkpoints else "no checkpoint that is kept elsewhere was named: --checkpoint"
    bare = tuple(_bare(read, ground) for read in ground.ledgers if ground.reach(read) < read.chronicle.size_then)
    untested = {
        one.id: one.why_not
        for one in ground.checkpoints
        if one.stamp_required and one.unchecked and one.signed and one.same_root and one.size <= one.ledger_size
    }
    if reason:
        return Population(reason=reason)
    untested |= {one.id: UNCOVERED for one in bare}
    return Population((*ground.checkpoints, *bare), untested=untested)


UNCOVERED = "no checkpoint that was named is of these entries: whoever holds the ledger could have made them anew"


def _bare(read: Read, ground: Ground) -> CheckpointItem:
    """Give the entries of a ledger up to the period's end that no checkpoint from outside is of."""
    memory, first, last = read.chronicle.memory, ground.reach(read), read.chronicle.size_then - 1
    which = f"entry {last}" if first == last else f"entries {first} to {last}"
    return CheckpointItem(
        id=f"{read.chronicle.address} ({which})",
        ledger_id=memory.ledger_id or "",
        size=last + 1,
        ledger_size=memory.head.size,
    )


def months(period: Period) -> Iterator[Period]:
    """Give a period by calendar months in UTC; the first and the last may be parts of one."""
    at = period.from_epoch_s
    while at < period.to_epoch_s:
        day = datetime.fromtimestamp(at, tz=UTC)
        following = datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC)
        end = min(int(following.timestamp()), period.to_epoch_s)
        yield Period(from_epoch_s=at, to_epoch_s=end)
        at = end


def _to_review(ground: Ground, month: Period) -> Iterator[tuple[Read, int]]:
    """Give each ledger that is to be reviewed for a month, and from when on.

    In the period all are, from its beginning. Before it those in which a run was recorded in that month, from the first
    one on: the gate may have begun there then, and other ledgers later.
    """
    for read in ground.ledgers:
        runs = (run.at_epoch_s for run in read.chronicle.runs)
        first = min((at for at in runs if month.from_epoch_s <= at < month.to_epoch_s), default=0)
        if month.from_epoch_s >= ground.period.from_epoch_s:
            yield read, month.from_epoch_s
        elif first:
            yield read, first


def _months_before(ground: Ground, limit_s: int) -> Iterator[Period]:
    """Give earlier months in which runs were recorded, and that could still be reviewed when the period began."""
    start = ground.period.from_epoch_s
    runs = (run.at_epoch_s for read in ground.ledgers for run in read.chronicle.runs)
    recent = [at for at in runs if start - limit_s - _LONGEST_MONTH_S <= at < start]
    if recent:
        day = datetime.fromtimestamp(min(recent), tz=UTC)
        first = int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp())
        for month in months(Period(from_epoch_s=first, to_epoch_s=start)):
            if any(month.from_epoch_s <= at < month.to_epoch_s for at in recent):
                yield month


def _reviewed(read: Read, part: Reviewed, start_epoch_s: int, end_epoch_s: int) -> tuple[KnownReview, ...]:
    """Give the reviews of a part of the gate that were first, together, signed for all of a time; () for none."""
    left, found = [(start_epoch_s, end_epoch_s)], []
    for one in sorted(read.said.testimony.reviews, key=lambda one: one.at_epoch_s):
        start, end = (one.said.from_epoch_s, one.said.to_epoch_s) if part in one.said.what else (0, 0)
        rest = [
            piece
            for first, last in left
            for piece in ((first, min(last, start)), (max(first, end), last))
            if piece[0] < piece[1]
        ]
        if rest != left:
            found.append(one)
        left = rest
        if not left:
            return tuple(found)
    return ()


def _approved(read: Read, ground: Ground) -> Iterator[ExceptionItem]:
    limits = ground.limits
    for waiver in read.said.waivers:
        asked = waiver.request
        if waiver.approver and ground.within(waiver.approved_epoch_s):
            yield ExceptionItem(
                id=read.named(waiver.id, waiver.id),
                kind=asked.kind,
                requester=asked.requester,
                approver=waiver.approver,
                authorised=True,
                has_reason=bool(asked.reason.strip()),
                approved_epoch_s=waiver.approved_epoch_s,
                expires_epoch_s=asked.expires_epoch_s,
                longest_s=limits.waivers_s.longest(asked.bound.severity, of_gap=waiver.of_gap),
            )
    for downgrade in read.said.downgrades:
        said = downgrade.request
        if downgrade.approver and ground.within(downgrade.approved_epoch_s):
            yield ExceptionItem(
                id=read.named(downgrade.id, downgrade.id),
                kind="downgrade",
                requester=said.requester,
                approver=downgrade.approver,
                authorised=True,
                has_reason=bool(said.reason.strip()),
                approved_epoch_s=downgrade.approved_epoch_s,
                expires_epoch_s=said.expires_epoch_s,
                longest_s=limits.downgrades_s.of(said.bound.severity),
            )


class _Approval(Value, frozen=True, kw_only=True):
    request: str = ""
    approver: str = ""


class _Request(Value, frozen=True, kw_only=True):
    reason: str = "not known"


_Loose = TypeVar("_Loose", _Approval, _Request)


def _loosely(statement: str, form: type[_Loose]) -> _Loose:
    """Read what can be read of a statement that does not count, for people to look at."""
    try:
        return msgspec.json.decode(statement, type=form)
    except msgspec.DecodeError:
        return form()


def _in_vain(read: Read, ground: Ground) -> Iterator[ExceptionItem]:
    """Give approvals that count for nothing: by whoever asked, by somebody who may not, or of what has no reason."""
    said = {one.sequence: one for one in read.chronicle.statements}
    requests = {statement_id(one.statement.encode()): one for one in said.values() if one.type in _REQUESTED}
    asked = {one.id: (one.request.requester, one.request.expires_epoch_s) for one in read.said.waivers}
    asked |= {one.id: (one.request.requester, one.request.expires_epoch_s) for one in read.said.downgrades}
    for refused in read.said.refused:
        statement = said[refused.sequence]
        if refused.type not in _APPROVED or not ground.within(statement.at_epoch_s):
            continue
        approval = _loosely(statement.statement, _Approval)
        request = requests.get(approval.request)
        reason = _loosely(request.statement, _Request).reason if request else _Request().reason
        requester, expires = asked.get(approval.request, ("", 0))
        yield ExceptionItem(
            id=f"{read.chronicle.address}#{refused.sequence}",
            kind=refused.type,
            requester=requester,
            approver=approval.approver or "nobody",
            why=refused.why,
            has_reason=bool(reason.strip()),
            approved_epoch_s=statement.at_epoch_s,
            expires_epoch_s=expires or statement.at_epoch_s,
            # It never held, so it was not too long.
            longest_s=max(0, expires - statement.at_epoch_s),
        )


def unchecked(ground: Ground, *prefixes: str) -> str:
    """Say why nobody's word counts where there are statements of these kinds, "" where it does."""
    for read in ground.ledgers:
        if read.said.reason and any(one.type.startswith(prefixes) for one in read.chronicle.statements):
            return read.said.reason
    return ""


def refused_notes(ground: Ground, prefix: str) -> tuple[str, ...]:
    """Say what counts for nothing of statements whose type begins so."""
    return tuple(
        told
        for read in ground.ledgers
        for told in refused_words(
            (one for one in read.said.refused if one.type.startswith(prefix)), of=read.chronicle.address
        )
    )
