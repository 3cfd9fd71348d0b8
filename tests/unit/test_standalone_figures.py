"""Figures that an export's program works out anew: on histories with a known answer, and against secgate's fold."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from secgate import sla
from secgate.bounds import Bound
from secgate.chronicle import Chronicle
from secgate.custody.copies import Terms, write_export
from secgate.events import FindingAliased, FindingSplit, LedgerCreated, ObligationSuperseded, to_entry
from secgate.evidence.covering import Covers
from secgate.evidence.ground import Said
from secgate.ledgers.sqlite import SqliteLedger
from secgate.memory import Memory
from secgate.model import Lane, Obligation, Package, Severity, Trust
from secgate.policy.values import WaiverLimits
from secgate.signed_events import WaiverApproved, WaiverRequested, WaiverRevoked
from secgate.twins import twin_group
from secgate.waived import for_findings
from secgate.waivers import (
    AdvisorySubject,
    Approval,
    FindingSubject,
    Kind,
    Request,
    Revocation,
    Subject,
    Waiver,
    statement_id,
    statement_of,
)
from tests.ledger_support import DIGEST, EPOCH_S, Story, at, finding, fingerprint, invocation, sqlite_at

DAY_S = 86400
WEEK_S = 7 * DAY_S
AT = "2024-02-01T00:00:00Z"
BOUND = Bound(form="text", values=(DIGEST,), severity=Severity.HIGH, scanners=("semgrep",))


@pytest.fixture
def ledger(tmp_path: Path) -> SqliteLedger:
    made = sqlite_at(tmp_path)
    made.create()
    event = LedgerCreated(ledger_id="a" * 64, provisional=False, secgate_version="0")
    made.append(made.head(), [to_entry(event)], now=at(-1), blobs={})
    return made


@pytest.fixture
def story(ledger: SqliteLedger) -> Story:
    return Story(ledger)


def duty(name: str, *, start_s: int = 0, limit_s: int = WEEK_S, basis: str = "severity:high") -> Obligation:
    return Obligation(
        finding=fingerprint(name), basis=basis, start_epoch_s=EPOCH_S + start_s, limit_s=limit_s, policy_digest="d" * 64
    )


def figures(ledger: SqliteLedger, folder: Path, when: str = AT, terms: Terms | None = None) -> dict[str, Any]:
    write_export(ledger, str(folder / "out"), trust=Trust(), terms=terms)
    argv = [sys.executable, "-I", str(folder / "out" / "verify.py"), "--to", when, "--json", str(folder / "told.json")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, Any] = json.loads((folder / "told.json").read_text())
    return told


def results(told: dict[str, Any]) -> dict[str, str]:
    return {row["fingerprint"]: row["result"] for row in told["duties"]}


def test_met_missed_and_overdue(story: Story, ledger: SqliteLedger, tmp_path: Path) -> None:
    names = ("in time", "to the second", "late", "never")
    story.run(*map(finding, names), at_s=0, obligations=[duty(name) for name in names])
    story.run(*map(finding, names[1:]), at_s=DAY_S)
    story.run(*map(finding, names[2:]), at_s=WEEK_S)
    story.run(finding("never"), at_s=WEEK_S + 1)
    told = figures(ledger, tmp_path)
    expected = dict(zip(map(fingerprint, names), ("met", "met", "missed", "overdue"), strict=True))
    assert results(told) == expected
    assert told["severities"]["high"]["adherence"] == "2/4"


def test_what_is_not_yet_due_is_counted_apart(story: Story, ledger: SqliteLedger, tmp_path: Path) -> None:
    story.run(finding("a"), at_s=0, obligations=[duty("a", limit_s=10 * 365 * DAY_S)])
    assert figures(ledger, tmp_path)["severities"]["high"]["adherence"] == "0/0"


def test_the_earliest_duty_that_stands_counts(story: Story, ledger: SqliteLedger, tmp_path: Path) -> None:
    strict = duty("a", limit_s=DAY_S, basis="known-exploited")
    story.run(finding("a"), at_s=0, obligations=[duty("a"), strict])
    story.run(at_s=2 * DAY_S)
    told = figures(ledger, tmp_path)
    assert [(row["due"] - EPOCH_S, row["result"]) for row in told["duties"]] == [(DAY_S, "missed")]


def test_a_finding_that_came_back_within_its_window_has_its_first_clock(
    story: Story, ledger: SqliteLedger, tmp_path: Path
) -> None:
    story.run(finding("a"), at_s=0, obligations=[duty("a")])
    story.run(at_s=DAY_S)
    story.run(finding("a"), at_s=2 * DAY_S)
    story.run(at_s=WEEK_S + 1)
    assert set(results(figures(ledger, tmp_path)).values()) == {"missed"}


def test_a_finding_that_came_back_later_is_two(story: Story, ledger: SqliteLedger, tmp_path: Path) -> None:
    story.run(finding("a"), at_s=0, obligations=[duty("a")])
    story.run(at_s=DAY_S)
    story.run(finding("a"), at_s=60 * DAY_S, obligations=[duty("a", start_s=60 * DAY_S)])
    told = figures(ledger, tmp_path)
    assert [(row["due"] - EPOCH_S) // DAY_S for row in told["duties"]] == [7, 67]
    assert [row["result"] for row in told["duties"]] == ["met", "overdue"]


def test_a_renamed_finding_keeps_its_duty(story: Story, ledger: SqliteLedger, tmp_path: Path) -> None:
    story.run(finding("a"), at_s=0, obligations=[duty("a")])
    story.run(finding("b", previous="a"), at_s=DAY_S)
    story.run(at_s=2 * DAY_S)
    assert results(figures(ledger, tmp_path)) == {fingerprint("b"): "met"}


@pytest.mark.parametrize("is_renamed_first", [True, False])
def test_a_part_of_what_the_same_run_renames_has_the_duty_of_the_whole(
    story: Story, ledger: SqliteLedger, tmp_path: Path, is_renamed_first: bool
) -> None:
    # Events of a run stand in the order of fingerprints, so a rename may come before the split or after it.
    whole, part = sorted(("b", "c"), key=fingerprint, reverse=not is_renamed_first)
    story.run(finding("a"), at_s=0, obligations=[duty("a")])
    split = msgspec.structs.replace(finding(part), part_of=fingerprint("a"))
    receipt = story.run(finding(whole, previous="a"), split, at_s=DAY_S)
    kinds = [type(event) for event in story.events(receipt)]
    assert (kinds.index(FindingAliased) < kinds.index(FindingSplit)) is is_renamed_first
    story.run(split, at_s=2 * DAY_S)
    told = figures(ledger, tmp_path)
    assert results(told) == {fingerprint(whole): "met", fingerprint(part): "overdue"}
    assert {row["due"] - EPOCH_S for row in told["duties"]} == {WEEK_S}


def request(subject: Subject, until_s: int, *, kind: Kind = "accept", bound: Bound = BOUND) -> Request:
    return Request(
        kind=kind,
        subject=subject,
        bound=bound,
        reason="made for a test",
        requester="p-1",
        requested_epoch_s=EPOCH_S,
        expires_epoch_s=EPOCH_S + until_s,
    )


def waive(
    ledger: SqliteLedger,
    name: str,
    *,
    approved_s: int,
    until_s: int,
    revoked_s: int = 0,
    kind: Kind = "accept",
    bound: Bound | None = None,
    subject: Subject | None = None,
    approver: str = "p-2",
) -> None:
    """Add a waiver's statements; whether they are signed is not what these tests ask."""
    alone = FindingSubject(fingerprint=fingerprint(name), group="0" * 64, repository="example.com/shop")
    asked = statement_of(request(subject or alone, until_s, kind=kind, bound=bound or BOUND))
    said = statement_of(Approval(request=statement_id(asked), approver=approver, approved_epoch_s=EPOCH_S + approved_s))
    events = [(WaiverRequested, asked, approved_s), (WaiverApproved, said, approved_s)]
    if revoked_s:
        ended = Revocation(request=statement_id(asked), by="p-2", reason="x", revoked_epoch_s=EPOCH_S + revoked_s)
        events.append((WaiverRevoked, statement_of(ended), revoked_s))
    for event, statement, at_s in events:
        entry = to_entry(event(statement=statement.decode(), signature="not asked for here"))
        ledger.append(ledger.head(), [entry], now=at(at_s), blobs={})


