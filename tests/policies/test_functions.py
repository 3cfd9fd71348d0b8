"""The functions that policies may call are those of the embedded engine and of OPA, with as many arguments."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
import regorus

from secgate.policy.functions import FUNCTIONS


def _finds(name: str, arguments: int) -> bool:
    engine = regorus.Engine()
    engine.add_policy("a.rego", f"package t\n\nx := {name}({', '.join(['1'] * arguments)})")
    try:
        engine.eval_rule("data.t.x")
    except RuntimeError as error:
        return "could not find function" not in str(error)
    return True


def test_the_embedded_engine_has_them_all() -> None:
    assert [name for name, count in FUNCTIONS.items() if not _finds(name, count)] == []
    assert not _finds("no.such", 1)


def test_opa_has_them_all_with_as_many_arguments() -> None:
    opa = shutil.which("opa")
    if opa is None:
        pytest.skip("no opa on PATH")
    told = json.loads(subprocess.run([opa, "capabilities", "--current"], check=True, capture_output=True).stdout)
    theirs = {one["name"]: len(one["decl"].get("args", ())) for one in told["builtins"]}
    assert {name: theirs.get(name) for name in FUNCTIONS} == dict(FUNCTIONS)
