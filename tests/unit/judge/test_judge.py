"""The default table, the outcome, and what a decision says."""

from __future__ import annotations

from typing import Any

import pytest

from secgate.engines.regorus import RegorusEngine
from secgate.errors import PolicyError, UsageError
from secgate.judge import judge
from secgate.model import Gap, Lane, Location, Obligation, Outcome, Scope, Severity, State, Word
from secgate.policy import WaiverFacts
from secgate.policy.facts import JoinedFacts

Bench = Any
DAY = 86400


def test_nothing_found_passes(bench: Bench) -> None:
    decision = bench.judge().decision
    assert (decision.outcome, decision.all_outcomes, decision.exit_code) == (Outcome.PASS, (Outcome.PASS,), 0)
    assert [(v.subject, v.id) for v in decision.verdicts] == [
        *(("lane", lane) for lane in sorted(Lane)),
        ("run", "run"),
    ]
    assert {v.rule for v in decision.verdicts} == {"secgate.main"}


def test_new_high_in_a_change_fails_and_says_why(bench: Bench) -> None:
    decision = bench.judge(bench.finding(state=State.NEW)).decision
    verdict = decision.verdicts[0]
    assert decision.exit_code == 1
    assert (verdict.word, verdict.rule, verdict.layer) == (
        Word.DENY,
        "data.secgate.rules.new_critical_or_high",
        "shipped",
    )
    assert verdict.reason == "new high finding: sql-injection in app/views.py:12"
    assert verdict.remedy == "fix it in this change, or have a waiver approved"


@pytest.mark.parametrize(
    ("scope", "changes", "word"),
    [
        (Scope.CHANGE, {"state": State.NEW, "severity": Severity.CRITICAL}, "deny"),
        (Scope.CHANGE, {"state": State.NEW, "severity": Severity.MEDIUM}, "allow"),
        (Scope.CHANGE, {"state": State.NEWLY_DETECTABLE}, "allow"),
        (Scope.CHANGE, {"state": State.UNCHANGED}, "allow"),
        (Scope.LOCAL, {"state": State.NEW}, "deny"),
        (Scope.PROTECTED, {"state": State.NEW, "severity": Severity.CRITICAL}, "allow"),
        (Scope.CHANGE, {"lane": Lane.SECRETS, "severity": Severity.LOW, "state": State.NEW}, "deny"),
        (
            Scope.CHANGE,
            {"lane": Lane.SECRETS, "severity": Severity.LOW, "location": Location(path="a", commit="c" * 40)},
            "deny",
        ),
    ],
)
def test_default_table(bench: Bench, scope: Scope, changes: dict[str, object], word: str) -> None:
    assert bench.word(bench.finding(**changes), scope=scope) == word


def test_everything_is_new_in_a_plain_directory(bench: Bench) -> None:
    target = bench.target(Scope.LOCAL, kind="plain", base_commit="", changed=None)
    assert bench.word(bench.finding(), target=target) == "deny"


@pytest.mark.parametrize(
    ("severity", "limit"),
    [("critical", DAY), ("high", 7 * DAY), ("medium", 30 * DAY), ("low", 90 * DAY)],
)
def test_protected_scope_is_overdue_one_second_after_the_limit(bench: Bench, severity: str, limit: int) -> None:
    def word(ago: int) -> str:
        finding = bench.finding(severity=Severity(severity), first_seen_epoch_s=bench.epoch - ago)
        return str(bench.word(finding, scope=Scope.PROTECTED))

    assert (word(limit), word(limit + 1)) == ("allow", "deny")


def test_obligations_are_new_ones_only_and_carry_the_policy(bench: Bench) -> None:
    held = Obligation(finding="x", basis="severity:high", start_epoch_s=bench.epoch, limit_s=7 * DAY)
    findings = (bench.finding(1), bench.finding(2, obligations=(held,)), bench.finding(3, severity=Severity.INFO))
    decision = bench.judge(*findings, scope=Scope.PROTECTED).decision
    (duty,) = decision.obligations
    assert (duty.finding, duty.basis, duty.start_epoch_s, duty.limit_s) == (
        findings[0].fingerprint,
        "severity:high",
        bench.epoch,
        7 * DAY,
    )
    assert len(duty.policy_digest) == 64


def test_changes_start_no_clock(bench: Bench) -> None:
    assert bench.judge(bench.finding()).decision.obligations == ()


def gap(**changes: object) -> Gap:
    values: dict[str, object] = {"lane": Lane.SAST, "path": "app/broken.py", "tool": "semgrep", "reason": "parse-error"}
    return Gap(**(values | changes))  # type: ignore[arg-type]


def with_gap(bench: Bench, one: Gap) -> Any:
    return bench.coverage(bench.lane(Lane.SAST, covered=0, failed=1, gaps=(one,)))


