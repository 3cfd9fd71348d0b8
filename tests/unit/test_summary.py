"""What is said of a run is true: of every outcome, lane, finding and way to green."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from secgate.gaps import gap_words
from secgate.model import (
    Coverage,
    Decision,
    Finding,
    Lane,
    LeftOut,
    Location,
    Outcome,
    Package,
    Region,
    RunDocument,
    Scope,
    State,
    Verdict,
    Word,
)
from secgate.sla import many, utc_words
from secgate.summary import FindingRow, pinpoint, summarise
from tests.factories import (
    DAY,
    HOUR,
    decision,
    finding,
    gap,
    lane_coverage,
    lane_verdict,
    location,
    obligation,
    result,
    run_document,
    target,
    verdict,
)
from tests.sample_runs import failing_run, inconclusive_run, policy_error_run


def sentence(*verdicts: Verdict, outcome: Outcome = Outcome.PASS, **changes: Any) -> str:
    made: Decision = decision(outcome, verdicts)
    return summarise(run_document(decision=made, **changes)).sentence


def covering(*gaps: Any, **changes: Any) -> Coverage:
    return Coverage(lanes=(lane_coverage(gaps=gaps, **changes),))


def row(*verdicts: Verdict, **changes: Any) -> FindingRow:
    """The one row of a run with one finding."""
    summary = summarise(run_document(findings=(finding(**changes),), decision=decision(Outcome.FAIL, verdicts)))
    return (*summary.blocking, *summary.others)[0]


def blocked(*findings: Finding) -> RunDocument:
    verdicts = [Verdict(subject="finding", id=f.fingerprint, word=Word.DENY, rule="r") for f in findings]
    return run_document(findings=findings, decision=decision(Outcome.FAIL, verdicts))


def package(*fixed: str, version: str = "1.0", manifest: str = "requirements.txt") -> Package:
    return Package(ecosystem="PyPI", name="lib", version=version, manifest=manifest, fixed_versions=fixed)


def test_pass() -> None:
    summary = summarise(run_document())
    assert (summary.word, summary.exit_code, summary.to_green) == ("PASS", 0, ())
    assert summary.sentence == "every lane asked for was covered and nothing blocks; no findings."


def test_fail() -> None:
    summary = summarise(failing_run())
    assert (summary.word, summary.exit_code) == ("FAIL", 1)
    assert summary.sentence == "the policy blocks 5 findings; 1 older coverage gap not counted by this profile."
    assert summary.counts == (("critical", 2), ("high", 4), ("medium", 1), ("info", 1))


def test_could_not_tell() -> None:
    summary = summarise(inconclusive_run())
    assert (summary.word, summary.exit_code) == ("COULD NOT TELL", 3)
    assert summary.sentence == "no full answer in the lanes iac, sast."
    assert summary.to_green[-2:] == (
        "secgate tools install checkov",
        "secgate explain sast, secgate explain iac: each gap, with the command that asks to let it pass",
    )


@pytest.mark.parametrize(
    "outcome", [Outcome.POLICY_ERROR, Outcome.LEDGER_ERROR, Outcome.USAGE_ERROR, Outcome.INTERNAL_ERROR]
)
def test_a_fault_never_reads_like_a_pass(outcome: Outcome) -> None:
    said = sentence(outcome=outcome)
    assert said.endswith("so nothing passes.")
    assert "covered" not in said


def test_policy_error_tells_its_notes() -> None:
    assert "does not compile" in summarise(policy_error_run()).notes[0]


@pytest.mark.parametrize(
    ("verdicts", "outcome", "said"),
    [
        ([lane_verdict(Lane.IAC, Word.DENY)], Outcome.FAIL, "the policy blocks the lane iac."),
        ([verdict(subject="run", id="run")], Outcome.FAIL, "the policy blocks the run itself."),
        (
            [verdict(subject="run", id="run", word=Word.INCONCLUSIVE)],
            Outcome.INCONCLUSIVE,
            "no full answer for the run.",
        ),
        ([], Outcome.FAIL, "the verdicts and notes below say why."),
    ],
)
def test_what_blocks_without_a_finding_is_said(verdicts: list[Verdict], outcome: Outcome, said: str) -> None:
    assert sentence(*verdicts, outcome=outcome) == said


def test_coverage_is_not_claimed_where_it_is_not() -> None:
    only = decision(claims_coverage=False)
    said = summarise(run_document(decision=only, findings=(finding(),))).sentence
    assert said == "findings only, no coverage claimed; nothing blocks; 1 finding known."


@pytest.mark.parametrize(
    ("gaps", "said"),
    [
        ([gap(touched=False)], "1 older coverage gap not counted by this profile."),
        ([gap(), gap(path="b.py", touched=False)], "2 coverage gaps not counted by this profile."),
        ([gap(waived=True)], "1 coverage gap waived."),
    ],
)
def test_a_pass_with_gaps_says_so(gaps: list[Any], said: str) -> None:
    assert sentence(coverage=covering(*gaps)) == said


def test_nothing_to_scan_is_not_covered() -> None:
    empty = covering(needed=False, offered=0, covered=0)
    assert sentence(coverage=empty) == "there is nothing to scan for any lane asked for; no findings."
    assert sentence(target=target(changed=())) == "nothing changed, so nothing was scanned."


def test_not_judged() -> None:
    summary = summarise(run_document(decision=None, findings=(finding(),)))
    assert (summary.word, summary.outcome, summary.exit_code) == ("SCANNED, NOT JUDGED", None, 0)
    assert [r.word for r in summary.others] == ["not judged"]


def test_observed_is_said_where_the_exit_code_hides_it() -> None:
    summary = summarise(run_document(decision=decision(Outcome.FAIL, mode="observe")))
    assert (summary.word, summary.exit_code) == ("FAIL (OBSERVED, NOT ENFORCED)", 0)
    assert summarise(run_document(decision=decision(mode="observe"))).word == "PASS"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"target": target(dirty=True)}, "with uncommitted changes"),
        ({"target": target(scope=Scope.LOCAL, changed=None, base_commit="")}, "every finding counts as new"),
        ({"provisional_clocks": True}, "clocks are provisional"),
        ({"complete": False}, "not every tool came to its end"),
    ],
)
def test_context(changes: dict[str, Any], said: str) -> None:
    assert any(said in line for line in summarise(run_document(**changes)).context)
    assert not any(said in line for line in summarise(run_document()).context)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "covered"),
        ({"asked": False}, "not asked"),
        ({"needed": False, "offered": 0, "covered": 0}, "nothing to scan"),
        ({"covered": 11}, "INCOMPLETE"),
        ({"covered": 11, "unsupported": 1}, "covered"),
        ({"gaps": (gap(path=""),)}, "INCOMPLETE"),
        ({"needed": False, "gaps": (gap(path=""),)}, "INCOMPLETE"),
        ({"covered": 11, "failed": 1, "gaps": (gap(waived=True),)}, "gaps waived"),
    ],
)
def test_state_of_a_lane(changes: dict[str, Any], state: str) -> None:
    document = run_document(coverage=Coverage(lanes=(lane_coverage(**changes),)))
    assert summarise(document).lanes[0].state == state


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "12 of 12 files"),
        ({"offered": 0, "covered": 0, "not_looked": (LeftOut(path="big.py", reason="too-large"),)}, "0 of 1 file"),
        ({"offered": 1, "covered": 1, "not_looked": (LeftOut(path="big.py", reason="too-large"),)}, "1 of 2 files"),
        ({"offered": 0, "covered": 0, "gaps": (gap(path="", reason="excluded"),)}, ""),
    ],
)
def test_a_file_that_no_tool_was_offered_is_one_of_the_lane(changes: dict[str, Any], said: str) -> None:
    document = run_document(coverage=Coverage(lanes=(lane_coverage(**changes),)))
    assert summarise(document).lanes[0].counts == said


def test_a_lane_tells_its_ruling_where_no_gap_does() -> None:
    denied = lane_verdict(Lane.SAST, Word.DENY, reason="too old", rule="data.secgate.rules.advisories")
    lanes = summarise(run_document(decision=decision(Outcome.FAIL, [denied]))).lanes
    assert [lane.ruling for lane in lanes] == ["deny: too old [advisories]", "", "", "", ""]


def test_gaps_of_one_kind_are_one_line() -> None:
    many = [gap(path=f"{n}.py", detail="", reason="too-large") for n in range(5)]
    assert gap_words(many) == ("0.py, 1.py, 2.py and 2 more files: bandit: is larger than the tool reads",)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"path": "", "tool": "x", "detail": "x is not installed"}, "x is not installed"),
        ({"path": "a", "waived": True, "detail": "d"}, "a: bandit: d (waived)"),
        ({"path": "a", "touched": False, "detail": "d"}, "a: bandit: d (older than the change)"),
        ({"path": "a", "tool": "", "detail": "", "reason": "made-up"}, "a: made-up"),
    ],
)
def test_gap_words(changes: dict[str, Any], said: str) -> None:
    assert gap_words([gap(**changes)]) == (said,)


def test_a_row_tells_place_why_and_time() -> None:
    shown = row(verdict(layer="organisation"), obligations=(obligation(left_s=19 * HOUR, limit_s=DAY),))
    assert (shown.place, shown.why) == ("shop/views.py:42", "new high finding [organisation: change]")
    assert shown.due == "2026-01-01 19:00 UTC, 19 h of 24 h left (severity)"
    assert (shown.blocking, shown.overdue) == (True, False)


@pytest.mark.parametrize(("left_s", "overdue"), [(1, False), (0, False), (-1, True)])
def test_overdue_begins_one_second_after_due(left_s: int, *, overdue: bool) -> None:
    assert row(verdict(), obligations=(obligation(left_s=left_s),)).overdue is overdue


def test_the_earliest_duty_counts() -> None:
    duties = (obligation(left_s=DAY), obligation(left_s=HOUR, basis="known-exploited"))
    assert row(verdict(), obligations=duties).basis == "known-exploited"


def test_no_line_no_number() -> None:
    assert row(verdict(), location=Location(path="a")).place == "a"


def test_strictest_word_first_then_severity() -> None:
    names = {"a": Word.WARN, "b": Word.DENY, "c": Word.DENY, "d": Word.INCONCLUSIVE}
    scores = {"a": 9.9, "b": 7.0, "c": 9.0, "d": 9.9}
    findings = tuple(finding(name, score=scores[name], title=name) for name in names)
    made = decision(Outcome.FAIL, [verdict(name, word) for name, word in names.items()])
    summary = summarise(run_document(findings=findings, decision=made))
    assert [r.finding.title for r in (*summary.blocking, *summary.others)] == ["c", "b", "d", "a"]


def test_one_upgrade_ends_all_findings_of_a_package() -> None:
    fixed = [("2.0", "1.10"), ("1.9",), ("0.5", "1.2")]
    findings = [finding(str(n), package=package(*versions)) for n, versions in enumerate(fixed)]
    assert summarise(blocked(*findings)).to_green == ("upgrade lib to 1.10 or later in requirements.txt",)


def test_a_version_nobody_can_order_is_still_named() -> None:
    assert row(verdict(), package=package("final", version="beta")).fix.startswith("upgrade lib to final")


def test_steps_name_the_remedy_or_what_is_found() -> None:
    with_remedy, without = finding("a"), finding("b", remedy="", location=location("b.py", 1))
    steps = summarise(blocked(with_remedy, without)).to_green
    assert steps[0] == "b.py:1: remove what is found: SQL is put together from the request"
    assert steps[1].startswith("shop/views.py:42: pass the value")


def test_one_thing_to_do_in_several_places_is_one_step() -> None:
    findings = [finding(str(n), location=location("a.py", n), remedy="Do it.") for n in range(1, 6)]
    assert summarise(blocked(*findings)).to_green == ("a.py:1, a.py:2, a.py:3 and 2 more places: Do it.",)


def test_waived_gaps_are_no_step() -> None:
    base = inconclusive_run()
    lanes = (*base.coverage.lanes[:1], lane_coverage(gaps=(gap(waived=True, remedy="nothing to do"),)))
    changed = msgspec.structs.replace(base, coverage=Coverage(lanes=lanes))
    assert "nothing to do" not in summarise(changed).to_green


def test_gone_and_left_out_are_told() -> None:
    summary = summarise(failing_run())
    assert summary.gone == ("weak-hash in shop/tokens.py",)
    assert summary.left_out == (
        "1 excluded by tests/rules/",
        "1 link out of the tree (latest)",
        "1 submodule (vendor/lib)",
    )
    assert summary.not_obeyed == ""


def test_what_is_searched_under_another_name_is_not_said_to_be_left_out() -> None:
    left = tuple(LeftOut(path=path, reason="tool-configuration") for path in (".bandit", ".gitignore"))
    links = tuple(LeftOut(path=f"l{at}", reason="link") for at in range(5))
    summary = summarise(run_document(coverage=Coverage(lanes=(lane_coverage(),), left_out=(*left, *links))))
    assert (summary.left_out, summary.not_obeyed) == (
        ("5 links (l0, l1, l2 and 2 more paths)",),
        ".bandit, .gitignore",
    )


def test_of_one_score_the_first_place_is_first_by_number_and_not_by_text() -> None:
    lines = [10, 2, 100]
    found = [finding(str(line), location=location(line=line), witnesses=()) for line in lines]
    verdicts = [verdict(str(line)) for line in lines]
    summary = summarise(run_document(findings=tuple(found), decision=decision(Outcome.FAIL, verdicts)))
    assert [one.place for one in summary.blocking] == [f"shop/views.py:{line}" for line in (2, 10, 100)]


def test_absent_findings_are_not_counted() -> None:
    assert summarise(run_document(findings=(finding(state=State.ABSENT),))).counts == ()


def test_witnesses_are_named_once() -> None:
    assert row(verdict(), witnesses=(result(), result(), result("bandit"))).seen_by == "bandit, semgrep"


def test_provisional_clocks_are_told_once() -> None:
    noted = decision(notes=("clocks are provisional: nothing requires this ledger",))
    summary = summarise(run_document(decision=noted, provisional_clocks=True))
    assert sum("provisional" in line for line in (*summary.context, *summary.notes)) == 1


def test_words() -> None:
    assert [many(n, "gap") for n in (0, 1, 1200)] == ["0 gaps", "1 gap", "1,200 gaps"]
    assert utc_words(0) == "1970-01-01 00:00 UTC"
    assert utc_words(10**15) == "1000000000000000 s after 1970"


def test_the_place_shown_is_the_tightest_that_a_witness_names() -> None:
    def at(first: int, last: int) -> Location:
        return location("k8s.yaml", region=Region(start_line=first, end_line=last))

    witnesses = tuple(result(location=at(*lines)) for lines in ((36, 80), (55, 55), (55, 55), (3, 3)))
    assert pinpoint(finding(location=at(36, 80), witnesses=witnesses)).region.start_line == 55


def test_what_mends_a_gap_says_in_which_file_and_a_command_stands_alone() -> None:
    words, command = "correct the file's syntax", "secgate tools install checkov"
    paths = ("a.py", "b.py", "c.py", "d.py", "e.py", "f.py")
    gaps = (*(gap(path=path, remedy=words) for path in paths), *(gap(path=path, remedy=command) for path in paths))
    lane = lane_coverage(covered=0, failed=12, gaps=(*gaps, gap(path="", remedy="the whole lane")))
    told = decision(Outcome.INCONCLUSIVE, [lane_verdict(Lane.SAST, Word.INCONCLUSIVE)])
    steps = summarise(run_document(findings=(), coverage=Coverage(lanes=(lane,)), decision=told)).to_green
    assert command in steps
    assert "the whole lane" in steps
    (mended,) = [step for step in steps if step.endswith(words)]
    assert mended == f"a.py, b.py, c.py and 3 more places: {words}"
