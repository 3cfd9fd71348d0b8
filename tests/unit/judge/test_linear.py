"""Judging is linear in findings in OPA too, by its own count of evaluations: no clock is looked at.

regorus works out a rule once, OPA anew for each key that it is asked for: a rule that is looked up by key per finding
is then quadratic, and nothing but a large run tells.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from secgate.engines.regorus import RegorusEngine
from secgate.judge import judge
from secgate.model import Finding, Obligation, Scope, Severity, State
from secgate.policy import WaiverFacts
from secgate.policy.evaluation import QUERY
from secgate.policy.facts import JoinedFacts
from secgate.ports import Answer, PolicyModule

Bench = Any

WAIVER = WaiverFacts(state="active", kind="accept", id="w", requester="a", approver="b", expires_epoch_s=1 << 32)


class Listening(RegorusEngine):
    """Keeps what it is asked."""

    asked: tuple[Sequence[PolicyModule], bytes, bytes]

    def evaluate(
        self, modules: Sequence[PolicyModule], *, data: bytes, document: bytes, query: str, limit_s: float
    ) -> Answer:
        self.asked = (modules, data, document)
        return super().evaluate(modules, data=data, document=document, query=query, limit_s=limit_s)


def finding(bench: Bench, number: int) -> Finding:
    severity = list(Severity)[number % 5]
    seen = bench.epoch - number % 150 * 7200
    made: Finding = bench.finding(
        number, severity=severity, state=State.NEW if number % 2 else State.UNCHANGED, first_seen_epoch_s=seen
    )
    duty = Obligation(
        finding=made.fingerprint, basis=f"severity:{severity}", start_epoch_s=seen, limit_s=5, policy_digest=""
    )
    return bench.finding(  # type: ignore[no-any-return]
        number,
        severity=severity,
        state=made.state,
        first_seen_epoch_s=seen,
        suppressed_in_source=number % 7 == 0,
        obligations=(duty,) if number % 3 == 0 else (),
    )


def evaluations(bench: Bench, scope: Scope, count: int, place: Path) -> int:
    """Give how often `opa eval` evaluated an expression to judge `count` findings by the shipped layer."""
    findings = [finding(bench, number) for number in range(1, count + 1)]
    joined = {one.fingerprint: JoinedFacts(waiver=WAIVER) for one in findings[::5]}
    engine = Listening()
    judge(bench.request(*findings, scope=scope, joined=joined), engine=engine, guarded=engine)
    modules, data, document = engine.asked
    argv = [str(shutil.which("opa")), "eval", "--profile", "--profile-limit=0", "--format=json", "--stdin-input"]
    for number, module in enumerate(modules):
        (place / f"{number}.rego").write_text(module.text, encoding="utf-8")
        argv += ["--data", str(place / f"{number}.rego")]
    (place / "data.json").write_bytes(data)
    argv += ["--data", str(place / "data.json"), QUERY]
    done = subprocess.run(argv, input=document, capture_output=True, check=True, timeout=120)
    return sum(one["num_eval"] for one in json.loads(done.stdout)["profile"])


@pytest.mark.parametrize("scope", [Scope.CHANGE, Scope.PROTECTED])
def test_twice_the_findings_are_twice_the_work(bench: Bench, tmp_path: Path, scope: Scope) -> None:
    if shutil.which("opa") is None:
        pytest.skip("no opa on PATH")
    few, many = (evaluations(bench, scope, count, tmp_path) for count in (150, 300))
    assert few > 150
    assert many / few < 2.2
