"""Names and severities of rules, and faults of the data files."""

from __future__ import annotations

import json

import pytest

from secgate.crosswalk import load_crosswalk
from secgate.errors import ConfigError
from secgate.model import Severity

_NAMES = {
    "version": 1,
    "weaknesses": {
        "sql-injection": {"title": "SQL injection", "cwes": [89], "remedy": "Bind", "family": "injection"},
        "weak-hash": {"title": "Weak hash", "cwes": [327, 328]},
        "weak-cipher": {"title": "Weak cipher", "cwes": [327]},
    },
    "rules": {"bandit": {"B608": "sql-injection"}},
}
_RATINGS = {
    "version": 1,
    "rules": {"checkov": {"CKV_1": {"severity": "critical", "reason": "public"}}},
    "default": {"checkov": {"severity": "medium", "score": "5.0"}, "plain": {"severity": "medium", "score": "5.5"}},
}


def _load(names: object = _NAMES, ratings: object = _RATINGS) -> object:
    return load_crosswalk(json.dumps(names).encode(), json.dumps(ratings).encode())


@pytest.mark.parametrize(
    ("tool", "rule", "cwes", "named", "expected"),
    [
        ("bandit", "B608", (78,), "other", "sql-injection"),
        ("semgrep", "r", (89,), "own-name", "own-name"),
        ("semgrep", "r", (89,), "", "sql-injection"),
        ("semgrep", "r", (327,), "", "cwe-327"),
        ("semgrep", "r", (328,), "", "weak-hash"),
        ("semgrep", "r", (9, 7), "", "cwe-7"),
        ("semgrep", "r", (), "", "semgrep:r"),
    ],
)
def test_weakness(tool: str, rule: str, cwes: tuple[int, ...], named: str, expected: str) -> None:
    table = load_crosswalk(json.dumps(_NAMES).encode(), json.dumps(_RATINGS).encode())
    assert table.weakness(tool, rule, cwes, named) == expected


@pytest.mark.parametrize(
    ("tool", "native", "score", "expected"),
    [
        ("checkov", Severity.LOW, 1.0, (Severity.CRITICAL, 9.5, "severity table")),
        ("other", Severity.LOW, 7.0, (Severity.HIGH, 7.0, "tool score")),
        ("other", Severity.LOW, None, (Severity.LOW, 2.0, "tool severity")),
        ("plain", None, None, (Severity.MEDIUM, 5.5, "severity table")),
        ("plain", Severity.LOW, None, (Severity.LOW, 2.0, "tool severity")),
        ("other", None, float("nan"), (Severity.HIGH, 8.0, "unscored")),
    ],
)
def test_severity(tool: str, native: Severity | None, score: float | None, expected: tuple[object, ...]) -> None:
    table = load_crosswalk(json.dumps(_NAMES).encode(), json.dumps(_RATINGS).encode())
    assert table.severity(tool, "CKV_1", native=native, score=score) == expected


def test_every_fault_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        _load({"version": 2, "rules": {"bandit": {"B1": "nothing"}}}, {"version": 1, "rules": []})
    assert [place for place, _, _ in caught.value.faults] == [
        "severity.json",
        "crosswalk.json",
        "crosswalk.json: rules.bandit.B1",
    ]


@pytest.mark.parametrize("wider", ["a", "nothing", "b"])
def test_wider_weakness_has_to_exist_and_to_be_the_widest(wider: str) -> None:
    weaknesses = {
        "a": {"title": "A", "within": wider},
        "b": {"title": "B", "within": "c"},
        "c": {"title": "C"},
    }
    with pytest.raises(ConfigError) as caught:
        _load({"version": 1, "weaknesses": weaknesses}, {"version": 1})
    assert [place for place, _, _ in caught.value.faults] == ["crosswalk.json: weaknesses.a.within"]
