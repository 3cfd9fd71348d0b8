"""Section 8: waivers, dismissals and downgrades as they stood at the period's end."""

from __future__ import annotations

from collections.abc import Iterator

from secgate.assertions import Period
from secgate.downgrades import Downgrade
from secgate.evidence import Examined
from secgate.evidence.ground import Ground, Read
from secgate.masking import clean
from secgate.model import encode
from secgate.report.accounts import EntryReference, RefusedRow, WaiverRow, WaiverSection
from secgate.waivers import Waiver

_DAY_S = 86400


def waivers(examined: Examined) -> WaiverSection:
    """Give every waiver that was asked for or held in the period."""
    ground, period = examined.ground, examined.found.period
    rows = tuple(row for read in ground.ledgers for row in _rows(read, ground) if _touches(row, period))

    def within(epoch_s: int) -> bool:
        return ground.within(epoch_s)

    return WaiverSection(
        opened=sum(within(row.requested_epoch_s) for row in rows),
        approved=sum(within(row.approved_epoch_s) for row in rows),
        renewed=sum(within(row.approved_epoch_s) and bool(row.renews) for row in rows),
        expired=sum(row.state == "expired" and within(row.until_epoch_s) for row in rows),
        revoked=sum(within(row.revoked_epoch_s) for row in rows),
        active=sum(row.state == "active" for row in rows),
        rows=rows,
        refused=tuple(_refused(ground)),
        reason="; ".join(sorted({read.said.reason for read in ground.ledgers} - {""})),
    )


def _touches(row: WaiverRow, period: Period) -> bool:
    """Tell whether it was asked for before the period's end, and had not ended before its beginning."""
    ended = min(row.until_epoch_s, row.revoked_epoch_s or row.until_epoch_s)
    return row.requested_epoch_s < period.to_epoch_s and (
        ended > period.from_epoch_s or row.requested_epoch_s >= period.from_epoch_s
    )


def _rows(read: Read, ground: Ground) -> Iterator[WaiverRow]:
    limits = ground.limits
    known: list[tuple[Waiver | Downgrade, str, int, int]] = []
    for waiver in read.said.waivers:
        longest = limits.waivers_s.longest(waiver.request.bound.severity, of_gap=waiver.of_gap)
        known.append((waiver, waiver.request.kind, longest, read.said.revoked.get(waiver.id, 0)))
    for downgrade in read.said.downgrades:
        longest = limits.downgrades_s.of(downgrade.request.bound.severity)
        known.append((downgrade, "downgrade", longest, downgrade.revoked_epoch_s))
    earlier: dict[tuple[bool, bytes], str] = {}
    for one, kind, longest, revoked in known:
        subject = (kind == "downgrade", encode(one.request.subject))
        yield _row(
            one,
            kind=kind,
            longest_s=longest,
            revoked_epoch_s=revoked,
            renews=earlier.get(subject, ""),
            ledger_id=read.chronicle.memory.ledger_id or "",
            end=ground.period.to_epoch_s,
        )
        # What nobody approved is asked for again, and renews nothing.
        if one.approver:
            earlier[subject] = one.id


def _row(
    one: Waiver | Downgrade,
    *,
    kind: str,
    longest_s: int,
    revoked_epoch_s: int,
    renews: str,
    ledger_id: str,
    end: int,
) -> WaiverRow:
    """Give one as of the period's `end`: what was said after it is not known yet."""
    asked = one.request
    approved = one.approved_epoch_s if 0 < one.approved_epoch_s < end else 0
    revoked = revoked_epoch_s if 0 < revoked_epoch_s < end else 0
    until = one.until_epoch_s(longest_s) if approved else asked.expires_epoch_s
    since = approved or asked.requested_epoch_s
    return WaiverRow(
        id=one.id,
        kind=kind,
        subject=clean(asked.shown),
        severity=asked.bound.severity.value,
        requester=asked.requester,
        requested_epoch_s=asked.requested_epoch_s,
        approver=one.approver if approved else "",
        approved_epoch_s=approved,
        until_epoch_s=until,
        revoked_by=one.revoked_by if revoked else "",
        revoked_epoch_s=revoked,
        state="revoked" if revoked else "requested" if not approved else "expired" if until <= end else "active",
        age_days=max(0, min(end, until, revoked or until) - since) // _DAY_S,
        renews=renews,
        reason=clean(asked.reason),
        ticket=clean(asked.ticket),
        ledger_id=ledger_id,
    )


def _refused(ground: Ground) -> Iterator[RefusedRow]:
    for read in ground.ledgers:
        times = {one.sequence: one.at_epoch_s for one in read.chronicle.statements}
        for one in read.said.refused:
            if times.get(one.sequence, 0) < ground.period.to_epoch_s:
                entry = EntryReference(ledger_id=read.chronicle.memory.ledger_id or "", sequence=one.sequence)
                yield RefusedRow(entry=entry, type=one.type, why=clean(one.why))