@pytest.mark.parametrize(
    ("days", "result"),
    [
        ((3, 30, 0), "excepted"),
        ((7, 30, 0), "excepted"),
        ((8, 30, 0), "missed"),
        ((3, 9, 0), "missed"),
        ((3, 30, 8), "missed"),
        ((3, 10, 0), "excepted"),
    ],
)
def test_a_waiver_excepts_only_what_it_covers_whole(
    story: Story, ledger: SqliteLedger, tmp_path: Path, days: tuple[int, int, int], result: str
) -> None:
    """`days`: approved, until, revoked (0 for never); due on day 7, closed on day 10."""
    approved, until, revoked = days
    story.run(finding("a"), at_s=0, obligations=[duty("a")])
    waive(ledger, "a", approved_s=approved * DAY_S, until_s=until * DAY_S, revoked_s=revoked * DAY_S)
    story.run(at_s=10 * DAY_S)
    assert results(figures(ledger, tmp_path)) == {fingerprint("a"): result}


@pytest.mark.parametrize(("until", "result"), [(10, "dismissed"), (9, "missed")])
def test_what_was_called_no_weakness_is_dismissed_and_not_due(
    story: Story, ledger: SqliteLedger, tmp_path: Path, until: int, result: str
) -> None:
    """Due on day 7, accepted until day 9, called no weakness until `until`, closed on day 10."""
    story.run(finding("a"), at_s=0, obligations=[duty("a")])
    waive(ledger, "a", approved_s=DAY_S, until_s=9 * DAY_S)
    waive(ledger, "a", approved_s=2 * DAY_S, until_s=until * DAY_S, kind="false-positive")
    story.run(at_s=10 * DAY_S)
    told = figures(ledger, tmp_path)
    assert results(told) == {fingerprint("a"): result}
    line = told["severities"]["high"]
    assert (line["dismissed"], line["due"]) == ((1, 0) if result == "dismissed" else (0, 1))


