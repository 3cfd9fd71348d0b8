"""Figures that an export's program works out anew: on histories with a known answer, and against secgate's fold."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from secgate import sla
from secgate.custody.copies import write_export
from secgate.events import LedgerCreated, to_entry
from secgate.ledgers.sqlite import SqliteLedger
from secgate.memory import Memory
from secgate.model import Obligation, Severity, Trust
from secgate.signed_events import WaiverApproved, WaiverRequested, WaiverRevoked
from secgate.waivers import Approval, Bound, FindingSubject, Kind, Request, Revocation, statement_id, statement_of
from tests.ledger_support import EPOCH_S, Story, at, finding, fingerprint, sqlite_at

DAY_S = 86400
WEEK_S = 7 * DAY_S
AT = "2024-02-01T00:00:00Z"


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


def figures(ledger: SqliteLedger, folder: Path, when: str = AT) -> dict[str, Any]:
    write_export(ledger, str(folder / "out"), trust=Trust())
    argv = [sys.executable, "-I", str(folder / "out" / "verify.py"), "--at", when, "--json", str(folder / "told.json")]
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


def waive(
    ledger: SqliteLedger, name: str, *, approved_s: int, until_s: int, revoked_s: int = 0, kind: Kind = "accept"
) -> None:
    """Add a waiver's statements; whether they are signed is not what these tests ask."""
    asked = statement_of(
        Request(
            kind=kind,
            subject=FindingSubject(fingerprint=fingerprint(name), group="0" * 64, repository="example.com/shop"),
            bound=Bound(form="nothing", severity=Severity.HIGH),
            reason="made for a test",
            requester="p-1",
            requested_epoch_s=EPOCH_S,
            expires_epoch_s=EPOCH_S + until_s,
        )
    )
    said = statement_of(Approval(request=statement_id(asked), approver="p-2", approved_epoch_s=EPOCH_S + approved_s))
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
def test_what_is_open_must_be_covered_beyond_the_moment(
    story: Story, ledger: SqliteLedger, tmp_path: Path, kind: Kind, result: str
) -> None:
    story.run(finding("a"), at_s=0, obligations=[duty("a")])
    waive(ledger, "a", approved_s=DAY_S, until_s=20 * DAY_S, kind=kind)
    for second, expected in ((WEEK_S, "not yet due"), (20 * DAY_S - 1, result), (20 * DAY_S, "overdue")):
        folder = tmp_path / str(second)
        folder.mkdir()
        assert set(results(figures(ledger, folder, at(second).isoformat())).values()) == {expected}


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
