"""What `--format json` writes is valid under the schema that is printed for it, and a schema can say no."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import jsonschema_rs
import pytest

from secgate.document_schema import DOCUMENTS, document_schema, names
from secgate.model import RunDocument
from secgate.reporters.json import JsonReporter
from tests.product import WEAK, Product
from tests.sample_runs import failing_run, hostile_run, inconclusive_run, large_run, policy_error_run
from tests.unit.conftest import Git


def validator(name: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(document_schema(name))


def rendered(document: RunDocument) -> Any:
    return json.loads(JsonReporter().render(document, width=80, colour=False))


@pytest.mark.parametrize("make", [failing_run, inconclusive_run, policy_error_run, hostile_run, lambda: large_run(50)])
def test_a_run_is_valid(make: Callable[[], RunDocument]) -> None:
    validator("run").validate(rendered(make()))


def test_the_schema_of_a_run_says_no() -> None:
    schema, whole = validator("run"), rendered(failing_run())

    def without(change: Callable[[Any], object]) -> bool:
        other = copy.deepcopy(whole)
        change(other)
        return schema.is_valid(other)

    assert without(lambda run: run.update(added="later, by a newer secgate"))
    assert not without(lambda run: run.update(outcome="green"))
    assert not without(lambda run: run["format"].update(version=2))
    assert not without(lambda run: run.update(exit_code="1"))
    assert not without(lambda run: run["run"]["findings"][0].pop("fingerprint"))
    assert not without(lambda run: run["blocked"][0].update(subject="nobody"))
    assert not without(lambda run: run.pop("run"))


def test_what_the_commands_write_is_valid(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    git("branch", "-M", "main")
    ran = [json.loads(product.cli("run", "--format", "json", cwd=git.root).out) for _ in range(2)]
    finding = ran[0]["run"]["findings"][0]["fingerprint"]
    first, second = (one["run"]["run_id"] for one in ran)
    validator("run").validate(ran[0])
    for name, arguments in {
        "explain": ("explain", finding, "--format", "json"),
        "history": ("history", finding, "--format", "json"),
        "diff": ("diff", first, second, "--format", "json"),
        "sla": ("sla", "--format", "json"),
        "notify": ("notify", "--dry-run", "--format", "json"),
        "evidence": ("evidence", "check", "--from", "2026-02-01", "--to", "2026-03-01", "--format", "json"),
        "metrics": ("metrics", "--format", "json"),
    }.items():
        ended = product.cli(*arguments, cwd=git.root)
        assert ended.code == 0, ended
        document = json.loads(ended.out)
        validator(name).validate(document)
        assert not validator(name).is_valid({**document, DOCUMENTS[name].key: {}})
        assert not validator(name).is_valid({**document, "format": {"name": "secgate-other", "version": 1}})


def test_each_has_a_name_and_a_dialect() -> None:
    assert names() == ("run", *DOCUMENTS)
    ids = {document_schema(name)["$id"] for name in names()}
    assert len(ids) == len(names())
