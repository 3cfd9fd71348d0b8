"""Every `test_` rule of policies/tests, through regorus, and through opa where it is on PATH."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from secgate.engines.opa import OpaEngine
from secgate.engines.regorus import RegorusEngine
from secgate.policy import tree
from secgate.ports import PolicyModule
from secgate.sla import length_words

LENGTHS = "package lengths\nwords := [data.secgate.lib.words.length(one) | some one in input.lengths]"
POLICIES = Path(__file__).parents[2] / "policies"


def modules() -> list[PolicyModule]:
    return [
        PolicyModule(path=path.relative_to(POLICIES).as_posix(), text=path.read_text(encoding="utf-8"))
        for path in sorted(POLICIES.rglob("*.rego"))
    ]


def rules() -> list[str]:
    found = []
    for module, node in zip(modules(), RegorusEngine().syntax(modules()), strict=True):
        parsed = tree.read_module(node, path=module.path, text=module.text)
        names = {tree.rule_name(rule) for rule in parsed.rules}
        found += [f"data.{parsed.package}.{name}" for name in sorted(names) if name.startswith("test_")]
    return found


def data() -> bytes:
    merged: dict[str, object] = {}
    for path in (POLICIES / "data").glob("*.json"):
        merged |= json.loads(path.read_bytes())
    return json.dumps(merged).encode()


@pytest.mark.parametrize("of_assertions", [False, True])
def test_every_rule_through_a_server(opa_server: str, of_assertions: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    # The server compiles all modules anew for each that is put: six seconds of processor, and others are at work.
    monkeypatch.setattr("secgate.engines.opa.SMALLEST_S", 120.0)
    names = [name for name in rules() if ("assertions" in name) == of_assertions]
    known = [
        module
        for module in modules()
        if module.path.startswith("controls/") == of_assertions or module.path == "rego/lib/words.rego"
    ]
    lines = [f'r["{name}"] if {name}' for name in names]
    asked = PolicyModule(path="all.rego", text="package everything\n" + "\n".join(lines))
    answer = OpaEngine(address=opa_server).evaluate(
        [*known, asked], data=data(), document=b"{}", query="data.everything.r", limit_s=120
    )
    assert json.loads(answer.value) == dict.fromkeys(names, True)


def test_policies_and_python_say_lengths_of_time_alike() -> None:
    lengths = [0, 1, 59, 60, 61, 3599, 3600, 3601, 3660, 86399, 86400, 172799, 172800, 176399, 176400, 259200, 31536000]
    answer = RegorusEngine().evaluate(
        [*modules(), PolicyModule(path="lengths.rego", text=LENGTHS)],
        data=data(),
        document=json.dumps({"lengths": lengths}).encode(),
        query="data.lengths.words",
        limit_s=60,
    )
    assert json.loads(answer.value) == [length_words(length) for length in lengths]


@pytest.mark.parametrize("rule", rules())
def test_rule(rule: str) -> None:
    assert RegorusEngine().evaluate(modules(), data=data(), document=b"{}", query=rule, limit_s=60).value == b"true"


def test_every_shipped_rule_has_tests_that_allow_and_others_that_do_not() -> None:
    shipped = {path.stem for path in (POLICIES / "rego" / "rules").glob("*.rego")}
    tested = {rule.split(".")[3] for rule in rules()} | {"gate_changes"}  # in main_test.rego
    assert shipped <= tested


def test_every_exception_of_an_assertion_has_a_test_that_expects_it() -> None:
    for one in json.loads((POLICIES / "controls" / "assertions.json").read_bytes())["assertions"]:
        text = (POLICIES / "controls" / "assertions" / f"{one['test']}_test.rego").read_text(encoding="utf-8")
        expected = set(re.findall(r'"([a-z_]+)"', "".join(re.findall(r"== (\{.*\})", text))))
        assert set(one["exception_when"]) <= expected, one["id"]
        assert "\ntest_allow_" in text


def test_opa_agrees() -> None:
    opa = shutil.which("opa")
    if opa is None:
        pytest.skip("no opa on PATH")
    folders = [str(POLICIES / name) for name in ("rego", "tests", "data", "controls/assertions")]
    ended = subprocess.run([opa, "test", *folders], capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"PASS: {len(rules())}/{len(rules())}" in ended.stdout


def test_opa_finds_every_reference_in_the_schema() -> None:
    opa = shutil.which("opa")
    if opa is None:
        pytest.skip("no opa on PATH")
    schema = str(POLICIES / "schema" / "input.json")
    argv = [opa, "check", "--strict", "--schema", schema, str(POLICIES / "rego")]
    ended = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
