"""Requests to be judged, on the shipped policy of the checkout."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from secgate.engines.regorus import RegorusEngine
from secgate.judge import Judgement, JudgeRequest, judge
from secgate.model import (
    Confidence,
    Coverage,
    Finding,
    Lane,
    LaneCoverage,
    Location,
    Region,
    Scope,
    Severity,
    State,
    Target,
)
from secgate.policy import Layer, LayerName, Vocabulary, effective_data, load_layer, load_vocabulary

POLICIES = Path(__file__).parents[3] / "policies"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
EPOCH = int(NOW.timestamp())


class Bench:
    """Makes values with defaults that pass, and judges them."""

    now = NOW
    epoch = EPOCH

    def __init__(self, shipped: Layer, vocabulary: Vocabulary) -> None:
        self.shipped = shipped
        self._vocabulary = vocabulary

    def layer(self, name: LayerName, rules: str, **data: bytes) -> Layer:
        """Give a layer of one module; `rules` without a package is put into `secgate.rules.own`."""
        text = rules if rules.startswith("package") else f"package secgate.rules.own\n{rules}"
        files = {"own.rego": text.encode()} | {f"data/{key}.json": value for key, value in data.items()}
        return load_layer(
            name,
            files,
            reader=RegorusEngine(),
            vocabulary=self._vocabulary,
            shipped=self.shipped,
            data=effective_data(self.shipped),
        )

    def finding(self, number: int = 1, **changes: object) -> Finding:
        values: dict[str, object] = {
            "fingerprint": f"{number:064x}",
            "lane": Lane.SAST,
            "weakness": "sql-injection",
            "title": "SQL injection",
            "severity": Severity.HIGH,
            "score": 8.0,
            "severity_basis": "tool",
            "confidence": Confidence.HIGH,
            "location": Location(path="app/views.py", region=Region(start_line=12)),
            "witnesses": (),
            "state": State.UNCHANGED,
        }
        return Finding(**(values | changes))  # type: ignore[arg-type]

    def lane(self, lane: Lane, **changes: object) -> LaneCoverage:
        values: dict[str, object] = {
            "asked": True,
            "needed": True,
            "offered": 1,
            "covered": 1,
            "failed": 0,
            "unsupported": 0,
            "tools_ran": ("tool",),
        }
        return LaneCoverage(lane=lane, **(values | changes))  # type: ignore[arg-type]

    def coverage(self, *accounts: LaneCoverage) -> Coverage:
        """Give the accounts, and covered ones for the lanes that have none."""
        told = {account.lane for account in accounts}
        return Coverage(lanes=(*accounts, *(self.lane(lane) for lane in Lane if lane not in told)))

    def target(self, scope: Scope = Scope.CHANGE, **changes: object) -> Target:
        values: dict[str, object] = {
            "root": "/src",
            "kind": "git",
            "repository": "shop",
            "scope_basis": "test",
            "base_commit": "b" * 40,
            "changed": ("app/views.py",),
        }
        return Target(scope=scope, **(values | changes))  # type: ignore[arg-type]

    def request(self, *findings: Finding, scope: Scope = Scope.CHANGE, **changes: object) -> JudgeRequest:
        values: dict[str, object] = {
            "target": self.target(scope),
            "findings": findings,
            "coverage": self.coverage(),
            "invocations": (),
            "layers": (self.shipped,),
            "profile": "pull-request",
            "now": NOW,
        }
        layers = changes.pop("and_layers", ())
        assert isinstance(layers, tuple)
        values["layers"] = (self.shipped, *layers)
        return JudgeRequest(**(values | changes))  # type: ignore[arg-type]

    def judge(self, *findings: Finding, **changes: object) -> Judgement:
        engine = RegorusEngine()
        return judge(self.request(*findings, **changes), engine=engine, guarded=engine)  # type: ignore[arg-type]

    def word(self, *findings: Finding, **changes: object) -> str:
        """Give the word on the first finding."""
        verdicts = self.judge(*findings, **changes).decision.verdicts
        return next(v.word.value for v in verdicts if v.id == findings[0].fingerprint)


@pytest.fixture(scope="session")
def shipped_files() -> dict[str, bytes]:
    return {path.relative_to(POLICIES).as_posix(): path.read_bytes() for path in POLICIES.rglob("*") if path.is_file()}


@pytest.fixture(scope="session")
def bench(shipped_files: dict[str, bytes]) -> Bench:
    vocabulary = load_vocabulary(shipped_files["schema/input.json"])
    shipped = load_layer("shipped", shipped_files, reader=RegorusEngine(), vocabulary=vocabulary)
    return Bench(shipped, vocabulary)


Judge = Callable[..., Judgement]
