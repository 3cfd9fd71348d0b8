"""Months in which nothing deviates, nothing happens, or of which nobody outside tells anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from tests.quarter.drawing import plan_of
from tests.quarter.making import BOSS, Making
from tests.quarter.plan import DAY, HOUR, Duty, GateReview, Notice, Plan, Revocation
from tests.quarter.telling import plant_notices


def _making(seed: int) -> Making:
    start, end = (datetime(2026, month, 1, tzinfo=UTC) for month in (2, 3))
    return Making(
        seed, repositories=[f"git.example.com/quiet/part-{number}" for number in (1, 2)], start=start, end=end
    )


def _plan(make: Making) -> Plan:
    made = plan_of(make, ledgers=1)
    kept = tuple(one for one in made.checkpoints if one.name != "by-nobody")
    planted = frozenset(one for one in made.planted if one[1] != "checkpoint:by-nobody")
    return replace(made, checkpoints=kept, planted=planted)


def quiet(*, late: bool = True) -> Plan:
    """Give a month in which all is as it should be; with `late` but for a weakness that was told of and not closed."""
    make = _making(5)
    make.background(runs=30)
    make.exemptions = [replace(one, expires=min(one.expires, one.requested + 80 * DAY)) for one in make.exemptions]
    at = make.time(before=20 * DAY)
    less = Duty(recorded=at + 2 * DAY, start=at, limit=30 * DAY, basis="severity:medium")
    lowered = make.finding(at, duties=(*make.duty(at, "high"), less), closed=(at + 15 * DAY,))
    agreed = make.waive(lowered, at + DAY, at + 40 * DAY, lowered_to="medium")
    taken = replace(lowered.duties[0], taken_back=at + 2 * DAY, taken_by=agreed.name)
    make.findings[-1] = replace(lowered, duties=(taken, less))
    used = make.finding(at, "critical", closed=(at + HOUR,), **make.library())
    make.patch(used, at)
    make.finding(at, closed=(at + HOUR,), lane="secrets")
    for found in [found for found in make.findings if found.lane == "secrets"]:
        told = found.opened + HOUR
        make.revocations.append(Revocation(found.repository, found.fingerprint, BOSS, BOSS, told, told))
    built = make.run(make.time(before=2 * DAY), artifacts=(make.artifact(),), inventory="kept")
    make.release(built.at + HOUR, built.repository, built.artifacts[0])
    make.deploy(built.at + HOUR, built.repository, artifacts=built.artifacts)
    for change in [one for one in make.gate_changes if one.at < make.end]:
        then = change.at
        make.gate_reviews.append(GateReview("ledger-0", BOSS, BOSS, "gate-settings", then, then + 1, then + HOUR))
    # The month before could still be reviewed when this one began, and was, in two parts.
    for first, last in ((-31, -10), (-10, 0), (0, 28)):
        start, end = make.start + first * DAY, make.start + last * DAY
        make.gate_reviews.append(GateReview("ledger-0", BOSS, BOSS, "results", start, end, end + DAY))
    if late:
        one = make.finding(make.start - 2 * DAY)
        make.bad("vuln.sla", make.key(one), "overdue_open")
    else:
        make.finding(make.end - DAY)
    plant_notices(make, times=0)
    return _plan(make)


def silent() -> Plan:
    """Give a month in which nothing at all happened, with lists that say so; only the month itself is there."""
    make = _making(6)
    make.run(make.start - DAY, inventory="kept", artifacts=(make.artifact(),))
    one = make.finding(make.start - 20 * DAY, closed=(make.start - 19 * DAY,))
    make.notices.append(Notice(one.repository, one.fingerprint, one.opened, stage="new"))
    plant_notices(make, times=0)
    return _plan(make)


def alone() -> Plan:
    """Give a quiet month without a list, a message, a review or a checkpoint: nobody tells anything."""
    made = quiet(late=False)
    return replace(made, imports=(), checkpoints=(), notices=(), gate_reviews=())