@pytest.mark.parametrize(
    ("kind", "result"), [("accept", "excepted"), ("false-positive", "dismissed"), ("not-affected", "dismissed")]
)
def test_what_is_open_must_be_covered_until_the_moment(
    story: Story, ledger: SqliteLedger, tmp_path: Path, kind: Kind, result: str
) -> None:
    story.run(finding("a"), at_s=0, obligations=[duty("a")])
    waive(ledger, "a", approved_s=DAY_S, until_s=20 * DAY_S, kind=kind)
    for second, expected in ((WEEK_S, "not yet due"), (20 * DAY_S, result), (20 * DAY_S + 1, "overdue")):
        folder = tmp_path / str(second)
        folder.mkdir()
        assert set(results(figures(ledger, folder, at(second).isoformat())).values()) == {expected}


def among_twins(name: str) -> FindingSubject:
    """Made findings are twins of each other: same file, same text."""
    return FindingSubject(fingerprint=fingerprint(name), group=twin_group(finding(name)), repository="example.com/shop")


@pytest.mark.parametrize(
    ("waived", "excepted"),
    [
        # It names a statement that is no more: it goes to one of those that are left.
        ("c", 1),
        ("cd", 2),
        # It names one that is there: to that one, and to no other.
        ("a", 1),
        ("ac", 2),
    ],
)
def test_as_many_twins_are_excepted_as_waivers_hold(
    story: Story, ledger: SqliteLedger, tmp_path: Path, waived: str, excepted: int
) -> None:
    """All are due on day 7; "c" and "d" are gone on day 2, "a" and "b" on day 10."""
    names = sorted({*"ab", *waived})
    story.run(*map(finding, names), at_s=0, obligations=[duty(name) for name in names])
    for name in waived:
        waive(ledger, name, approved_s=DAY_S, until_s=30 * DAY_S, subject=among_twins(name))
    story.run(finding("a"), finding("b"), at_s=2 * DAY_S)
    story.run(at_s=10 * DAY_S)
    told = results(figures(ledger, tmp_path))
    assert sorted(told[fingerprint(name)] for name in ("a", "b")).count("excepted") == excepted
    assert all(told[fingerprint(name)] == "excepted" for name in waived if name in "ab")
    episodes = Chronicle("ledger").read(ledger.read()).episodes()
    agreed = [Waiver(id=name, request=request(among_twins(name), 30 * DAY_S), approver="p-2") for name in waived]
    agreed = [msgspec.structs.replace(one, approved_epoch_s=EPOCH_S + DAY_S) for one in agreed]
    covers = Covers(Said(waivers=tuple(agreed)), episodes, WaiverLimits(high=90 * DAY_S))
    late = [one for one in episodes if one.known.facts.fingerprint in map(fingerprint, "ab")]
    by_gate = {one.known.facts.fingerprint for one in late if covers.until(one, EPOCH_S + 7 * DAY_S)}
    assert by_gate == {name for name, result in told.items() if result == "excepted"}


