"""Past GitHub's limits the least urgent is left out, and each loss is said in the file and to the caller."""

from __future__ import annotations

import gzip
import json
from typing import Any

import msgspec
import pytest

from secgate.model import Coverage, Finding, RunDocument, Severity, Word
from secgate.sarif import Limits, Written, write
from tests.factories import (
    decision,
    digest,
    finding,
    gap,
    invocation,
    lane_coverage,
    location,
    result,
    run_document,
    verdict,
)


def seen(name: str, score: float = 5.0, tool: str = "semgrep", **changes: Any) -> Finding:
    """A finding of one tool at a line of its own."""
    place = location("a.py", int(name) + 1)
    witness = result(tool, score=score, severity=Severity.from_score(score), location=place, **changes)
    return finding(name, score=score, location=place, witnesses=(witness,))


def document(findings: list[Finding], words: dict[str, Word] | None = None) -> RunDocument:
    verdicts = [verdict(name, word) for name, word in (words or {}).items()]
    return run_document(findings=tuple(findings), decision=decision(verdicts=verdicts))


def runs(written: Written) -> list[Any]:
    found: list[Any] = json.loads(written.data)["runs"]
    return found


def lines(run: Any) -> list[int]:
    return [one["locations"][0]["physicalLocation"]["region"]["startLine"] for one in run["results"]]


def notices(run: Any) -> list[str]:
    told = run["invocations"][0]["toolExecutionNotifications"]
    return [note["message"]["text"] for note in told if note["descriptor"]["id"] == "secgate/left-out-here"]


def test_denied_stays_before_severe_and_severe_before_the_rest() -> None:
    findings = [seen("0", 3.0), seen("1", 9.8), seen("2", 5.0), seen("3", 7.5)]
    words = {"0": Word.DENY, "1": Word.WAIVED, "2": Word.WARN, "3": Word.WARN}
    written = write(document(findings, words), limits=Limits(results_per_run=2))
    assert lines(runs(written)[0]) == [1, 4]


def test_what_is_left_out_is_said_in_the_run_and_to_the_caller() -> None:
    written = write(document([seen(str(n)) for n in range(5)]), limits=Limits(results_per_run=3))
    (note,) = written.left_out
    assert "the 2 least urgent of 5 results are left out" in note
    assert notices(runs(written)[0]) == [note]


def test_one_that_is_left_out_is_one() -> None:
    (note,) = write(document([seen(str(n)) for n in range(4)]), limits=Limits(results_per_run=3)).left_out
    assert "the least urgent of 4 results is left out" in note


def test_within_the_limits_nothing_is_said() -> None:
    written = write(document([seen("0")]))
    assert (written.left_out, notices(runs(written)[0])) == ((), [])


def test_without_limits_everything_is_written() -> None:
    written = write(document([seen(str(n)) for n in range(30)]), limits=None)
    assert (len(lines(runs(written)[0])), written.left_out) == (30, ())


def test_a_run_of_more_than_is_shown_stands_in_the_order_of_urgency() -> None:
    findings = [seen("0", 3.0), seen("1", 9.8), seen("2", 5.0)]
    assert lines(runs(write(document(findings), limits=Limits(shown_per_run=3)))[0]) == [1, 2, 3]
    written = write(document(findings), limits=Limits(shown_per_run=2))
    assert lines(runs(written)[0]) == [2, 3, 1]
    assert "GitHub shows 2" in written.left_out[0]


def test_too_many_runs_leave_the_least_urgent_out_by_name() -> None:
    tools = [f"tool{n}" for n in range(6)]
    findings = [seen(str(n), float(n), tool=tool) for n, tool in enumerate(tools)]
    many = run_document(findings=tuple(findings), invocations=tuple(map(invocation, tools)))
    written = write(many, limits=Limits(runs=4))
    # One place is the gate's own, which says what is missing.
    assert [run["tool"]["driver"]["name"] for run in runs(written)] == ["tool3", "tool4", "tool5", "secgate"]
    assert [note.split(" ")[0] for note in written.left_out] == ["tool0", "tool1", "tool2"]
    assert notices(runs(written)[-1]) == list(written.left_out)


def test_the_gates_own_run_has_its_place_among_those_that_are_taken() -> None:
    tools = tuple(invocation(f"tool{n}") for n in range(20))
    gaps = Coverage(lanes=(lane_coverage(gaps=(gap(tool="ghost"), gap(tool="tool3"))),))
    found = runs(write(run_document(invocations=tools, coverage=gaps)))
    told = [n["message"]["text"] for run in found for n in run["invocations"][0]["toolExecutionNotifications"]]
    assert len(found) == 20
    assert sum(text.startswith("not covered") for text in told) == 2


def test_a_file_that_is_too_large_is_made_lighter_by_the_least_urgent_of_all_runs() -> None:
    text = ["".join(digest(f"{n} {part}") for part in range(10)) for n in range(60)]
    tools = ("one", "two")
    findings = [seen(str(n), n / 10, tool=tools[n % 2], snippet=text[n]) for n in range(60)]
    full = run_document(findings=tuple(findings), invocations=tuple(map(invocation, tools)))
    written = write(full, limits=Limits(compressed_bytes=10_000))
    assert len(gzip.compress(written.data)) <= 10_000
    kept = sorted(line for run in runs(written) for line in lines(run))
    assert kept == list(range(61 - len(kept), 61))
    assert len(kept) > 15
    assert len(written.left_out) == 2


def test_a_limit_that_nothing_meets_ends_with_no_results() -> None:
    written = write(document([seen("0")]), limits=Limits(compressed_bytes=1))
    assert lines(runs(written)[0]) == []
    assert written.left_out


def test_the_choice_does_not_depend_on_the_order_of_the_document() -> None:
    findings = [seen(str(n), float(n % 3)) for n in range(20)]
    written = [write(document(found), limits=Limits(results_per_run=7)) for found in (findings, findings[::-1])]
    assert written[0] == written[1]


def test_tags_and_texts_beyond_what_is_shown_are_cut_and_counted() -> None:
    one = seen("0", cwes=tuple(range(1, 13)), message="long " * 500)
    written = write(document([one]))
    rule = runs(written)[0]["tool"]["driver"]["rules"][0]
    assert len(rule["properties"]["tags"]) == 10
    assert len(rule["relationships"]) == 12
    assert len(runs(written)[0]["results"][0]["message"]["text"]) == 1000
    assert [note.split(": ")[1].split(" ")[0] for note in written.left_out] == ["1", "3"]


@pytest.mark.parametrize("scanner", ["a/b", "a%2Fb", "x" * 400, "x" * 401, "é", "two words"])
def test_ids_are_unique_and_have_one_category(scanner: str) -> None:
    others = ("a", "b", "a%b", "x" * 399, "e")
    tools = tuple(msgspec.structs.replace(invocation(), scanner=name) for name in (scanner, *others))
    written = write(run_document(invocations=tools))
    ids = [run["automationDetails"]["id"] for run in runs(written)]
    assert len(set(ids)) == len(tools)
    assert all(one.count("/") == 3 and one.endswith("/") for one in ids)
