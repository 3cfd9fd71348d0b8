"""OPA's own conformance cases through regorus: how many it answers rightly; no silent mistake can be loaded."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from secgate.engines.regorus import RegorusEngine
from secgate.policy import load_vocabulary, tree
from secgate.policy.inference import Surroundings
from secgate.policy.references import check_references
from secgate.policy.shapes import from_data
from secgate.ports import PolicyModule

ROOT = Path(__file__).parents[2]
Case = dict[str, Any]


@pytest.fixture(scope="module")
def cases(shared_data: Path) -> list[Case]:
    lines = (shared_data / "rego" / "opa-conformance.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def judged(case: Case) -> str:
    """Give the table's column of a case."""
    import regorus

    if "input_term" in case:
        return "not run"
    wants_error = "want_error" in case or "want_error_code" in case
    engine = regorus.Engine()
    try:
        for number, text in enumerate(case.get("modules", [])):
            engine.add_policy(f"{number}.rego", text)
        engine.add_data_json(json.dumps(case.get("data", {})))
        if "input" in case:
            engine.set_input_json(json.dumps(case["input"]))
        answer = json.loads(engine.eval_query_as_json(case["query"]))
    except (RuntimeError, ValueError):
        return "expected error" if wants_error else "loud error"
    except BaseException as error:
        if type(error).__module__ != "pyo3_runtime":
            raise
        return "expected error" if wants_error else "loud error"
    if wants_error:
        return "silent"
    rows = [
        row.get("bindings", {})
        for row in answer.get("result", [])
        if all(one.get("value") is not False for one in row.get("expressions", []))
    ]
    return "right" if _bag(rows) == _bag(case.get("want_result", [])) else "silent"


def _bag(value: object) -> object:
    """Sets come as lists in an order of their own."""
    if isinstance(value, list):
        return sorted((_bag(one) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
    return {key: _bag(one) for key, one in value.items()} if isinstance(value, dict) else value


def refused(case: Case) -> list[str]:
    """Give what the check at load says of a case's modules."""
    modules = [PolicyModule(path=f"{n}.rego", text=text) for n, text in enumerate(case["modules"])]
    vocabulary = load_vocabulary((ROOT / "policies" / "schema" / "input.json").read_bytes())
    around = Surroundings(vocabulary=vocabulary, data=from_data(case.get("data", {})), packages={})
    parsed = [
        tree.read_module(node, path=module.path, text=module.text)
        for module, node in zip(modules, RegorusEngine().syntax(modules), strict=True)
    ]
    return [fault.what for module in parsed for fault in check_references(module, around)]


def test_the_table(cases: list[Case]) -> None:
    table = Counter(judged(case) for case in cases)
    assert table == {"right": 1308, "expected error": 189, "loud error": 475, "silent": 9, "not run": 86}
    said = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    for column, count in table.items():
        assert f"| {column} | {count:,} |" in said


def test_what_is_answered_wrongly_in_silence_cannot_be_loaded(cases: list[Case]) -> None:
    silent = [case for case in cases if judged(case) == "silent"]
    assert silent
    for case in silent:
        said = " ".join(refused(case))
        assert "engines answer it differently" in said or "not allowed" in said, case["note"]
