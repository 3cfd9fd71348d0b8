"""What people answer for outside of the gate: reviews of it, by month and by change, and revoked secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from tests.quarter.making import BOSS, DEVELOPERS, OTHER_BOSS, STRANGER, Making
from tests.quarter.plan import DAY, HOUR, Finding, GateChange, GateReview, Revocation

MONTHLY, CHANGED, LEAKED = "review.periodic", "gate.change_reviewed", "secret.response"
LIMIT = 31 * DAY
"""Within which a review is signed."""


def plant_testimony(make: Making, owners: Mapping[str, Sequence[str]], *, times: int) -> None:
    """Review what is there, revoke what leaked, and leave out, or be late with, what is planted."""
    _monthly(make, tuple(owners))
    for one in make.gate_changes:
        if one.at < make.end:
            _review(make, one, owners, at=one.at + HOUR)
    for found in [one for one in make.findings if one.lane == "secrets"]:
        told = found.opened + make.random.randrange(DAY)
        _revoke(make, found, revoked=told, at=told)
    for _ in range(times):
        _changes(make, owners)
        _secrets(make)


def months(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Give a period's calendar months; it begins and ends with one."""
    at = start
    while at < end:
        day = datetime.fromtimestamp(at, tz=UTC)
        following = datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC)
        yield at, int(following.timestamp())
        at = int(following.timestamp())


def _monthly(make: Making, ledgers: Sequence[str]) -> None:
    """The first month is reviewed late or not at all in the last ledger, the third one has time.

    The month before the period was reviewed in two parts, or not at all: it had time when the period began.
    """
    middle = make.start - 3 * DAY
    for ledger in ledgers if make.seed % 3 else ():
        make.gate_reviews.append(GateReview(ledger, BOSS, BOSS, "results", make.start - LIMIT, middle, middle + DAY))
        make.gate_reviews.append(GateReview(ledger, BOSS, BOSS, "results", middle, make.start, make.start + LIMIT))
    before = f"{datetime.fromtimestamp(make.start - 1, tz=UTC):%Y-%m-01}"
    if make.seed % 3:
        make.near(MONTHLY, before)
    else:
        make.bad(MONTHLY, before, "no_review")
    (first, until), (second, then), _ = months(make.start, make.end)
    late = make.seed % 2 == 0
    for ledger in ledgers:
        told = until + 5 * DAY
        if ledger == ledgers[-1]:
            told = until + LIMIT + 1 if late else 0
        if told:
            make.gate_reviews.append(GateReview(ledger, BOSS, BOSS, "results", first, until, told))
        # Half a month is none, and neither is another part of the gate.
        make.gate_reviews.append(GateReview(ledger, BOSS, BOSS, "results", first + DAY, until, until + DAY))
        make.gate_reviews.append(GateReview(ledger, BOSS, BOSS, "access", first, until, until + DAY))
        make.gate_reviews.append(GateReview(ledger, OTHER_BOSS, OTHER_BOSS, "results", second, then, then + 20 * DAY))
    make.bad(MONTHLY, f"{datetime.fromtimestamp(first, tz=UTC):%Y-%m-%d}", "review_late" if late else "no_review")
    make.near(MONTHLY, f"{datetime.fromtimestamp(second, tz=UTC):%Y-%m-%d}")


def _review(
    make: Making, one: GateChange, owners: Mapping[str, Sequence[str]], *, at: int, key: str = BOSS, after: int = 0
) -> None:
    """Review the settings of the very second of a change, or of `after` seconds later."""
    ledger = next(name for name, mine in owners.items() if one.repository in mine)
    start = one.at + after
    make.gate_reviews.append(GateReview(ledger, BOSS, key, "gate-settings", start, start + 1, at))


def _changes(make: Making, owners: Mapping[str, Sequence[str]]) -> None:
    def changed(at: int) -> GateChange:
        made = GateChange(make.name("gate"), make.some_repository(), at, "rule-pack-changed")
        make.gate_changes.append(made)
        return made

    def early() -> int:
        return make.time(before=33 * DAY)

    for after, word in ((0, ""), (1, "reviewed_late")):
        one = changed(early())
        _review(make, one, owners, at=one.at + LIMIT + after)
        if word:
            make.bad(CHANGED, f"change:{one.name}", word)
        else:
            make.near(CHANGED, f"change:{one.name}")
    make.bad(CHANGED, f"change:{changed(early()).name}", "not_reviewed")
    one = changed(early())
    _review(make, one, owners, at=one.at + DAY, key=STRANGER)
    make.bad(CHANGED, f"change:{one.name}", "not_reviewed")
    one = changed(early())
    _review(make, one, owners, at=one.at + DAY, after=1)
    make.bad(CHANGED, f"change:{one.name}", "not_reviewed")
    make.near(CHANGED, f"change:{changed(make.end - LIMIT).name}")
    make.bad(CHANGED, f"change:{changed(make.end - LIMIT - 1).name}", "not_reviewed")
    # What was before the period, and still had time when it began.
    make.bad(CHANGED, f"change:{changed(make.start - 1).name}", "not_reviewed")
    make.bad(CHANGED, f"change:{changed(make.start - LIMIT).name}", "not_reviewed")
    make.near(CHANGED, f"change:{changed(make.start - LIMIT - 1).name}")


def _revoke(make: Making, one: Finding, *, revoked: int, at: int, key: str = "") -> None:
    by = make.random.choice(DEVELOPERS)
    make.revocations.append(Revocation(one.repository, one.fingerprint, by, key or by, revoked, at))


def _secrets(make: Making) -> None:
    def leaked(at: int) -> Finding:
        return make.finding(at, closed=(at + HOUR,), lane="secrets")

    for after, word in ((0, ""), (1, "late")):
        one = leaked(make.time(before=3 * DAY))
        _revoke(make, one, revoked=one.opened + DAY + after, at=one.opened + 2 * DAY)
        if word:
            make.bad(LEAKED, make.key(one), word)
        else:
            make.near(LEAKED, make.key(one))
    make.bad(LEAKED, make.key(leaked(make.time(before=3 * DAY))), "no_revocation_evidence")
    make.bad(LEAKED, make.key(leaked(make.end - DAY - 1)), "no_revocation_evidence")
    make.near(LEAKED, make.key(leaked(make.end - DAY)))
    one = leaked(make.time(before=3 * DAY))
    _revoke(make, one, revoked=one.opened + HOUR, at=one.opened + HOUR, key=STRANGER)
    make.bad(LEAKED, make.key(one), "no_revocation_evidence")
    make.bad(LEAKED, make.key(leaked(make.start - 10 * DAY)), "no_revocation_evidence")
    for told in (make.start - 1, make.start):
        one = leaked(make.start - 10 * DAY)
        _revoke(make, one, revoked=one.opened + HOUR, at=told)
        make.near(LEAKED, make.key(one))
