"""Which of several waivers of one finding counts, and of twins how many."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from secgate.model import Finding, Severity
from secgate.waived import for_findings
from secgate.waivers import Request, Waiver, bound_of, statement_id, statement_of, subject_of
from tests.factories import DAY, NOW, digest, finding, result

SEEN = finding("sql", severity=Severity.HIGH, anchor=digest("t"), witnesses=(result("semgrep"),))
WORSE = msgspec.structs.replace(SEEN, severity=Severity.CRITICAL)
JOINED = msgspec.structs.replace(SEEN, witnesses=(result("semgrep"), result("bandit")))
EDITED = msgspec.structs.replace(SEEN, anchor=digest("edited"))


def waiver(one: Finding = SEEN, *, reason: str, days: int, **changes: Any) -> Waiver:
    asked = Request(
        kind="accept",
        subject=subject_of(one, repository="shop"),
        bound=bound_of(one),
        reason=reason,
        requester="eve",
        requested_epoch_s=NOW - 2 * DAY,
        expires_epoch_s=NOW + days * DAY,
    )
    values = {"approver": "ada", "approved_epoch_s": NOW - DAY, **changes}
    return Waiver(id=statement_id(statement_of(asked)), request=asked, **values)


def counts(*waivers: Waiver, one: Finding = SEEN) -> tuple[str, str]:
    found = for_findings(waivers, [one], repository="shop", now_epoch_s=NOW, longest_s=lambda _: 90 * DAY)
    kept = found[one.fingerprint]
    return kept.state, kept.waiver.request.reason


@pytest.mark.parametrize("now_it_is", [WORSE, JOINED, EDITED])
@pytest.mark.parametrize("newest_first", [False, True])
def test_one_that_is_void_by_now_hides_no_newer_one(now_it_is: Finding, newest_first: bool) -> None:
    long, short = waiver(reason="old", days=80), waiver(now_it_is, reason="new", days=10)
    both = (short, long) if newest_first else (long, short)
    assert counts(long, one=now_it_is) == ("void", "old")
    assert counts(*both, one=now_it_is) == ("active", "new")
    assert counts(*both) == ("active", "old")


def test_of_several_that_hold_the_longest_counts() -> None:
    assert counts(waiver(reason="a", days=10), waiver(reason="b", days=20)) == ("active", "b")


def test_one_that_ended_or_is_only_asked_for_hides_nothing() -> None:
    ended = waiver(reason="ended", days=-1)
    wish = waiver(reason="wish", days=50, approver="", approved_epoch_s=0)
    revoked = waiver(reason="revoked", days=60, revoked_by="ada", revoked_reason="no")
    assert counts(ended, wish, revoked, waiver(reason="holds", days=5)) == ("active", "holds")
    assert counts(ended, wish, revoked) == ("requested", "wish")
