"""How a downgrade stands: what it is bound to, when it ends, which of several counts."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from secgate.agreement import Agreement
from secgate.bounds import bound_of
from secgate.downgrades import Downgrade, DowngradeRequest, downgraded_words, for_findings, standing
from secgate.model import Downgraded, Finding, Lane, Package, Severity
from secgate.waivers import subject_of
from tests.factories import DAY, NOW, digest, finding, location, result

SECRET = (result("semgrep", secret=True),)
SEEN = finding("sql", severity=Severity.HIGH, anchor=digest("t"), witnesses=(result("semgrep"),))


def downgrade(one: Finding = SEEN, **changes: Any) -> Downgrade:
    asked = DowngradeRequest(
        schema="secgate/downgrade-request/v1",
        subject=subject_of(one, repository="shop"),
        bound=bound_of(one),
        severity=changes.pop("severity", Severity.LOW),
        reason=changes.pop("reason", "our own text"),
        requester="eve",
        requested_epoch_s=NOW - 9 * DAY,
        expires_epoch_s=changes.pop("expires_epoch_s", NOW + 9 * DAY),
    )
    values = {"id": digest(asked.reason), "approver": "ada", "approved_epoch_s": NOW - 8 * DAY, **changes}
    return Agreement(request=asked, **values)


def stands(one: Finding | None, made: Downgrade, *, now: int = NOW, longest: int = 90 * DAY) -> tuple[str, int]:
    found = standing(made, one, now_epoch_s=now, longest_s=longest)
    return found.state, found.ended_epoch_s


def changed(**changes: Any) -> Finding:
    return msgspec.structs.replace(SEEN, **changes)


def test_it_holds_to_the_second() -> None:
    assert stands(SEEN, downgrade(), now=NOW + 9 * DAY - 1) == ("active", 0)
    assert stands(SEEN, downgrade(), now=NOW + 9 * DAY) == ("expired", NOW + 9 * DAY)
    assert stands(SEEN, downgrade(), longest=8 * DAY) == ("expired", NOW)


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (changed(severity=Severity.CRITICAL), "the severity rose from high to critical"),
        (changed(anchor=digest("other")), "its code was edited"),
        (changed(witnesses=(result("semgrep"), result("bandit"))), "bandit sees it now as well"),
        (changed(witnesses=SECRET), "the key for secrets is not here"),
        (changed(witnesses=SECRET, secret_macs=("k:1",)), "it is another kind of finding now"),
    ],
)  # fmt: skip
def test_it_is_void_when_what_it_was_bound_to_changed(one: Finding, why: str) -> None:
    found = standing(downgrade(), one, now_epoch_s=NOW, longest_s=90 * DAY)
    assert (found.state, found.why, found.ended_epoch_s) == ("void", why, NOW)


@pytest.mark.parametrize(
    "one",
    [
        changed(severity=Severity.LOW),
        changed(location=location(path="moved.py", line=9)),
        changed(witnesses=()),
    ],
)
def test_it_holds_where_nothing_got_worse(one: Finding) -> None:
    assert stands(one, downgrade()) == ("active", 0)


def package(version: str, *, macs: tuple[str, ...] = ()) -> Finding:
    package = Package(ecosystem="PyPI", name="demo", version=version, manifest="requirements.txt")
    return changed(lane=Lane.DEPENDENCIES, package=package, secret_macs=macs)


def test_it_is_bound_to_the_resolved_version() -> None:
    assert stands(package("1.0"), downgrade(package("1.0"))) == ("active", 0)
    assert stands(package("1.1"), downgrade(package("1.0")))[0] == "void"


def test_it_is_bound_to_the_secret() -> None:
    one, other = (changed(witnesses=(result("kingfisher", secret=True),), secret_macs=(f"k:{n}",)) for n in "12")
    assert stands(one, downgrade(one)) == ("active", 0)
    assert standing(downgrade(one), other, now_epoch_s=NOW, longest_s=DAY * 90).why == "it is another secret now"


def counts(*downgrades: Downgrade, one: Finding = SEEN) -> tuple[str, str]:
    found = for_findings(downgrades, [one], now_epoch_s=NOW, longest_s=lambda _: 90 * DAY)
    kept = found[one.fingerprint]
    return kept.state, kept.downgrade.request.reason


def test_of_several_the_one_that_holds_counts() -> None:
    old = downgrade(reason="old", expires_epoch_s=NOW + 99 * DAY)
    assert counts(old, downgrade(reason="ended", expires_epoch_s=NOW - 1)) == ("active", "old")
    edited = changed(anchor=digest("edited"))
    assert counts(old, downgrade(edited, reason="new"), one=edited) == ("active", "new")


def test_a_wish_does_not_hide_what_has_ended() -> None:
    wish = downgrade(reason="wish", approver="", approved_epoch_s=0)
    assert counts(wish) == ("requested", "wish")
    assert counts(wish, downgrade(reason="ended", expires_epoch_s=NOW - 1)) == ("expired", "ended")


def test_a_downgrade_of_another_finding_is_none_of_this() -> None:
    other = finding("other", anchor=digest("o"), severity=Severity.HIGH)
    assert for_findings([downgrade(other)], [SEEN], now_epoch_s=NOW, longest_s=lambda _: DAY) == {}


def test_it_is_said_behind_the_severity() -> None:
    assert downgraded_words(SEEN) == ""
    less = Downgraded(id=digest("d"), severity=Severity.LOW, approver="ada", until_epoch_s=NOW)
    told = downgraded_words(changed(downgraded=less))
    assert told == "; counts as low until 2026-01-01 00:00:00 UTC, approved by ada"
