"""A finding's story: which finding a name means, and what each recorded run said of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from secgate import story
from secgate.errors import LedgerError, UsageError
from secgate.memory import Memory
from secgate.model import (
    Finding,
    Gap,
    KnownFinding,
    Lane,
    Obligation,
    RunDocument,
    Scope,
    Severity,
    State,
    Verdict,
    Word,
    encode,
)
from secgate.naming import resolve, resolve_in
from secgate.story import Teller, chapters, compose
from tests.ledger_support import (
    EPOCH_S,
    Story,
    account,
    document,
    finding,
    fingerprint,
    invocation,
    protected,
    sqlite_at,
)

REPOSITORY = "example.com/shop"
DAY = 86400


@pytest.fixture
def runs(tmp_path: Path) -> Story:
    return Story(sqlite_at(tmp_path))


def told(runs: Story, wanted: str = "") -> story.Story:
    memory = Memory()
    memory.catch_up(runs.ledger)
    lines = memory.lines(REPOSITORY)
    names = resolve(wanted or fingerprint("a"), lines)
    teller = Teller(names, runs.ledger.blob)
    for chapter in chapters(runs.ledger.read(), repository=REPOSITORY, names=names):
        teller.tell(chapter)
    return compose(teller, names, lines=lines, repository=REPOSITORY)


def states(told_story: story.Story) -> list[str]:
    return [sight.state for sight in told_story.sights]


def gap(path: str) -> Gap:
    return Gap(lane=Lane.SAST, path=path, tool="bandit", reason="parse-error", detail="")


def old(name: str, **given: object) -> Finding:
    return replace(finding(name, **given), state=State.UNCHANGED)  # type: ignore[arg-type]


def test_every_run_that_saw_it_is_told_with_what_followed(runs: Story) -> None:
    runs.run(finding("a"), at_s=0)
    runs.run(old("a"), at_s=DAY)
    assert states(told(runs)) == ["new", "unchanged"]
    assert [sight.happened for sight in told(runs).sights] == [("clock starts",), ()]


def test_runs_before_the_first_sight_are_not_its_story(runs: Story) -> None:
    runs.run(finding("b"), at_s=0)
    runs.run(finding("a"), old("b"), at_s=1)
    assert [sight.run_id for sight in told(runs).sights] == ["run-2"]


def test_its_end_is_told_and_later_runs_are_counted(runs: Story) -> None:
    runs.run(finding("a"), finding("b"), at_s=0)
    runs.run(old("b"), at_s=DAY)
    runs.run(old("b"), at_s=2 * DAY)
    found = told(runs)
    assert (states(found), found.sights[-1].happened, found.after) == (
        ["new", "not-there"],
        ("clock ends: absent",),
        1,
    )
    assert [clock.closed_epoch_s for clock in found.clocks] == [EPOCH_S + DAY]


def test_what_the_run_lists_as_absent_is_absent(runs: Story) -> None:
    runs.run(finding("a"), at_s=0)
    gone = KnownFinding(
        fingerprint=fingerprint("a"),
        algorithm="secgate/v1",
        lane=finding("a").lane,
        weakness="sql-injection",
        severity=Severity.HIGH,
        path="shop/cart.py",
    )
    runs.run(at_s=DAY, target=protected())
    stored = replace(document(run="run-2", at_s=DAY), absent=(gone,))
    teller = Teller([fingerprint("a")], lambda _: encode(stored))
    last = list(chapters(runs.ledger.read(), repository=REPOSITORY, names=[fingerprint("a")]))[-1]
    teller.tell(last)
    assert [sight.state for sight in teller.sights] == ["absent"]


def test_a_run_that_could_not_have_seen_it_says_so(runs: Story) -> None:
    runs.run(finding("a"), at_s=0)
    runs.run(at_s=1, target=protected(scope=Scope.CHANGE, changed=("README.md",)))
    runs.run(old("a"), at_s=2)
    assert states(told(runs)) == ["new", "not-looked", "unchanged"]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"invocations": [invocation("bandit")]}, "semgrep did not run"),
        ({"lanes": [account(asked=False)]}, "the lane sast was not asked for"),
        ({"target": protected(prefix="infra")}, "only infra was looked at"),
        ({"lanes": [replace(account(), gaps=(gap("shop/cart.py"),))]}, "bandit did not look: parse-error"),
    ],
)
def test_a_run_without_what_saw_it_or_where_it_was_did_not_look(runs: Story, given: dict[str, Any], why: str) -> None:
    runs.run(finding("a"), at_s=0)
    runs.run(at_s=1, **given)
    runs.run(old("a"), at_s=2)
    assert [(sight.state, sight.basis) for sight in told(runs).sights][1] == ("not-looked", why)


def test_a_gap_elsewhere_is_no_reason_not_to_have_seen_it(runs: Story) -> None:
    runs.run(finding("a"), at_s=0)
    runs.run(at_s=1, lanes=[replace(account(), gaps=(gap("shop/pay.py"),))])
    runs.run(old("a"), at_s=2)
    assert states(told(runs)) == ["new", "not-there", "unchanged"]


def test_it_is_known_by_its_former_fingerprint(runs: Story) -> None:
    runs.run(finding("a"), at_s=0)
    runs.run(finding("moved", previous="a", path="shop/pay.py"), at_s=1)
    for wanted in (fingerprint("a"), fingerprint("moved"), fingerprint("a")[:9]):
        assert told(runs, wanted).fingerprint == fingerprint("moved")
    assert "known as" in " ".join(told(runs).sights[-1].happened)


def test_a_changed_severity_is_told_with_what_it_was(runs: Story) -> None:
    runs.run(finding("a", severity=Severity.LOW), at_s=0)
    runs.run(old("a", severity=Severity.HIGH), at_s=1)
    assert told(runs).sights[-1].happened == ("changed: severity-raised (severity was low)",)


def test_duties_are_in_its_clock_with_their_end(runs: Story) -> None:
    duty = Obligation(finding=fingerprint("a"), basis="severity:high", start_epoch_s=EPOCH_S, limit_s=7 * DAY)
    runs.run(finding("a"), at_s=0, obligations=[duty])
    found = told(runs)
    assert [clock.due_epoch_s for clock in found.clocks] == [EPOCH_S + 7 * DAY]
    assert found.sights[0].happened == ("clock starts", "severity:high: 7 d")


def test_clocks_of_two_lines_stand_side_by_side(runs: Story) -> None:
    runs.run(finding("a"), at_s=0)
    runs.run(finding("a"), at_s=DAY, target=protected(line="release"))
    assert [(clock.line, clock.first_seen_epoch_s) for clock in told(runs).clocks] == [
        ("main", EPOCH_S),
        ("release", EPOCH_S + DAY),
    ]


def judged(stored: RunDocument, word: Word) -> RunDocument:
    assert stored.decision is not None
    verdict = Verdict(
        subject="finding", id=fingerprint("a"), word=word, rule="data.secgate.rules.exempt_x", reason="sample data"
    )
    return replace(stored, decision=replace(stored.decision, verdicts=(verdict,)))


@pytest.mark.parametrize(("word", "waived"), [(Word.WAIVED, True), (Word.EXEMPT, True), (Word.DENY, False)])
def test_a_waiver_is_told_as_long_as_the_newest_verdict_rests_on_it(runs: Story, word: Word, waived: bool) -> None:
    runs.run(finding("a"), at_s=0)
    stored = judged(document(finding("a")), word)
    teller = Teller([fingerprint("a")], lambda _: encode(stored))
    for chapter in chapters(runs.ledger.read(), repository=REPOSITORY, names=[fingerprint("a")]):
        teller.tell(chapter)
    assert (teller.waived is not None, teller.sights[0].word, teller.sights[0].reason) == (waived, word, "sample data")


def test_a_run_whose_document_is_gone_is_named(runs: Story) -> None:
    runs.run(finding("a"), at_s=0)

    def erased(_: str) -> bytes:
        raise LedgerError("there is no such blob")

    teller = Teller([fingerprint("a")], erased)
    for chapter in chapters(runs.ledger.read(), repository=REPOSITORY, names=[fingerprint("a")]):
        teller.tell(chapter)
    assert [(sight.state, sight.basis) for sight in teller.sights] == [("unreadable", "there is no such blob")]


def test_a_start_that_fits_two_findings_is_refused_with_both(runs: Story) -> None:
    names = two_with_one_start()
    runs.run(*(finding(name) for name in names), at_s=0)
    with pytest.raises(UsageError) as caught:
        told(runs, fingerprint(names[0])[:1])
    assert all(fingerprint(name)[:12] in caught.value.what for name in names)
    assert caught.value.remedy


def two_with_one_start() -> Sequence[str]:
    found: dict[str, str] = {}
    for number in range(17):
        other = found.setdefault(fingerprint(str(number))[0], str(number))
        if other != str(number):
            return other, str(number)
    raise AssertionError("seventeen names and sixteen digits")


def test_a_name_that_nobody_has_is_no_finding(runs: Story) -> None:
    runs.run(finding("a"), at_s=0)
    memory = Memory()
    memory.catch_up(runs.ledger)
    assert resolve("zz", memory.lines(REPOSITORY)) == ()
    with pytest.raises(UsageError, match="no recorded finding"):
        resolve_in("zz", [document(finding("a"))])


def test_without_a_clock_the_stored_runs_tell_which_finding_it_is() -> None:
    named = replace(finding("a"), advisories=("CVE-2026-1",))
    assert resolve_in(fingerprint("a")[:8], [document(named)]) == (fingerprint("a"),)
    assert resolve_in("cve-2026-1", [document(named)]) == (fingerprint("a"),)


def test_the_start_of_a_fingerprint_is_not_another_findings_former_name(runs: Story) -> None:
    """What took a finding in has its name too; when that is back, its start means it."""
    runs.run(finding("a"), finding("b"), at_s=0)
    runs.run(replace(old("a"), continues=(fingerprint("a"), fingerprint("b"))), at_s=1)
    runs.run(old("a"), replace(old("b"), part_of=fingerprint("a")), at_s=2)
    memory = Memory()
    memory.catch_up(runs.ledger)
    assert resolve(fingerprint("b")[:12], memory.lines(REPOSITORY))[0] == fingerprint("b")


def test_another_repositorys_runs_are_not_told(runs: Story) -> None:
    runs.run(finding("a"), at_s=0)
    other = replace(protected(), repository="example.com/other")
    runs.run(finding("a"), at_s=1, target=other)
    assert [sight.run_id for sight in told(runs).sights] == ["run-1"]
