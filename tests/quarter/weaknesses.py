"""What is planted of weaknesses and of what people let pass: times that were missed by a second, and kept by one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.quarter.making import BOSS, DEVELOPERS, OTHER_BOSS, STRANGER, Making, digest
from tests.quarter.plan import DAY, HOUR, Duty, Exemption, Finding

SLA, ASSESSED, GOVERNED, SUPERSEDED = "vuln.sla", "vuln.assessed", "exception.governed", "vuln.superseded"
WEEK = 7 * DAY
"""The limit of a high one."""


def _late(make: Making, one: Finding, word: str = "missed") -> None:
    make.bad(SLA, make.key(one), word)


def _kept(make: Making, one: Finding) -> None:
    make.near(SLA, make.key(one))


def times(make: Making) -> None:
    """Closed a second late, at the very second, never, after the period, or late from before it."""
    for after in (1, 0, -1):
        at = make.time(before=8 * DAY)
        one = make.finding(at, closed=(at + WEEK + after,))
        if after > 0:
            _late(make, one)
        else:
            _kept(make, one)
    _late(make, make.finding(make.time(before=8 * DAY)), "overdue_open")
    _late(make, make.finding(make.end - WEEK - 1, closed=(make.end,)), "overdue_open")
    _kept(make, make.finding(make.end - WEEK))
    _late(make, make.finding(make.start - 20 * DAY, closed=(make.start + 1,)))
    _kept(make, make.finding(make.start - 20 * DAY, closed=(make.start,)))
    _kept(make, make.finding(make.start - 20 * DAY, closed=(make.start - 13 * DAY,)))
    at = make.time(before=10 * DAY)
    _kept(make, make.finding(at, "medium", closed=(at + 9 * DAY,)))
    _kept(make, make.finding(make.time(), "info", closed=(make.end - 1,)))


def episodes(make: Making) -> None:
    """Seen again in the same episode or in the next one, after the period, or under another name."""
    at = make.time(before=20 * DAY)
    _late(make, make.finding(at, closed=(at + DAY, at + 9 * DAY), again=(at + 8 * DAY,)))
    at = make.time(before=20 * DAY)
    _kept(make, make.finding(at, closed=(at + DAY, at + 5 * DAY), again=(at + 2 * DAY,)))
    at = make.time(before=20 * DAY)
    _late(make, make.finding(at, closed=(at + DAY,), again=(at + 2 * DAY,)), "overdue_open")
    at = make.time(before=9 * DAY)
    _kept(make, make.finding(at, closed=(at + DAY,), again=(make.end + DAY,)))
    at = make.time(before=45 * DAY)
    first = make.finding(at, closed=(at + DAY,))
    _kept(make, first)
    again = at + 32 * DAY
    told: dict[str, Any] = {
        "repository": first.repository,
        "fingerprint": first.fingerprint,
        "text": first.text,
        "episode": 2,
    }
    _late(make, make.finding(again, closed=(again + WEEK + 1,), **told))
    at = make.time(before=9 * DAY)
    renamed: dict[str, Any] = {"renamed": at + DAY, "renamed_to": digest(make.name("moved"))}
    _late(make, make.finding(at, closed=(at + WEEK + 5,), **renamed))
    at = make.time(before=9 * DAY)
    later: dict[str, Any] = {"renamed": make.end + DAY, "renamed_to": digest(make.name("moved"))}
    _kept(make, make.finding(at, closed=(at + WEEK,), **later))


def duties(make: Making) -> None:
    """Found to be worse, agreed to be less bad before it was due, judged late or not at all."""
    at = make.time(before=9 * DAY)
    worse = (*make.duty(at, "high"), *make.duty(at + 3 * DAY, "critical"))
    _late(make, make.finding(at, duties=worse, raised=at + 3 * DAY, raised_to="critical", closed=(at + 4 * DAY + 1,)))
    at = make.time(before=9 * DAY)
    worse = (*make.duty(at, "high"), *make.duty(at + WEEK - HOUR, "critical"))
    raised: dict[str, Any] = {"raised": at + WEEK - HOUR, "raised_to": "critical"}
    _kept(make, make.finding(at, duties=worse, closed=(at + WEEK,), **raised))
    at = make.time(before=20 * DAY)
    told = make.duty(at, "high")[0]
    less = Duty(recorded=at + 2 * DAY, start=at, limit=30 * DAY, basis="severity:medium")
    lowered = make.finding(at, duties=(told, less), closed=(at + 15 * DAY,))
    _kept(make, lowered)
    _taken(make, lowered, make.waive(lowered, at + DAY, at + 40 * DAY, lowered_to="medium"))
    at = make.time(before=20 * DAY)
    kev = Duty(recorded=at, start=at, limit=3 * DAY, basis="known-exploited")
    _late(make, make.finding(at, duties=(*make.duty(at, "high"), kev), closed=(at + 4 * DAY,)))
    at = make.time(before=30 * DAY)
    make.bad(ASSESSED, make.key(make.finding(at, duties=(), closed=(at + DAY,))), "no_obligation")
    late = replace(make.duty(at, "high")[0], recorded=at + 1)
    make.bad(ASSESSED, make.key(make.finding(at, duties=(late,), closed=(at + DAY,))), "obligation_late")
    make.near(ASSESSED, make.key(make.finding(at, "info", closed=(at + DAY,))))
    make.near(ASSESSED, make.key(make.finding(make.start - 1, duties=(), closed=(at,))))


def _taken(make: Making, one: Finding, by: Exemption | None, *words: str, after: int = 2 * DAY) -> None:
    """Take back the first duty of a finding, so long after it was opened."""
    at = one.opened + after
    named = by.name if by is not None else ""
    duties = (replace(one.duties[0], taken_back=at, taken_by=named), *one.duties[1:])
    make.findings[make.findings.index(one)] = replace(one, duties=duties)
    name = f"{make.key(one)}/{one.duties[0].basis}/{at}"
    if words:
        make.bad(SUPERSEDED, name, *words)
    else:
        make.near(SUPERSEDED, name)


def takings(make: Making) -> None:
    """Duties that were taken back by nobody's word, too late by a second, or by what was of something else."""

    def open_late(**given: Any) -> Finding:
        """Give one that is late only if its duty stands: a longer one does too."""
        at = make.time(before=22 * DAY)
        less = Duty(recorded=at + 2 * DAY, start=at, limit=30 * DAY, basis="severity:medium")
        return make.finding(at, duties=(*make.duty(at, "high"), less), closed=(at + 20 * DAY,), **given)

    def lower(one: Finding, after: int = DAY, until: int = 40 * DAY, **given: Any) -> Exemption:
        return make.waive(one, one.opened + after, one.opened + until, **{"lowered_to": "medium", **given})

    one = open_late()
    _taken(make, one, None, "not_agreed")
    _late(make, one)
    one = open_late()
    own = lower(one)
    make.exemptions[-1] = own = replace(own, approvals=make.approved(one.opened + DAY, by=own.requester))
    make.bad(GOVERNED, f"refused:{own.name}/0", "self_approved")
    _taken(make, one, own, "not_agreed")
    _late(make, one)
    one = open_late()
    _taken(make, one, make.waive(one, one.opened + DAY, one.opened + 5 * DAY), "not_agreed")
    _late(make, one)
    one = open_late()
    _taken(make, one, lower(one, after=WEEK), after=WEEK)
    _kept(make, one)
    one = open_late()
    _taken(make, one, lower(one, after=WEEK + 1), "approved_late", after=8 * DAY)
    _late(make, one)
    one = open_late()
    _taken(make, one, lower(one, until=2 * DAY), "not_in_force")
    _late(make, one)
    one = open_late()
    _taken(make, one, lower(one, until=2 * DAY + 1))
    _kept(make, one)
    one = open_late()
    _taken(make, one, lower(one, after=3 * DAY), "not_in_force")
    _late(make, one)
    one = open_late()
    _taken(make, one, lower(one, revoked=one.opened + 2 * DAY), "not_in_force")
    _late(make, one)
    for other in ({"finding": digest(make.name("other"))}, {"values": (digest(make.name("other")),)}):
        one = open_late()
        _taken(make, one, lower(one, **other), "of_something_else")
        _late(make, one)


