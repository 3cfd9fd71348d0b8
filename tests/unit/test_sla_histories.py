"""Deadlines over time: histories of a finding through the real fold and the shipped Rego, to the second.

The shared histories are the semantics' own and are read where the test data is; ours, in tests/cases/sla/, are of the
same form.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from secgate import sla
from secgate.engines.regorus import RegorusEngine
from secgate.ledgers.sqlite import SqliteLedger
from secgate.policy import Layer, effective_data, load_layer, load_vocabulary
from secgate.resources import files_under
from tests.unit.sla_histories import Case, History, read_cases

ROOT = Path(__file__).parents[2]
OWN = read_cases(ROOT / "tests" / "cases" / "sla" / "cases.json")
SHARED = 26


def shared_file() -> Path:
    default = ROOT.parent / "shared" / "data"
    return Path(os.environ.get("SECGATE_TEST_DATA", default)) / "sla" / "cases.json"


@pytest.fixture(scope="module")
def shipped() -> Layer:
    files = dict(files_under(ROOT / "policies", ".rego", ".json"))
    vocabulary = load_vocabulary(files["schema/input.json"])
    return load_layer("shipped", files, reader=RegorusEngine(), vocabulary=vocabulary)


def layers(case: Case, shipped: Layer) -> tuple[Layer, ...]:
    """Give the shipped layer, and the organisation's where a case has limits of its own."""
    if "limits" not in case:
        return (shipped,)
    own = json.loads(effective_data(shipped))["limits"] | case["limits"]
    files = {"data/limits.json": json.dumps({"limits": own}).encode()}
    vocabulary = load_vocabulary((ROOT / "policies" / "schema" / "input.json").read_bytes())
    data = effective_data(shipped)
    return (
        shipped,
        load_layer("organisation", files, reader=RegorusEngine(), vocabulary=vocabulary, shipped=shipped, data=data),
    )


def check(case: dict[str, Any], shipped: Layer, folder: Path) -> None:
    ledger = SqliteLedger(str(folder / "ledger.sqlite"))
    history = History(case, ledger=ledger, layers=layers(case, shipped), engine=RegorusEngine())
    history.live()
    if case.get("deadline") is not None:
        assert sla.due_epoch_s(history.remembered.obligations) == history.base + case["deadline"]
    assert history.standing(case["now"]) == case["status"]
    if case["status"] != "closed" and "deadline" not in case:
        assert sla.due_epoch_s(history.remembered.obligations) is None
    if "missed_deadlines" in case:
        assert history.missed() == case["missed_deadlines"]
    if "episode" in case:
        assert history.remembered.episode == case["episode"]


@pytest.mark.parametrize("number", range(SHARED))
def test_shared_history(number: int, shipped: Layer, tmp_path: Path) -> None:
    if not shared_file().is_file():
        pytest.skip(f"no test data at {shared_file()}; set SECGATE_TEST_DATA")
    cases = read_cases(shared_file())
    assert len(cases) == SHARED
    check(cases[number], shipped, tmp_path)


@pytest.mark.parametrize("case", OWN, ids=lambda case: case["name"])
def test_own_history(case: dict[str, Any], shipped: Layer, tmp_path: Path) -> None:
    check(case, shipped, tmp_path)


def test_ours_are_at_least_as_many() -> None:
    assert len({case["name"] for case in OWN}) == len(OWN) >= SHARED
