"""What is planted of messages: people told in time that something is overdue, too late, or of other things."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.quarter.making import Making, digest
from tests.quarter.plan import DAY, HOUR, Finding, Notice

NOTIFIED, SLA = "breach.notified", "vuln.sla"
NEVER, LATE = "not_notified", "notified_late"
WEEK = 7 * DAY
"""The limit of a high one."""


def plant_notices(make: Making, *, times: int) -> None:
    """Tell people within a day of all that passes its time, but for what is planted."""
    for _ in range(times):
        _overdue(make)
        _waived(make)
    for one in make.findings:
        if one.name not in make.unsaid and (at := _first_end(make, one)):
            _tell(make, one, at + make.random.randrange(DAY))


def _tell(make: Making, one: Finding, at: int, **given: Any) -> None:
    """Tell of a finding, by the name that it has then."""
    name = one.renamed_to if 0 < one.renamed <= at else one.fingerprint
    known: dict[str, Any] = {"fingerprint": name, "line": one.line, "episode": one.episode}
    make.notices.append(Notice(**{"repository": one.repository, "at": at, **known, **given}))


def _first_end(make: Making, one: Finding) -> int:
    """Give the first time at which it may be overdue, 0 where it is closed before: whoever is told then is in time."""
    parts = [one, *(part for part in make.findings if part.into == one.name)]
    ends = [duty.start + duty.limit for part in parts for duty in part.duties]
    if not ends or (one.closed and not one.again and max(one.closed) <= min(ends)):
        return 0
    return min(ends)


def _judged(make: Making, one: Finding, *words: str) -> None:
    make.unsaid.add(one.name)
    if words:
        make.bad(NOTIFIED, make.key(one), *words)
    else:
        make.near(NOTIFIED, make.key(one))


def _overdue(make: Making) -> None:
    """Overdue, and somebody hears of it on the last second of a day, a second later, or never, or of another thing."""

    def overdue(at: int = 0, **given: Any) -> Finding:
        """Give one that is closed after a month, or at the period's end is not."""
        at = at or make.time(before=35 * DAY)
        one = make.finding(at, closed=(at + 30 * DAY,), **given)
        if at + WEEK < make.end:
            make.bad(SLA, make.key(one), "missed" if at + 30 * DAY < make.end else "overdue_open")
        return one

    for after, words in ((0, ()), (1, (LATE,))):
        one = overdue()
        _tell(make, one, one.opened + WEEK + DAY + after)
        _judged(make, one, *words)
        one = overdue()
        _tell(make, one, one.opened + WEEK + DAY + after, stage="escalation")
        _judged(make, one, *words)
        _judged(make, overdue(make.end - WEEK - DAY - after), *((NEVER,) if after else ()))
    # Due before the period, and until a day after that somebody could still be told.
    for before, words in ((HOUR, (NEVER,)), (DAY, (NEVER,)), (DAY + 1, ())):
        _judged(make, overdue(make.start - WEEK - before), *words)
    _judged(make, overdue(), NEVER)
    one = overdue()
    for stage in ("new", "half"):
        _tell(make, one, one.opened + DAY, stage=stage)
    _judged(make, one, NEVER)
    others: tuple[dict[str, Any], ...] = (
        {"line": "release"},
        {"episode": 2},
        {"fingerprint": digest(make.name("other"))},
    )
    for other in others:
        one = overdue()
        _tell(make, one, one.opened + WEEK + HOUR, **other)
        _judged(make, one, NEVER)
    one = overdue(make.end - WEEK - 2 * DAY)
    _tell(make, one, make.end)
    _judged(make, one, NEVER)
    one = overdue(make.end - WEEK - HOUR)
    _tell(make, one, make.end)
    _judged(make, one)
    at = make.time(before=35 * DAY)
    one = overdue(at, renamed=at + WEEK + 2 * HOUR, renamed_to=digest(make.name("moved")))
    _tell(make, one, at + WEEK + HOUR)
    _judged(make, one)
    at = make.time(before=9 * DAY)
    one = make.finding(at, closed=(at + WEEK,))
    _judged(make, one)
    one = make.finding(at, closed=(at + WEEK + HOUR,))
    make.bad(SLA, make.key(one), "missed")
    _judged(make, one, NEVER)
    one = make.finding(make.start - 20 * DAY, closed=(make.start + DAY,))
    make.bad(SLA, make.key(one), "missed")
    _judged(make, one)


def _waived(make: Making) -> None:
    """Covered by a waiver when it was due: it passes its time when the waiver ends, if it is open then."""

    def waived(closed: int, until: int = 20 * DAY, **given: Any) -> Finding:
        at = make.time(before=35 * DAY)
        one = make.finding(at, closed=(at + closed,))
        make.waive(one, at + DAY, at + until, **given)
        if closed > until:
            make.bad(SLA, make.key(one), "missed")
        return one

    for kind in ("accept", "not-affected"):
        for after, words in ((0, ()), (1, (LATE,))):
            one = waived(30 * DAY, kind=kind)
            _tell(make, one, one.opened + 21 * DAY + after)
            _judged(make, one, *words)
    _judged(make, waived(30 * DAY), NEVER)
    _judged(make, waived(20 * DAY))
    one = waived(30 * DAY)
    make.exemptions[-1] = replace(make.exemptions[-1], revoked=one.opened + 10 * DAY)
    _tell(make, one, one.opened + 11 * DAY + 1)
    _judged(make, one, LATE)
    open_one = make.finding(make.time(9 * DAY, 30 * DAY))
    make.waive(open_one, open_one.opened + DAY, make.end)
    make.near(SLA, make.key(open_one))
    _judged(make, open_one)