def identities(make: Making) -> None:
    """Findings that became one, with the duties of both, and one of which a part was told apart, with its clock."""

    def made(at: int, repository: str, **given: Any) -> Finding:
        return make.finding(at, **{"repository": repository, "text": digest("one text"), **given})

    for after, is_late in ((0, False), (1, True)):
        # The part was found three days before, and is due when the whole is not.
        at, where = make.time(after=4 * DAY, before=30 * DAY), make.some_repository()
        whole = made(at, where, closed=(at + 4 * DAY + after,))
        made(at - 3 * DAY, where, merged=at + DAY, into=whole.name)
        (_late if is_late else _kept)(make, whole)
    at, where = make.time(after=4 * DAY, before=30 * DAY), make.some_repository()
    whole = made(at, where, closed=(at + 20 * DAY,))
    part = made(at, where, merged=at + 2 * DAY, into=whole.name)
    make.waive(part, at + DAY, at + 30 * DAY)
    _kept(make, whole)
    at, where = make.end - 6 * DAY, make.some_repository()
    whole = made(at, where, closed=(at + DAY,))
    _kept(make, made(at, where, closed=(at + 2 * DAY,), merged=make.end + DAY, into=whole.name))
    for after, is_late in ((0, False), (1, True)):
        at, where = make.time(before=30 * DAY), make.some_repository()
        whole = made(at, where, closed=(at + 6 * DAY,))
        part = made(at, where, split=at + 5 * DAY, origin=whole.name, duties=whole.duties, closed=(at + WEEK + after,))
        _kept(make, whole)
        (_late if is_late else _kept)(make, part)