@pytest.mark.parametrize(
    ("profile", "changes", "outcome"),
    [
        ("pull-request", {"touched": True}, Outcome.INCONCLUSIVE),
        ("pull-request", {"touched": False}, Outcome.PASS),
        ("release", {"touched": False}, Outcome.INCONCLUSIVE),
        ("audit", {"touched": False}, Outcome.INCONCLUSIVE),
        ("release", {"touched": False, "waived": True}, Outcome.PASS),
        ("pull-request", {"touched": False, "path": "", "reason": "tool-missing"}, Outcome.INCONCLUSIVE),
    ],
)
def test_gaps(bench: Bench, profile: str, changes: dict[str, object], outcome: Outcome) -> None:
    decision = bench.judge(profile=profile, coverage=with_gap(bench, gap(**changes))).decision
    assert decision.outcome is outcome


def test_older_gap_is_counted_on_its_lane(bench: Bench) -> None:
    decision = bench.judge(coverage=with_gap(bench, gap(touched=False))).decision
    lane = next(v for v in decision.verdicts if v.id == "sast")
    assert (lane.word, lane.rule) == (Word.WARN, "data.secgate.rules.coverage")
    assert lane.reason == "semgrep did not look at app/broken.py, older than the change: parse-error"


def test_a_file_that_no_tool_looked_at_is_said_so(bench: Bench) -> None:
    decision = bench.judge(coverage=with_gap(bench, gap(tool="", touched=True))).decision
    lane = next(v for v in decision.verdicts if v.id == "sast")
    assert lane.reason.startswith("no tool looked at app/broken.py, ")


def test_gap_that_no_policy_speaks_of_is_inconclusive(bench: Bench) -> None:
    coverage = with_gap(bench, gap(touched=False, waived=True))
    decision = bench.judge(coverage=coverage, disabled_rules=("coverage",)).decision
    lane = next(v for v in decision.verdicts if v.id == "sast")
    assert (decision.outcome, lane.word, lane.rule) == (Outcome.INCONCLUSIVE, Word.INCONCLUSIVE, "secgate.main")


def test_all_outcomes_in_order(bench: Bench) -> None:
    decision = bench.judge(bench.finding(state=State.NEW), coverage=with_gap(bench, gap())).decision
    assert decision.all_outcomes == (Outcome.FAIL, Outcome.INCONCLUSIVE)
    assert decision.exit_code == 1


def test_incomplete_run_is_inconclusive(bench: Bench) -> None:
    assert bench.judge(complete=False).decision.outcome is Outcome.INCONCLUSIVE


def test_observe_mode_says_and_does_not_stop(bench: Bench) -> None:
    decision = bench.judge(bench.finding(state=State.NEW), mode="observe").decision
    assert (decision.outcome, decision.exit_code) == (Outcome.FAIL, 0)


def test_findings_alone_claim_no_coverage(bench: Bench) -> None:
    alone = {"coverage": bench.coverage().__class__(lanes=()), "claims_coverage": False}
    decision = bench.judge(**alone, provisional_clocks=True).decision
    assert (decision.outcome, decision.claims_coverage) == (Outcome.PASS, False)
    assert decision.notes == ("findings only, no coverage claimed; nothing is recorded, no clock starts",)
    assert [v.subject for v in decision.verdicts] == ["run"]


@pytest.mark.parametrize(("state", "word"), [("active", "waived"), ("expired", "deny"), ("void", "deny")])
def test_waivers(bench: Bench, state: Any, word: str) -> None:
    finding = bench.finding(state=State.NEW)
    waiver = WaiverFacts(state=state, kind="accept", approver="grace", expires_epoch_s=bench.epoch + 60)
    assert bench.word(finding, joined={finding.fingerprint: JoinedFacts(waiver=waiver)}) == word


def test_gate_changes_are_said(bench: Bench) -> None:
    decision = bench.judge(target=bench.target(gate_changes=("secgate.toml",))).decision
    assert (decision.outcome, decision.verdicts[-1].word) == (Outcome.PASS, Word.WARN)
    assert "secgate.toml" in decision.verdicts[-1].reason


def test_equal_facts_give_equal_bytes(bench: Bench) -> None:
    one, two = bench.finding(1), bench.finding(2, state=State.NEW)
    assert bench.judge(one, two) == bench.judge(two, one)


def test_unknown_profile(bench: Bench) -> None:
    with pytest.raises(UsageError, match="no profile"):
        bench.judge(profile="mine")


def test_lane_without_an_account_is_an_error(bench: Bench) -> None:
    with pytest.raises(PolicyError, match="no account"):
        bench.judge(coverage=bench.coverage().__class__(lanes=()))


@pytest.mark.parametrize("number", [1_000, 10_000])
def test_many_findings(bench: Bench, number: int) -> None:
    findings = tuple(bench.finding(n, state=State.NEW if n % 2 else State.UNCHANGED) for n in range(number))
    engine = RegorusEngine()
    decision = judge(bench.request(*findings), engine=engine, guarded=engine).decision
    assert sum(v.word is Word.DENY for v in decision.verdicts) == number // 2
