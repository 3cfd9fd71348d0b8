"""The text format: says the right thing, fits, and nothing in it moves a terminal or a CI."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from secgate.escape import LONGEST_PATH, cut, log_text
from secgate.model import Coverage, Finding, Head, Lane, Outcome, RunDocument, State, Word
from secgate.reporters.text import TextReporter
from tests.factories import (
    HOSTILE,
    decision,
    digest,
    finding,
    gap,
    lane_coverage,
    lane_verdict,
    location,
    result,
    run_document,
    target,
    verdict,
)
from tests.sample_runs import failing_run, hostile_run, inconclusive_run, large_run, policy_error_run

GOLDENS = Path(__file__).parents[2] / "goldens" / "text"
RUNS = [failing_run, inconclusive_run, policy_error_run, hostile_run, run_document]
WIDE = "漢字" * 60 + "e\u0301" * 60 + " 🎉" * 30


def too_wide(document: RunDocument, width: int) -> list[str]:
    """The lines over the width but for those with a path or an address, which are never broken."""
    places = [log_text(cut(one.location.path, LONGEST_PATH - 9))[:-1] for one in document.findings]
    return [
        line
        for line in shown(document, width=width).split("\n")
        if cell_len(line) > width
        and "/" not in line.removesuffix(" …").rpartition(" ")[2]
        and not any(place[1:] in line for place in places if place)
    ]


def shown(document: RunDocument, *, width: int = 80, colour: bool = False) -> str:
    return TextReporter().render(document, width=width, colour=colour).decode()


@pytest.mark.parametrize("make", RUNS[:3], ids=lambda make: make.__name__)
@pytest.mark.parametrize("width", [80, 60])
def test_golden(make: Callable[[], RunDocument], width: int, golden: Any) -> None:
    golden(GOLDENS / f"{make.__name__}.{width}.txt", shown(make(), width=width))


@pytest.mark.parametrize("make", [*RUNS, lambda: hostile_run("x" * 10_000), lambda: hostile_run(WIDE)])
@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_line_is_wider_than_asked(make: Callable[[], RunDocument], width: int) -> None:
    assert not too_wide(make(), width)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_hostile_text_is_inert(text: str) -> None:
    lines = shown(hostile_run(text), width=60).split("\n")
    assert all(line.isprintable() or set(line) & set("\u200c\u200d") for line in lines)
    assert not any(line.lstrip().startswith("::") or re.search(r"##[a-z]*\[", line) for line in lines)
    assert not too_wide(hostile_run(text), 60)


@pytest.mark.parametrize("text", ["::error::x", "a " * 200 + "::error::x", "x" * 49 + "::error::y", HOSTILE])
def test_no_line_is_a_command(text: str) -> None:
    for width in range(40, 90):
        assert not any(line.lstrip().startswith("::") for line in shown(hostile_run(text), width=width).split("\n"))


LONG = "services/" + "a-folder-of-the-shop/" * 6 + "views of customers.py"


@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize("word", [Word.DENY, Word.ALLOW])
def test_a_path_can_be_copied_from_one_line(width: int, word: Word) -> None:
    there = location(path=LONG)
    one = finding("0", location=there, witnesses=(result(location=there),))
    allowed = decision(Outcome.FAIL if word is Word.DENY else Outcome.PASS, [verdict("0", word)])
    gaps = (gap(path=LONG.replace(" ", "-")),)
    document = run_document(findings=(one,), decision=allowed, coverage=Coverage(lanes=(lane_coverage(gaps=gaps),)))
    text = shown(document, width=width)
    assert f"{LONG}:42" in text
    assert LONG.replace(" ", "-") in text


def test_a_place_that_is_short_stands_behind_its_title() -> None:
    text = shown(run_document(findings=(finding("0"),), decision=decision(Outcome.PASS, [verdict("0", Word.ALLOW)])))
    assert re.search(r"^  high     allow   SQL is put .*  shop/views\.py:42$", text, flags=re.MULTILINE)


def test_a_text_of_any_length_takes_few_lines() -> None:
    assert shown(hostile_run("word " * 100_000)).count("\n") < 150


def test_colour_only_adds_escapes() -> None:
    plain, coloured = shown(failing_run()), shown(failing_run(), colour=True)
    assert "\x1b[1;31msecgate: FAIL\x1b[0m" in coloured
    stripped = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in stripped.split("\n")] == plain.split("\n")


def test_outcomes_are_listed_where_there_are_several() -> None:
    both = decision(Outcome.FAIL, all_outcomes=(Outcome.FAIL, Outcome.INCONCLUSIVE))
    assert "outcomes: fail, inconclusive; exit 1" in shown(run_document(decision=both))


def test_the_last_line_has_run_and_exit_code() -> None:
    assert shown(inconclusive_run()).rstrip().split("\n")[-1].strip() == "run 01JGFJJZ00V7S3GATE0000TEST; exit 3"


def test_much_is_counted_not_listed() -> None:
    text = shown(large_run(300))
    assert "Blocking (300)" in text
    assert "SQL is put together from the request, 300 times" in text
    assert text.count("why ") == 1
    assert "src/m0000.py:1 in search" in text
    assert "and 288 more places (--format html or json shows them)" in text
    assert "and 290 more (--format html or json shows them)" in text


def blocking(*findings: Finding) -> str:
    """The text of a run that denies findings named `0`, `1`, ..."""
    verdicts = [verdict(str(at)) for at in range(len(findings))]
    return shown(run_document(findings=findings, decision=decision(Outcome.FAIL, verdicts)))


def test_what_differs_in_its_place_alone_is_said_once_with_each_name() -> None:
    text = blocking(
        finding("0"), finding("1", location=location(line=7), witnesses=(result(location=location(line=7)),))
    )
    assert "HIGH     SQL is put together from the request, 2 times" in text
    assert f"at shop/views.py:7 in search ({digest('1')[:12]})" in text
    assert f"   shop/views.py:42 in search ({digest('0')[:12]})" in text
    assert text.count("secgate waiver request NAME-BEHIND-ITS-PLACE --kind") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"severity_basis": "tool"},
        {"remedy": "another"},
        {"owner": "@acme/pay"},
        {"state": State.NEWLY_DETECTABLE},
        {"suppressed_in_source": True},
        {"ambiguous": True},
    ],
)
def test_what_differs_in_anything_else_stands_alone(changes: dict[str, Any]) -> None:
    text = blocking(finding("0"), finding("1", **changes))
    assert "times" not in text
    assert text.count("why ") == 2
    assert all(f"secgate waiver request {digest(name)[:12]} --kind" in text for name in "01")


@pytest.mark.parametrize("recorded", [True, False])
def test_a_waiver_is_asked_for_in_a_run_that_a_ledger_has(recorded: bool) -> None:
    document = run_document(
        findings=(finding("0"),),
        decision=decision(Outcome.FAIL, [verdict("0")]),
        target=target(named=not recorded),
        ledger_head=Head(size=3, root="0" * 64),
    )
    text = " ".join(shown(document).split())
    request = f"secgate waiver request {digest('0')[:12]} --kind accept"
    assert request in text
    assert (f"--run {document.run_id}" in text.replace("\\ ", "")) is recorded
    assert (f"waive once a run that is recorded shows it, with {request}" in text) is not recorded


@pytest.mark.parametrize(
    ("state", "word"),
    [(State.UNCHANGED, "known"), (State.UPDATED, "known"), (State.NEW, "allow"), (State.NEWLY_DETECTABLE, "allow")],
)
def test_what_was_there_before_is_not_said_to_be_allowed(state: State, word: str) -> None:
    found = finding("0", state=state)
    text = shown(run_document(findings=(found,), decision=decision(Outcome.PASS, [verdict("0", Word.ALLOW)])))
    assert re.search(rf"^  high     {word}   ", text, flags=re.MULTILINE)


def test_where_many_files_have_one_gap_the_reason_is_never_cut() -> None:
    paths = [f"examples/{'celery/' * 8}templates/page{at}.html" for at in range(9)]
    gaps = tuple(gap(path=path, tool="", detail="no tool reads the scripts in pages") for path in paths)
    text = shown(run_document(coverage=Coverage(lanes=(lane_coverage(gaps=gaps),))))
    assert "and 6 more files: no tool reads the scripts in pages" in " ".join(text.split())


def test_a_comment_in_the_source_is_told_where_nothing_blocks_too() -> None:
    allowed = decision(Outcome.PASS, [verdict("sql", Word.ALLOW)])
    text = shown(run_document(findings=(finding(suppressed_in_source=True),), decision=allowed))
    assert "a comment asks to ignore this" in text


@pytest.mark.parametrize(("count", "more"), [(4, ""), (5, " and 1 more"), (1204, " and 1,200 more")])
def test_of_many_names_four_are_told(count: int, more: str) -> None:
    text = shown(run_document(target=target(gate_changes=tuple(f"f{at}" for at in range(count)))))
    assert f"f0, f1, f2, f3{more} " in " ".join(text.split())


def test_a_change_of_the_gate_itself_is_told() -> None:
    text = shown(run_document(target=target(gate_changes=(".github/workflows/gate.yml",))))
    assert "this change edits what judges it (reported, not obeyed): .github/workflows/gate.yml" in " ".join(
        text.split()
    )


def test_verdicts_on_run_and_lane_are_told() -> None:
    verdicts = [
        verdict(subject="run", id="run", reason="too late"),
        lane_verdict(Lane.IAC, Word.DENY, reason="too old"),
    ]
    text = shown(run_document(decision=decision(Outcome.FAIL, verdicts)))
    assert "deny: too late [change]" in text
    assert "- deny: too old [change]" in text


def test_a_finding_that_could_not_be_judged_says_so() -> None:
    one = decision(Outcome.INCONCLUSIVE, [verdict(word=Word.INCONCLUSIVE, reason="engines differ")])
    assert "why could not tell: engines differ" in shown(run_document(findings=(finding(),), decision=one))