def covers(make: Making) -> None:
    """Waivers that reach from the due time to the closing without a gap, and those that do not by a second."""

    def late(days: int = 20) -> Finding:
        at = make.time(before=(days + 2) * DAY)
        return make.finding(at, closed=(at + days * DAY,))

    one = late()
    make.waive(one, one.opened + DAY, one.opened + 20 * DAY)
    _kept(make, one)
    one = late()
    make.waive(one, one.opened + DAY, one.opened + 20 * DAY - 1)
    _late(make, one)
    one = late()
    make.waive(one, one.opened + WEEK, one.opened + 30 * DAY)
    _kept(make, one)
    one = late()
    make.waive(one, one.opened + WEEK + 1, one.opened + 30 * DAY)
    _late(make, one)
    one = late()
    make.waive(one, one.opened + DAY, one.opened + 10 * DAY)
    make.waive(one, one.opened + 2 * DAY, one.opened + 20 * DAY)
    _kept(make, one)
    one = late()
    make.waive(one, one.opened + DAY, one.opened + 10 * DAY)
    make.waive(one, one.opened + 9 * DAY, one.opened + 20 * DAY)
    _late(make, one)
    one = late()
    make.waive(one, one.opened + DAY, one.opened + 20 * DAY, revoked=one.opened + 19 * DAY)
    _late(make, one)
    one = late()
    make.waive(one, one.opened + DAY, one.opened + 20 * DAY, revoked=one.opened + 21 * DAY)
    _kept(make, one)
    open_one = make.finding(make.time(9 * DAY, 30 * DAY))
    make.waive(open_one, open_one.opened + DAY, make.end)
    _kept(make, open_one)
    open_one = make.finding(make.time(9 * DAY, 30 * DAY))
    make.waive(open_one, open_one.opened + DAY, make.end - 1)
    _late(make, open_one, "overdue_open")
    _bounds(make)


def _bounds(make: Making) -> None:
    """Waivers of what has since become something else, and of a library."""
    at = make.time(before=22 * DAY)
    edited = make.finding(at, closed=(at + 20 * DAY,), edited=at + 2 * DAY, edited_to=digest(make.name("edited")))
    make.waive(edited, at + DAY, at + 30 * DAY)
    _late(make, edited)
    renamed: dict[str, Any] = {"renamed": at + 2 * DAY, "renamed_to": digest(make.name("moved"))}
    moved = make.finding(at, closed=(at + 20 * DAY,), **renamed)
    make.waive(moved, at + DAY, at + 30 * DAY)
    _kept(make, moved)
    worse = make.finding(at, "medium", closed=(at + 20 * DAY,), raised=at + DAY, raised_to="high")
    make.findings[-1] = worse = replace(worse, duties=(*worse.duties, *make.duty(at + DAY, "high")))
    make.waive(worse, at + HOUR, at + 30 * DAY)
    _late(make, worse)
    seen = make.finding(at, closed=(at + 20 * DAY,), scanners=("bandit", "semgrep"))
    make.waive(seen, at + DAY, at + 30 * DAY, scanners=("bandit",))
    _late(make, seen)
    library = make.library()
    used = make.finding(at, "critical", closed=(at + 20 * DAY,), **library)
    make.waive(used, at + HOUR, at + 30 * DAY)
    _kept(make, used)
    updated = make.finding(at, "critical", closed=(at + 20 * DAY,), **{**library, "package": make.name("library")})
    make.waive(updated, at + HOUR, at + 30 * DAY, values=("1.2.2",))
    _late(make, updated)
    for one in (used, updated):
        make.patch(one, at)