BOTH = ("bandit", "semgrep")


def seen_by(*scanners: str) -> Bound:
    """What is asked for of a made finding that these see, which all call their rule the same."""
    return msgspec.structs.replace(BOUND, scanners=scanners, rules=tuple(f"{one}:sql" for one in scanners))


TOOLS = tuple(map(invocation, (*BOTH, "gamma")))


def covered(ledger: SqliteLedger, agreed: dict[str, tuple[int, Bound]]) -> set[str]:
    """Give what secgate's evidence has covered on day 7, by the days of approval and the bounds of waivers by name."""
    waivers = []
    for name, (day, bound) in agreed.items():
        subject = FindingSubject(fingerprint=fingerprint(name), group="0" * 64, repository="example.com/shop")
        asked = request(subject, 30 * DAY_S, bound=bound)
        waivers.append(
            Waiver(
                id=name,
                request=asked,
                approver="p-2",
                approved_epoch_s=EPOCH_S + day * DAY_S,
                asked_epoch_s=EPOCH_S + day * DAY_S,
            )
        )
    episodes = Chronicle("ledger").read(ledger.read()).episodes()
    covers = Covers(Said(waivers=tuple(waivers)), episodes, WaiverLimits(high=90 * DAY_S))
    return {one.known.facts.fingerprint for one in episodes if covers.until(one, EPOCH_S + 7 * DAY_S)}


@pytest.mark.parametrize(
    "case",
    [
        # Approved while it was one finding: of both parts.
        (1, ("bandit",), "ab"),
        # Afterwards: of the part that has the name.
        (4, ("bandit",), "a"),
        # What has joined one of the parts was looked at by nobody.
        (1, ("bandit", "gamma"), "a"),
    ],
)
def test_a_waiver_of_the_whole_is_one_of_each_part(
    story: Story, ledger: SqliteLedger, tmp_path: Path, case: tuple[int, tuple[str, ...], str]
) -> None:
    """Approved on which day, seen by whom since, what is excepted; split on day 2, due on day 7, gone on day 10."""
    day, seers, excepted = case
    bound = seen_by(*BOTH) if day < 2 else seen_by("semgrep")
    part = finding("b", scanners=("bandit",))
    story.run(finding("a", scanners=BOTH), at_s=0, invocations=TOOLS, obligations=[duty("a")])
    if day < 2:
        waive(ledger, "a", approved_s=day * DAY_S, until_s=30 * DAY_S, bound=bound)
    story.run(finding("a"), msgspec.structs.replace(part, part_of=fingerprint("a")), at_s=2 * DAY_S, invocations=TOOLS)
    if day > 2:
        waive(ledger, "a", approved_s=day * DAY_S, until_s=30 * DAY_S, bound=bound)
    story.run(finding("a"), finding("b", scanners=seers), at_s=5 * DAY_S, invocations=TOOLS)
    story.run(at_s=10 * DAY_S, invocations=TOOLS)
    told = results(figures(ledger, tmp_path))
    assert told == {fingerprint(name): "excepted" if name in excepted else "missed" for name in "ab"}
    assert covered(ledger, {"a": (day, bound)}) == set(map(fingerprint, excepted))


@pytest.mark.parametrize(
    ("waived", "result"), [({"a": 30, "c": 30}, "excepted"), ({"a": 30, "c": 9}, "missed"), ({"a": 30}, "missed")]
)
def test_what_took_another_in_is_covered_where_both_were(
    story: Story, ledger: SqliteLedger, tmp_path: Path, waived: dict[str, int], result: str
) -> None:
    """Merged on day 2, due on day 7, gone on day 10; waived until which day, by name."""
    saw = {"a": ("semgrep",), "c": ("bandit",)}
    story.run(
        *(finding(name, scanners=saw[name]) for name in "ac"),
        at_s=0,
        invocations=TOOLS,
        obligations=[duty("a"), duty("c")],
    )
    bounds = {name: seen_by(*saw[name]) for name in waived}
    for name, until in waived.items():
        waive(ledger, name, approved_s=DAY_S, until_s=until * DAY_S, bound=bounds[name])
    one = finding("a", scanners=BOTH)
    story.run(
        msgspec.structs.replace(one, continues=(fingerprint("a"), fingerprint("c"))), at_s=2 * DAY_S, invocations=TOOLS
    )
    story.run(at_s=10 * DAY_S, invocations=TOOLS)
    assert results(figures(ledger, tmp_path)) == {fingerprint("a"): result}
    agreed = {name: (1, bounds[name]) for name in waived}
    assert covered(ledger, agreed) == ({fingerprint("a")} if len(waived) == 2 else set())


