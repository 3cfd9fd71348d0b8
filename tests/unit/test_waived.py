"""Which of several waivers of one finding counts, and of twins how many."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from secgate.bounds import Bound, Lineage, bound_of, rules_of
from secgate.model import Finding, Fingerprint, Gap, Lane, Package, Severity
from secgate.policy.values import WaiverLimits
from secgate.waived import for_findings, for_gaps
from secgate.waivers import (
    AdvisorySubject,
    GapSubject,
    Request,
    Subject,
    Waiver,
    statement_id,
    statement_of,
    subject_of,
)
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


MOVED = msgspec.structs.replace(
    SEEN, fingerprint=digest("moved"), aliases=(Fingerprint(algorithm=SEEN.algorithm, value=SEEN.fingerprint),)
)


@pytest.mark.parametrize("changes", [{"days": -1}, {"days": 80, "revoked_by": "ada", "revoked_reason": "no"}])
def test_one_that_ended_under_the_new_name_hides_none_of_an_older_name(changes: dict[str, Any]) -> None:
    ended, older = waiver(MOVED, reason="ended", **changes), waiver(reason="older", days=10)
    assert counts(ended, older, one=MOVED) == ("active", "older")
    assert counts(ended, one=MOVED) == ("void" if "revoked_by" in changes else "expired", "ended")


def test_which_of_two_waivers_a_part_is_given_is_no_matter_of_order() -> None:
    def part(name: str) -> Finding:
        return msgspec.structs.replace(
            SEEN, fingerprint=digest(name), weakness=name, anchor=SEEN.anchor, witnesses=(result(name),)
        )

    parts = [part("semgrep"), part("bandit"), part("ruff")]
    whole = msgspec.structs.replace(parts[0], witnesses=tuple(one.witnesses[0] for one in parts))
    both = msgspec.structs.replace(whole, fingerprint=parts[1].fingerprint)
    waivers = [waiver(whole, reason="first", days=10), waiver(both, reason="second", days=20)]
    parts[1:] = [
        msgspec.structs.replace(one, aliases=(Fingerprint(algorithm=whole.algorithm, value=whole.fingerprint),))
        for one in parts[1:]
    ]
    made = Lineage(wholes=frozenset([whole.fingerprint]), apart=rules_of(whole.witnesses))
    lineages = {one.fingerprint: made for one in parts[1:]}

    def given(findings: list[Finding]) -> str:
        found = for_findings(
            waivers, findings, repository="shop", now_epoch_s=NOW, longest_s=lambda _: 90 * DAY, lineages=lineages
        )
        assert {one.state for one in found.values()} == {"active"}
        return found[parts[2].fingerprint].waiver.request.reason

    assert given(parts) == given(parts[::-1])


def twins(*severities: Severity) -> list[Finding]:
    return [
        msgspec.structs.replace(SEEN, fingerprint=digest(f"twin {at}"), ordinal=at, severity=severity)
        for at, severity in enumerate(severities)
    ]


def held(findings: list[Finding], *waivers: Waiver) -> dict[int, tuple[str, str]]:
    found = for_findings(waivers, findings, repository="shop", now_epoch_s=NOW, longest_s=lambda _: 90 * DAY)
    told = {one.ordinal: found[one.fingerprint] for one in findings if one.fingerprint in found}
    return {at: (one.state, one.waiver.request.reason) for at, one in told.items()}


HIGH, LOW = Severity.HIGH, Severity.LOW


def test_of_twins_one_that_ended_takes_no_place_from_one_that_holds() -> None:
    first, gone = twins(HIGH, HIGH)
    ended, spare = waiver(first, reason="ended", days=-1), waiver(gone, reason="spare", days=10)
    assert held([first], ended, spare) == {0: ("active", "spare")}


def test_of_twins_one_that_is_void_for_what_it_became_takes_no_place() -> None:
    first, gone = twins(HIGH, HIGH)
    then = msgspec.structs.replace(first, severity=LOW)
    void, spare = waiver(then, reason="void", days=80), waiver(gone, reason="spare", days=10)
    assert held([first], void, spare) == {0: ("active", "spare")}


def test_a_spare_that_is_void_for_a_twin_takes_no_place_from_one_that_holds() -> None:
    first, second, *gone = twins(HIGH, LOW, LOW, HIGH)
    low, high = waiver(gone[0], reason="low", days=80), waiver(gone[1], reason="high", days=10)
    assert held([first], low, high) == {0: ("active", "high")}
    # Each where it holds, though the longer one would hold for neither place of the other.
    assert held([first, second], low, high) == {0: ("active", "high"), 1: ("active", "low")}


def test_as_many_twins_are_waived_as_waivers_can_hold() -> None:
    low, high, *gone = twins(LOW, HIGH, HIGH, LOW)
    wide, narrow = waiver(gone[0], reason="wide", days=80), waiver(gone[1], reason="narrow", days=10)
    # The first twin would take the longer one, which is the only one that holds for the second.
    assert held([low, high], wide, narrow) == {0: ("active", "narrow"), 1: ("active", "wide")}


def test_a_waiver_that_is_void_for_its_own_finding_is_not_handed_to_a_twin() -> None:
    worse, twin = twins(HIGH, LOW)
    own = waiver(msgspec.structs.replace(worse, severity=LOW), reason="own", days=80)
    assert held([worse, twin], own) == {0: ("void", "own")}


PACKAGE = Package(ecosystem="PyPI", name="demo", version="1.0", manifest="requirements.txt")
ADVISED = msgspec.structs.replace(SEEN, lane=Lane.DEPENDENCIES, package=PACKAGE, advisories=("CVE-2026-1",))


@pytest.mark.parametrize("one_first", [False, True])
def test_a_waiver_of_an_advisory_is_hidden_by_none_that_is_void(one_first: bool) -> None:
    older = msgspec.structs.replace(ADVISED, package=msgspec.structs.replace(PACKAGE, version="0.9"))
    subject = AdvisorySubject(advisory="CVE-2026-1", ecosystem="PyPI", package="demo", repositories=("shop",))
    wide = [
        wide_of(waiver(one, reason=name, days=days), subject)
        for one, name, days in ((older, "old wide", 80), (ADVISED, "wide", 10))
    ]
    every = [waiver(older, reason="own", days=70), *wide]
    assert counts(*(reversed(every) if one_first else every), one=ADVISED) == ("active", "wide")


def wide_of(one: Waiver, subject: Subject) -> Waiver:
    return msgspec.structs.replace(one, request=msgspec.structs.replace(one.request, subject=subject))


@pytest.mark.parametrize("longest_first", [False, True])
def test_of_waivers_of_a_gap_the_one_that_holds_longest_counts(longest_first: bool) -> None:
    subject = GapSubject(lane=Lane.SAST, reason="unsupported", path="old/", repository="shop")
    every = [
        waiver_of_gap(subject, reason="ended", days=-1),
        waiver_of_gap(subject, reason="short", days=5),
        waiver_of_gap(subject, reason="long", days=20),
        waiver_of_gap(subject, reason="revoked", days=30, revoked_by="ada", revoked_reason="no"),
        waiver_of_gap(subject, reason="wish", days=40, approver="", approved_epoch_s=0),
    ]
    gaps = [Gap(lane=Lane.SAST, path="old/a.cob", reason="unsupported", tool="semgrep")]
    found = for_gaps(every[:: -1 if longest_first else 1], gaps, repository="shop", now_epoch_s=NOW, longest_s=90 * DAY)
    assert {at: one.waiver.request.reason for at, one in found.items()} == {0: "long"}


def waiver_of_gap(subject: GapSubject, **changes: Any) -> Waiver:
    one = wide_of(waiver(**changes), subject)
    return msgspec.structs.replace(one, request=msgspec.structs.replace(one.request, bound=Bound(form="nothing")))


def test_a_waiver_s_longest_life_is_by_what_it_is_of() -> None:
    limits = WaiverLimits(high=1, info=2, gap=3)
    subject = GapSubject(lane=Lane.SAST, reason="unsupported", path="a.cob", repository="shop")
    unbound = waiver(reason="signed by hand", days=1)
    unbound = msgspec.structs.replace(
        unbound, request=msgspec.structs.replace(unbound.request, bound=Bound(form="nothing"))
    )
    every = (waiver(reason="r", days=1), unbound, waiver_of_gap(subject, reason="r", days=1))
    assert [limits.longest(one.request.bound.severity, of_gap=one.of_gap) for one in every] == [1, 2, 3]