def dismissals(make: Making) -> None:
    """Findings that somebody called none before they were due, alone or beside waivers that accept the risk."""

    def late() -> Finding:
        at = make.time(before=22 * DAY)
        return make.finding(at, closed=(at + 20 * DAY,))

    def told(one: Finding, until: int, *, at: int = DAY, **given: Any) -> Exemption:
        return make.waive(one, one.opened + at, until, **{"kind": "false-positive", **given})

    for kind in ("false-positive", "not-affected"):
        one = late()
        make.aside(one, told(one, one.opened + 20 * DAY, kind=kind))
        one = make.finding(make.time(9 * DAY, 30 * DAY))
        make.aside(one, told(one, make.end, kind=kind))
    one = make.finding(make.start - 20 * DAY, closed=(make.start + 1,))
    make.aside(one, told(one, make.start + 1))
    one = late()
    make.waive(one, one.opened + DAY, one.opened + 20 * DAY)
    told(one, one.opened + 30 * DAY, at=2 * DAY)
    _kept(make, one)
    one = late()
    make.waive(one, one.opened + DAY, one.opened + 20 * DAY - 1)
    make.aside(one, told(one, one.opened + 30 * DAY, at=WEEK))
    one = late()
    make.waive(one, one.opened + DAY, one.opened + 10 * DAY)
    told(one, one.opened + 30 * DAY, at=WEEK + 1)
    _late(make, one)
    one = late()
    first = told(one, one.opened + 8 * DAY)
    make.aside(one, first, told(one, one.opened + 20 * DAY, at=2 * DAY, kind="not-affected"))
    one = late()
    told(one, one.opened + 20 * DAY, revoked=one.opened + 20 * DAY - 1)
    _late(make, one)
    one = late()
    told(one, one.opened + 20 * DAY - 1)
    _late(make, one)
    one = make.finding(make.time(9 * DAY, 30 * DAY))
    told(one, make.end - 1)
    _late(make, one, "overdue_open")
    one = make.finding(make.time(9 * DAY, 30 * DAY))
    told(one, make.end + DAY, revoked=make.end - 1)
    _late(make, one, "overdue_open")
    one = late()
    made = told(one, one.opened + 20 * DAY, approvals=make.approved(one.opened + DAY, key=STRANGER))
    _late(make, one)
    make.bad(GOVERNED, f"refused:{made.name}/0", "approver_not_authorised")
    at = make.time(before=9 * DAY)
    one = make.finding(at, closed=(at + WEEK,))
    told(one, at + 30 * DAY)
    _kept(make, one)


def exceptions(make: Making) -> None:
    """Waivers and downgrades by those who may not, of no reason or end, and too long by a second."""

    def given(*words: str, **more: Any) -> Exemption:
        at = make.time(after=9 * DAY, before=9 * DAY)
        one = make.finding(at, closed=(at + DAY,))
        refused = more.pop("refused", False)
        made = make.waive(one, at + 2 * HOUR, at + 30 * DAY, **more)
        item = f"refused:{made.name}/0" if refused else f"exemption:{made.name}"
        if words:
            make.bad(GOVERNED, item, *words)
        else:
            make.near(GOVERNED, item)
        return made

    def again(made: Exemption, **more: Any) -> None:
        make.exemptions[make.exemptions.index(made)] = replace(made, **more)

    for more in ({}, {"lowered_to": "low"}):
        made = given("self_approved", refused=True, **more)
        again(made, approvals=make.approved(made.requested + HOUR, by=made.requester))
        made = given("self_approved", refused=True, requester=BOSS, key=BOSS, **more)
        other = make.approved(made.requested + 2 * HOUR, by=OTHER_BOSS)
        again(made, approvals=(*make.approved(made.requested + HOUR), *other))
        make.near(GOVERNED, f"exemption:{made.name}")
        requester, friend = make.random.sample(DEVELOPERS, 2)
        made = given("approver_not_authorised", refused=True, requester=requester, key=requester, **more)
        again(made, approvals=make.approved(made.requested + HOUR, by=friend))
        made = given("approver_not_authorised", refused=True, **more)
        again(made, approvals=make.approved(made.requested + HOUR, key=STRANGER))
        given("approver_not_authorised", refused=True, key=STRANGER, **more)
        # What says nothing counts for nothing, and so does who agreed to it.
        given("no_reason", "approver_not_authorised", reason=" ", refused=True, **more)
        given("no_expiry", expires=0, **more)
        for after, words in ((1, ("too_long",)), (0, ())):
            made = given(*words, **more)
            again(made, expires=made.requested + HOUR + 90 * DAY + after)
    for at in (make.start - 1, make.end):
        one = make.finding(at - 2 * HOUR, closed=(at + DAY,))
        made = make.waive(one, at, at + 200 * DAY)
        make.near(GOVERNED, f"exemption:{made.name}")


WEAKNESSES = (times, episodes, duties, takings, identities, covers, exceptions, dismissals)
"""All of this file."""