ELSEWHERE = FindingSubject(fingerprint=fingerprint("a"), group="0" * 64, repository="example.com/other")
ADVISED = AdvisorySubject(advisory="CVE-2024-1", ecosystem="pypi", package="x", repositories=("example.com/shop",))


@pytest.mark.parametrize(
    "changes",
    [
        {"bound": msgspec.structs.replace(BOUND, values=("f" * 64,))},
        {"bound": msgspec.structs.replace(BOUND, severity=Severity.MEDIUM)},
        {"bound": msgspec.structs.replace(BOUND, scanners=("bandit",))},
        {"bound": Bound(form="nothing", severity=Severity.HIGH)},
        {"subject": ELSEWHERE},
        {"subject": ADVISED},
        {"approver": "p-1"},
        {"approver": "p-3"},
    ],
)
def test_a_waiver_of_something_else_or_by_nobody_who_may_covers_nothing(
    story: Story, ledger: SqliteLedger, tmp_path: Path, changes: dict[str, Any]
) -> None:
    terms = Terms(
        waivers_s={"high": 90 * DAY_S}, downgrades_s={}, people=("p-1", "p-2", "p-3"), approvers=("p-1", "p-2")
    )
    story.run(finding("a"), at_s=0, obligations=[duty("a")])
    waive(ledger, "a", **{"approved_s": DAY_S, "until_s": 30 * DAY_S, **changes})
    story.run(at_s=10 * DAY_S)
    assert set(results(figures(ledger, tmp_path, terms=terms)).values()) == {"missed"}


@pytest.mark.parametrize(
    ("names", "is_same"),
    [
        (("PyPI", "Acme_Render.er", "acme-render-er"), True),
        (("npm", "@acme/render", "@acme/render"), True),
        (("npm", "acme-render", "acme_render"), False),
        (("npm", "acme-render", "acme"), False),
    ],
)
def test_an_advisorys_waiver_is_of_the_package_that_the_gate_takes_it_for(
    story: Story, ledger: SqliteLedger, tmp_path: Path, names: tuple[str, str, str], is_same: bool
) -> None:
    ecosystem, recorded, named = names
    package = Package(ecosystem=ecosystem, name=recorded, version="1.0", manifest="requirements.txt")
    vulnerable = finding("a", scanners=("pip-audit",), lane=Lane.DEPENDENCIES)
    vulnerable = msgspec.structs.replace(vulnerable, package=package, advisories=("CVE-2024-1",))
    story.run(vulnerable, at_s=0, obligations=[duty("a")])
    subject = AdvisorySubject(
        advisory="cve-2024-1", ecosystem=ecosystem.lower(), package=named, repositories=("example.com/shop",)
    )
    bound = Bound(form="version", values=("1.0",), severity=Severity.HIGH)
    waive(ledger, "a", approved_s=DAY_S, until_s=30 * DAY_S, subject=subject, bound=bound)
    told = figures(ledger, tmp_path, at(9 * DAY_S).isoformat())
    assert set(results(told).values()) == {"excepted" if is_same else "overdue"}
    asked = request(subject, 30 * DAY_S, bound=bound)
    agreed = [Waiver(id="f" * 64, request=asked, approver="p-2", approved_epoch_s=EPOCH_S + DAY_S)]
    (episode,) = Chronicle("ledger").read(ledger.read()).episodes()
    covers = Covers(Said(waivers=tuple(agreed)), [episode], WaiverLimits(high=90 * DAY_S))
    assert (covers.until(episode, EPOCH_S + 7 * DAY_S) > 0) == is_same
    by_gate = for_findings(
        agreed, [vulnerable], repository="example.com/shop", now_epoch_s=EPOCH_S, longest_s=lambda _: 90 * DAY_S
    )
    assert bool(by_gate) == is_same


