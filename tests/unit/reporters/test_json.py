"""The JSON format: the stored document unchanged, the few fields that scripts ask for, inert in a log."""

from __future__ import annotations

import json
from collections.abc import Callable

import msgspec
import pytest

from secgate.model import RunDocument
from secgate.reporters.json import JsonReporter
from tests.factories import run_document
from tests.sample_runs import failing_run, hostile_run, inconclusive_run


def rendered(document: RunDocument) -> bytes:
    return JsonReporter().render(document, width=80, colour=True)


@pytest.mark.parametrize("make", [failing_run, inconclusive_run, hostile_run])
def test_the_document_comes_back_the_same(make: Callable[[], RunDocument]) -> None:
    run = json.loads(rendered(make()))["run"]
    assert msgspec.convert(run, RunDocument) == make()


def test_scripts_find_outcome_and_counts_at_the_top() -> None:
    whole = json.loads(rendered(failing_run()))
    assert (whole["outcome"], whole["exit_code"], whole["all_outcomes"]) == ("fail", 1, ["fail"])
    assert whole["counts"] == {"critical": 2, "high": 4, "medium": 1, "info": 1}
    assert whole["to_green"][0] == "upgrade requests to 2.20.0 or later in requirements.txt"


def test_not_judged() -> None:
    whole = json.loads(rendered(run_document(decision=None)))
    assert (whole["outcome"], whole["exit_code"], whole["all_outcomes"]) == (None, 0, [])


def test_it_is_inert_in_a_log() -> None:
    text = rendered(hostile_run()).decode()
    assert "##vso[" not in text
    assert all(line.isprintable() for line in text.split("\n"))
