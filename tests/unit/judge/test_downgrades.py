"""A downgrade in a decision: which duties it takes back, and that none is lost without it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from secgate.engines.regorus import RegorusEngine
from secgate.errors import PolicyError
from secgate.judge import judge
from secgate.model import Finding, Obligation, Scope, Severity
from secgate.policy.documents import DowngradeFacts
from secgate.policy.facts import JoinedFacts
from secgate.ports import Answer, PolicyModule

Bench = Any
HOUR, DAY = 3600, 86400


def duty(bench: Bench, basis: str = "severity:critical", **changes: object) -> Obligation:
    values = {"finding": "", "basis": basis, "start_epoch_s": bench.epoch - 30 * HOUR, "limit_s": DAY, **changes}
    return Obligation(**values)


def approved(bench: Bench, **changes: object) -> DowngradeFacts:
    values: dict[str, object] = {
        "state": "active",
        "id": "d1",
        "severity": Severity.MEDIUM,
        "from_severity": Severity.CRITICAL,
        "approved_epoch_s": bench.epoch - 25 * HOUR,
    }
    return DowngradeFacts(**(values | changes))  # type: ignore[arg-type]


def critical(bench: Bench, *duties: Obligation) -> Finding:
    first_seen = bench.epoch - 30 * HOUR
    return bench.finding(severity=Severity.CRITICAL, first_seen_epoch_s=first_seen, obligations=duties)  # type: ignore[no-any-return]


def joined(finding: Finding, facts: DowngradeFacts) -> Mapping[str, JoinedFacts]:
    return {finding.fingerprint: JoinedFacts(downgrade=facts)}


def test_a_duty_is_taken_back_and_another_takes_its_place(bench: Bench) -> None:
    finding = critical(bench, duty(bench))
    assert bench.judge(finding, scope=Scope.PROTECTED).decision.exit_code == 1
    decision = bench.judge(finding, scope=Scope.PROTECTED, joined=joined(finding, approved(bench))).decision
    assert decision.exit_code == 0
    added, taken = decision.obligations
    assert (added.basis, added.start_epoch_s, added.limit_s) == ("severity:medium", bench.epoch - 30 * HOUR, 30 * DAY)
    assert (taken.basis, taken.superseded, taken.superseded_by) == ("severity:critical", True, "d1")
    assert taken.superseded_epoch_s == bench.epoch - 25 * HOUR


@pytest.mark.parametrize("state", ["expired", "void", "none"])
def test_what_was_taken_back_returns_as_a_new_duty(bench: Bench, state: Any) -> None:
    finding = critical(bench, duty(bench, superseded=True, superseded_by="d1"))
    facts = approved(bench, state=state, ended_epoch_s=bench.epoch - HOUR) if state != "none" else DowngradeFacts()
    (back,) = bench.judge(finding, scope=Scope.PROTECTED, joined=joined(finding, facts)).decision.obligations
    start = bench.epoch - 30 * HOUR if state == "none" else bench.epoch - HOUR
    assert (back.basis, back.start_epoch_s, back.superseded) == ("severity:critical", start, False)


class Generous:
    """An engine that takes every duty back."""

    name = "generous"
    version = "0"

    def evaluate(
        self, modules: Sequence[PolicyModule], *, data: bytes, document: bytes, query: str, limit_s: float
    ) -> Answer:
        answer = RegorusEngine().evaluate(modules, data=data, document=document, query=query, limit_s=limit_s)
        decision, given = json.loads(answer.value), json.loads(document)
        decision["superseded"] = [
            {
                "finding": finding["fingerprint"],
                "rule": "data.secgate.rules.sla",
                **{key: held[key] for key in ("basis", "start_epoch_s", "limit_s")},
            }
            for finding in given["findings"]
            for held in finding["obligations"]
        ]
        return Answer(value=json.dumps(decision).encode())


@pytest.mark.parametrize(
    ("basis", "facts", "told"),
    [
        ("severity:critical", {"state": "void"}, "without approval"),
        ("severity:critical", {"state": "none"}, "without approval"),
        ("known-exploited", {}, "without approval"),
        ("severity:critical", {"from_severity": Severity.HIGH}, "whatever was approved"),
        ("severity:medium", {}, "whatever was approved"),
        ("severity:critical", {"approved_epoch_s": -5 * HOUR}, "whatever was approved"),
    ],
)
def test_no_engine_loses_a_duty_without_an_approval(bench: Bench, basis: str, facts: dict[str, Any], told: str) -> None:
    if "approved_epoch_s" in facts:
        facts = {"approved_epoch_s": bench.epoch + facts["approved_epoch_s"]}
    finding = critical(bench, duty(bench, basis))
    with pytest.raises(PolicyError, match=told):
        judge(
            bench.request(finding, scope=Scope.PROTECTED, joined=joined(finding, approved(bench, **facts))),
            engine=Generous(),
            guarded=Generous(),
        )