@pytest.mark.parametrize(("longest", "result"), [(9, "excepted"), (8, "missed")])
def test_a_waiver_lasts_no_longer_than_the_policy_allows(
    story: Story, ledger: SqliteLedger, tmp_path: Path, longest: int, result: str
) -> None:
    story.run(finding("a"), at_s=0, obligations=[duty("a")])
    waive(ledger, "a", approved_s=DAY_S, until_s=30 * DAY_S)
    story.run(at_s=10 * DAY_S)
    terms = Terms(waivers_s={"high": longest * DAY_S}, downgrades_s={})
    assert set(results(figures(ledger, tmp_path, terms=terms)).values()) == {result}


def test_a_duty_that_was_taken_back_for_nothing_stands(story: Story, ledger: SqliteLedger, tmp_path: Path) -> None:
    story.run(finding("a"), at_s=0, obligations=[duty("a")])
    event = ObligationSuperseded(
        run_id="r",
        repository="example.com/shop",
        line="main",
        episode=1,
        fingerprint=fingerprint("a"),
        algorithm=finding("a").algorithm,
        basis="severity:high",
        start_epoch_s=EPOCH_S,
        limit_s=WEEK_S,
        policy_digest="d" * 64,
        downgrade="e" * 64,
        approved_epoch_s=EPOCH_S,
    )
    number = ledger.head().size
    ledger.append(ledger.head(), [to_entry(event)], now=at(DAY_S), blobs={})
    told = figures(ledger, tmp_path)
    assert set(results(told).values()) == {"overdue"}
    assert told["taken_back_for_nothing"] == {str(number): "no second person approved a downgrade of that id"}


def test_a_period_holds_what_was_due_in_it_or_overdue_in_it(story: Story, ledger: SqliteLedger, tmp_path: Path) -> None:
    names = ("before", "late", "later")
    story.run(*map(finding, names), at_s=0, obligations=[duty(name) for name in names])
    story.run(*map(finding, names[1:]), at_s=DAY_S)
    story.run(finding("later"), at_s=9 * DAY_S)
    story.run(at_s=12 * DAY_S)
    write_export(ledger, str(tmp_path / "out"), trust=Trust())
    found = []
    for start, end in ((0, 30), (8, 30), (10, 30), (10, 11), (20, 30)):
        bounds = "--from", at(start * DAY_S).isoformat(), "--to", at(end * DAY_S).isoformat()
        argv = [sys.executable, "-I", str(tmp_path / "out" / "verify.py"), *bounds, "--json", str(tmp_path / "told")]
        assert subprocess.run(argv, capture_output=True, check=False).returncode == 0
        told = json.loads((tmp_path / "told").read_text())
        found.append([row["result"] for row in told["duties"]])
    assert sorted(found[0]) == ["met", "missed", "missed"]
    assert found[1:] == [["missed", "missed"], ["missed"], ["overdue"], []]


def test_duties_are_those_of_secgates_own_fold(story: Story, ledger: SqliteLedger, tmp_path: Path) -> None:
    """A made history of 60 runs: what is open, and when it is due, is the same in two programs written apart."""
    chance = random.Random(7)  # noqa: S311 - not a secret
    names = [f"finding {number}" for number in range(25)]
    seen: dict[str, int] = {}
    for run in range(60):
        now_s = run * DAY_S
        there = [name for name in names if chance.random() < 0.6]
        for name in there:
            seen.setdefault(name, now_s)
        duties = [duty(name, start_s=now_s, limit_s=chance.choice((DAY_S, WEEK_S, 30 * DAY_S))) for name in there]
        severities = {name: chance.choice((Severity.HIGH, Severity.CRITICAL)) for name in there}
        story.run(*(finding(name, severity=severities[name]) for name in there), at_s=now_s, obligations=duties)
    memory = Memory()
    memory.catch_up(ledger)
    mine = {
        name: (known.facts.severity.value, sla.due_epoch_s(known.obligations), known.closed_epoch_s)
        for name, known in memory.line("example.com/shop", "main").findings.items()
        if known.obligations
    }
    told = figures(ledger, tmp_path)
    theirs = {row["fingerprint"]: (row["severity"], row["due"], row["closed"]) for row in told["duties"]}
    assert len(mine) == 25
    assert theirs == mine
