"""A comment in the source in a decision: a fact, and what the organisation's data makes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from secgate.engines.regorus import RegorusEngine
from secgate.errors import PolicyError
from secgate.judge import judge
from secgate.model import Finding, Lane, Result, Scope, Severity, State, Suppression
from tests.factories import result
from tests.unit.judge.test_closed import FINGERPRINT, NOTHING, Tampered, _word

Bench = Any
ALLOWED: dict[str, object] = {
    "comments": ["nosec"],
    "lanes": ["sast"],
    "severities": ["medium", "low"],
    "names_rules": True,
    "reason_characters": 10,
}


def seen(*texts: str, scanner: str = "bandit") -> tuple[Result, ...]:
    return tuple(
        result(scanner, suppressions=(Suppression(kind="inSource", text=text),) if text else ()) for text in texts
    )


def overdue(bench: Bench, *texts: str, scanner: str = "bandit", **changes: object) -> Finding:
    values: dict[str, object] = {
        "severity": Severity.MEDIUM,
        "witnesses": seen(*texts, scanner=scanner),
        "suppressed_in_source": all(texts),
        "first_seen_epoch_s": bench.epoch - 40 * 86400,
        "touched": False,
    }
    return bench.finding(**(values | changes))  # type: ignore[no-any-return]


def word(bench: Bench, finding: Finding, scope: Scope = Scope.PROTECTED, **changes: object) -> str:
    data = json.dumps({"suppressions": {"version": 1, "let_pass": [ALLOWED | changes]}}).encode()
    organisation = bench.layer("organisation", NOTHING, suppressions=data)
    return bench.word(finding, scope=scope, and_layers=(organisation,))  # type: ignore[no-any-return]


def test_as_shipped_a_comment_is_a_fact_and_nothing_more(bench: Bench) -> None:
    finding = overdue(bench, "# nosec B307 looked at by us")
    judgement = bench.judge(finding, scope=Scope.PROTECTED)
    facts = json.loads(judgement.input_document)["findings"][0]["in_source"]
    assert facts == {"comments": ["nosec"], "names_rules": True, "reason": "looked at by us"}
    assert bench.word(finding, scope=Scope.PROTECTED) == "deny"


def test_the_organisation_lets_it_pass(bench: Bench) -> None:
    assert word(bench, overdue(bench, "# nosec B307 looked at by us")) == "waived"


@pytest.mark.parametrize(
    "texts",
    [("# nosec B307",), ("# nosec looked at by us",), ("# nosec B307 looked at by us", "# nosec B307"), ("odd form",)],
)
def test_every_witness_has_to_say_enough(bench: Bench, texts: tuple[str, ...]) -> None:
    assert word(bench, overdue(bench, *texts)) == "deny"


def test_what_one_tool_sees_without_a_comment_is_not_let_pass(bench: Bench) -> None:
    assert word(bench, overdue(bench, "# nosec B307 looked at by us", "")) == "deny"


def test_threat_07_a_file_of_another_tool_claims_no_comment(bench: Bench) -> None:
    assert word(bench, overdue(bench, "# nosec B307 looked at by us", scanner="sarif:bandit")) == "deny"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"severity": Severity.LOW, "first_seen_epoch_s": 0}, "waived"),
        ({"severity": Severity.HIGH}, "deny"),
        ({"lane": Lane.SECRETS}, "deny"),
        ({"lane": Lane.WORKFLOWS}, "deny"),
    ],
)
def test_how_bad_it_may_be_has_a_bound(bench: Bench, changes: dict[str, Any], told: str) -> None:
    assert word(bench, overdue(bench, "# nosec B307 looked at by us", **changes)) == told


def test_threat_06_a_change_brings_no_comment_that_excuses_it(bench: Bench) -> None:
    brought = overdue(bench, "# nosec B307 looked at by us", state=State.NEW, touched=True, severity=Severity.HIGH)
    assert word(bench, brought, scope=Scope.CHANGE) == "deny"
    warned = 'warn contains {"finding": f.fingerprint, "reason": "own"} if some f in input.findings\n'
    data = json.dumps({"suppressions": {"version": 1, "let_pass": [ALLOWED]}}).encode()
    layer = bench.layer("organisation", warned, suppressions=data)

    def warned_of(**changes: Any) -> str:
        finding = overdue(bench, "# nosec B307 looked at by us", **changes)
        return bench.word(finding, scope=Scope.CHANGE, and_layers=(layer,))  # type: ignore[no-any-return]

    assert warned_of(state=State.NEW, touched=True) == "warn"
    assert warned_of(state=State.UNCHANGED, touched=True) == "warn"
    assert warned_of(state=State.UNCHANGED) == "waived"


def test_threat_06_a_repository_s_own_data_lets_nothing_pass(bench: Bench) -> None:
    data = json.dumps({"suppressions": {"version": 1, "let_pass": [ALLOWED]}}).encode()
    layer = bench.layer("repository", NOTHING, suppressions=data)
    finding = overdue(bench, "# nosec B307 looked at by us")
    assert bench.word(finding, scope=Scope.PROTECTED, and_layers=(layer,)) == "deny"


@pytest.mark.parametrize(
    ("comment", "changes"),
    [
        ("", {}),
        ("# nosec B307 looked at by us", {"severity": Severity.HIGH}),
        ("# nosec B307 looked at by us", {"state": State.NEW}),
        ("# nosec B307 looked at by us", {"lane": Lane.SECRETS}),
    ],
)
def test_a_policy_that_waives_for_less_is_void(bench: Bench, comment: str, changes: dict[str, Any]) -> None:
    engine = Tampered(_word(FINGERPRINT, "waived"))
    with pytest.raises(PolicyError, match="waived without a waiver"):
        judge(bench.request(overdue(bench, comment, **changes)), engine=engine, guarded=engine)


@pytest.mark.parametrize(
    "changes",
    [
        {"severities": ["high"]},
        {"lanes": ["secrets"]},
        {"comments": ["pragma: allowlist secret"]},
        {"comments": []},
        {"reason_characters": 0},
        {"more": 1},
    ],
)
def test_data_that_asks_for_too_much_is_refused(bench: Bench, changes: dict[str, Any]) -> None:
    with pytest.raises(PolicyError, match="not of the known form"):
        word(bench, overdue(bench, "# nosec"), **changes)


def test_the_tampered_engine_is_the_real_one_otherwise(bench: Bench) -> None:
    engine = Tampered(lambda _: None)
    finding = overdue(bench, "# nosec B307 looked at by us")
    assert judge(bench.request(finding), engine=engine, guarded=RegorusEngine()).decision.exit_code == 0
