"""The runs before a run: which are compared with it, and how they are drawn."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from secgate.model import KnownRun, Outcome, PastRun, RunDocument, Scope
from secgate.reporters.html import HtmlReporter
from secgate.trend import FLOOR, MOST, TOP, earlier_runs, no_trend, trend
from tests.factories import HOSTILE, digest, finding, run_document
from tests.sample_runs import failing_run

NAMES = ("critical", "high", "medium", "low", "info")


def past(name: str = "r", **changes: Any) -> PastRun:
    found = dict(zip(NAMES, (1, 2, 0, 0, 1), strict=True))
    told: dict[str, Any] = {"commit": "", "evaluated_epoch_s": 0, "outcome": "fail", "blocking": 1, "severities": found}
    return PastRun(**{"run_id": name, **told, **changes})


def known(name: str, document: RunDocument, **changes: Any) -> KnownRun:
    """A recorded run that `document` can be compared with, but for the changes."""
    target = document.target
    given: dict[str, Any] = {
        "run_id": name, "commit": "", "line": target.line, "scope": target.scope, "complete": True, "dirty": False,
        "tools_digest": "", "lanes": (), "evaluated_epoch_s": 0, "document_digest": digest(name), "ref": target.ref,
        "prefix": target.prefix, "profile": "pull-request", "past": past(name),
    }  # fmt: skip
    return KnownRun(**(given | changes))


def test_runs_of_the_same_kind_before_it_are_its_past() -> None:
    document = failing_run()
    runs = [known("a", document), known("b", document), known(document.run_id, document), known("later", document)]
    assert [one.run_id for one in earlier_runs(runs, document)] == ["a", "b"]
    assert [one.run_id for one in earlier_runs(runs[:2], document)] == ["a", "b"]


@pytest.mark.parametrize(
    "other", [{"line": "other"}, {"scope": Scope.LOCAL}, {"prefix": "docs"}, {"profile": "audit"}, {"ref": "another"}]
)
def test_others_are_not(other: dict[str, Any]) -> None:
    document = failing_run()
    assert earlier_runs([known("a", document, **other)], document) == ()


def test_a_protected_line_is_one_whatever_named_it() -> None:
    document = failing_run()
    protected = msgspec.structs.replace(document.target, scope=Scope.PROTECTED)
    document = msgspec.structs.replace(document, target=protected)
    assert len(earlier_runs([known("a", document, ref="HEAD")], document)) == 1


def test_the_last_few_are_kept() -> None:
    document = failing_run()
    found = earlier_runs([known(f"{at:02}", document) for at in range(40)], document)
    assert [one.run_id for one in found] == [f"{at:02}" for at in range(40 - MOST + 1, 40)]


def test_nothing_is_drawn_of_one_run_and_why_is_said() -> None:
    assert trend(run_document()) is None
    assert no_trend(run_document(ledger="")) == "No ledger was asked, so nothing is known of earlier runs."
    assert no_trend(run_document()) == "The ledger holds no earlier run that this one could be compared with."
    assert trend(run_document(decision=None, earlier=(past(),))) is None


def test_columns_stand_on_the_floor_and_reach_what_they_count() -> None:
    drawn = trend(failing_run(earlier=(past(), past(severities=dict.fromkeys(NAMES, 0)))))
    assert drawn is not None
    first, empty, now = drawn.columns
    assert [part.severity for part in first.parts] == ["critical", "high", "info"]
    assert (first.parts[0].y + first.parts[0].height, empty.parts) == (FLOOR, ())
    assert [tick.label for tick in drawn.ticks] == ["0", "5", "10"]
    assert drawn.ticks[-1].y == TOP
    assert sum(now.run.severities.values()) == 8
    assert now.parts[-1].y == pytest.approx(FLOOR - (FLOOR - TOP) * 8 / 10, abs=0.5)
    assert (now.run.blocking, now.word, now.mark, now.tone) == (5, "fail", "✕", "bad")
    assert drawn.text.startswith("From 4 findings in the first of 3 runs to 8 findings in this one.")


def test_what_was_not_recorded_is_not_zero() -> None:
    drawn = trend(failing_run(earlier=(past(severities={}),)))
    assert drawn is not None
    assert drawn.text.startswith("From a number that was not recorded in the first of 2 runs")
    text = HtmlReporter().render(failing_run(earlier=(past(severities={}),)), width=80, colour=False).decode()
    assert text.count("not recorded</span>") == 5


@pytest.mark.parametrize("count", [0, 1, 2, 3, 19, 20, 21, 99_999, 10**30])
def test_any_number_has_room(count: int) -> None:
    drawn = trend(run_document(findings=(finding(),), earlier=(past(severities={"high": count, HOSTILE: 10**40}),)))
    assert drawn is not None
    ys = [part.y for column in drawn.columns for part in column.parts]
    assert all(TOP <= y <= FLOOR for y in ys)


def test_what_a_ledger_says_stays_text() -> None:
    evil = past(HOSTILE, commit=HOSTILE, outcome=HOSTILE, severities={HOSTILE: 3})
    text = HtmlReporter().render(failing_run(earlier=(evil,)), width=80, colour=False).decode()
    assert "<script>alert(1)" not in text
    assert text.count("<script") == 1


def test_words_for_how_a_run_ended() -> None:
    outcomes = [Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.POLICY_ERROR, ""]
    drawn = trend(failing_run(earlier=tuple(past(outcome=one) for one in outcomes)))
    assert drawn is not None
    assert [(one.mark, one.word) for one in drawn.columns[:4]] == [
        ("✓", "pass"), ("?", "inconclusive"), ("✕", "policy error"), ("·", "not judged"),
    ]  # fmt: skip
