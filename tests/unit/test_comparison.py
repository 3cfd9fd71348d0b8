"""What differs between two runs: nothing is called new or gone that only one of them could have seen."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from secgate.comparison import Comparison, Ground, compare
from secgate.model import (
    Coverage,
    Fingerprint,
    Gap,
    Lane,
    LaneCoverage,
    LeftOut,
    Rename,
    RunDocument,
    ScanStatus,
    Severity,
    State,
)
from secgate.narration import comparison_page
from tests.ledger_support import account, document, finding, fingerprint, invocation, protected
from tests.pages import too_wide

THEN, NOW = protected(commit="a" * 40), protected(commit="b" * 40)


def run(*names: str, now: bool = False, **given: Any) -> RunDocument:
    found = [replace(finding(name), anchor=fingerprint(name), symbol=name) for name in names]
    return document(*found, run="run-2" if now else "run-1", **{"target": NOW if now else THEN, **given})


def counts(one: Comparison) -> tuple[int, ...]:
    """New, gone, updated, newly detectable, not looked at, unchanged."""
    lists = (one.new, one.gone, one.updated, one.newly_detectable, one.not_seen)
    return (*map(len, lists), one.unchanged)


def test_new_gone_and_unchanged() -> None:
    assert counts(compare(run("a", "b"), run("a", "c", now=True), Ground())) == (1, 1, 0, 0, 0, 1)


def test_a_run_and_itself_do_not_differ() -> None:
    same = compare(run("a", "b"), run("a", "b"), Ground())
    assert (counts(same), same.tools, same.policy, same.coverage) == ((0, 0, 0, 0, 0, 2), (), (), ())


def test_a_changed_severity_is_an_update_that_says_so() -> None:
    worse = document(replace(run("a").findings[0], severity=Severity.CRITICAL), target=NOW)
    found = compare(run("a"), worse, Ground())
    assert [one.changes for one in found.updated] == [("severity: high -> critical",)]


def test_a_renamed_file_is_an_update_where_git_tells_of_the_rename() -> None:
    moved = replace(run("a").findings[0], fingerprint=fingerprint("z"), location=finding("a", path="new.py").location)
    ground = Ground(renames=(Rename(old="shop/cart.py", new="new.py"),), told=True)
    moved = replace(moved, symbol="")
    before = document(replace(run("a").findings[0], symbol=""), target=THEN)
    assert counts(compare(before, document(moved, target=NOW), ground)) == (0, 0, 1, 0, 0, 0)
    assert counts(compare(before, document(moved, target=NOW), Ground())) == (1, 1, 0, 0, 0, 0)


def test_what_the_ledger_knows_by_another_name_is_the_same() -> None:
    ground = Ground(names={fingerprint("b"): (Fingerprint(algorithm="secgate/v1", value=fingerprint("a")),)})
    found = compare(run("a"), run("b", now=True), ground)
    assert counts(found) == (0, 0, 1, 0, 0, 0)


@pytest.mark.parametrize(
    ("ground", "expected"),
    [
        (Ground(told=True), "newly"),
        (Ground(told=True, touched=frozenset({"shop/cart.py"})), "new"),
        (Ground(), "new"),
    ],
)
def test_in_a_file_that_nobody_touched_it_is_newly_detectable(ground: Ground, expected: str) -> None:
    found = compare(run(), run("a", now=True), ground)
    assert (len(found.newly_detectable), len(found.new)) == ((1, 0) if expected == "newly" else (0, 1))


def test_the_runs_own_word_on_newly_detectable_stands() -> None:
    late = replace(run("a").findings[0], state=State.NEWLY_DETECTABLE, state_basis="only newer rules see it")
    found = compare(run(), document(late, target=NOW), Ground())
    assert [one.basis for one in found.newly_detectable] == ["only newer rules see it"]


GAP = Gap(lane=Lane.SAST, path="shop/cart.py", tool="semgrep", reason="parse-error", detail="line 3")


def with_gap() -> LaneCoverage:
    return replace(account(), gaps=(GAP,), covered=0, failed=1)


def test_a_gap_in_the_later_run_is_not_the_end_of_a_finding() -> None:
    found = compare(run("a"), run(now=True, lanes=[with_gap()]), Ground())
    assert [one.basis for one in found.not_seen] == ["semgrep did not look: line 3"]
    assert (found.gone, found.gaps_new, found.gaps_gone) == ((), (GAP,), ())


def test_a_gap_in_the_earlier_run_does_not_hide_that_a_finding_is_new() -> None:
    found = compare(run(lanes=[with_gap()]), run("a", now=True), Ground())
    assert [one.basis for one in found.new] == ["may be older: in the earlier run semgrep did not look: line 3"]
    assert found.gaps_gone == (GAP,)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"target": replace(NOW, changed=("README.md",))}, "only what a change touches was looked at"),
        ({"target": replace(NOW, prefix="docs")}, "only docs was looked at"),
        ({"lanes": [account(asked=False)]}, "the lane sast was not asked for"),
        ({"target": replace(NOW, left_out=(LeftOut(path="shop/cart.py", reason="link"),))}, "its file was left out"),
        ({"invocations": [invocation(status=ScanStatus.CRASHED)]}, "semgrep did not run"),
    ],
)
def test_a_run_that_could_not_see_it_does_not_say_gone(given: dict[str, Any], words: str) -> None:
    found = compare(run("a"), run(now=True, **given), Ground())
    assert ([one.basis for one in found.not_seen], found.gone) == ([words], ())


def test_tools_policy_and_coverage_are_compared() -> None:
    lanes = [replace(account(), offered=4, covered=3, failed=1)]
    after = run(now=True, invocations=[invocation(version="2.0")], lanes=lanes)
    assert after.decision is not None
    after = replace(after, decision=replace(after.decision, profile="audit", policy_digests={"shipped": "1" * 64}))
    found = compare(run(), after, Ground())
    assert [(one.what, one.then, one.now) for one in found.tools] == [("semgrep version", "1.0", "2.0")]
    assert [one.what for one in found.policy] == ["policy of layer shipped", "profile"]
    assert [one.what for one in found.coverage] == ["sast"]


def test_each_finding_of_both_runs_is_in_one_place() -> None:
    found = compare(run(*"abcde"), run(*"defgh", now=True), Ground())
    assert sum(counts(found)) == len(set("abcdefgh"))


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_page_keeps_its_width(width: int) -> None:
    long = replace(run("a").findings[0], location=finding("a", path="deep/" * 40 + "x.py").location)
    lanes = [with_gap()]
    found = compare(run("b", "c"), document(long, target=NOW, lanes=lanes), Ground())
    page = comparison_page(found, width=width, colour=False).decode()
    assert "deep/" * 40 + "x.py" in page
    assert not too_wide(page, width)


def test_an_empty_coverage_is_no_lane_asked_for() -> None:
    blind = replace(run(now=True), coverage=Coverage(lanes=()))
    assert [one.basis for one in compare(run("a"), blind, Ground()).not_seen] == ["the lane sast was not asked for"]
