"""Calls that engines answer differently are refused, and what is let be beside them is answered alike."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from secgate.engines.regorus import RegorusEngine
from secgate.policy import tree
from secgate.policy.references import answers_alike
from secgate.ports import PolicyModule

DIFFERENT = (
    'strings.replace_n({"a": "b", "b": "c"}, "ab")',
    'semver.is_valid("v1.2.3")',
    'yaml.unmarshal("a: 010")',
    'glob.match("**/b.py", ["/"], "b.py")',
    'glob.match("a/**/b", ["/"], "a/b")',
    'glob.match("a**", ["/"], "a/b")',
    'glob.match("src/**", [], "src/b.py")',
    'glob.match("src/**", ["."], "src/b.py")',
)
ALIKE = (
    'glob.match("src/**", ["/"], "src/a/b.py")',
    'glob.match("src/**", ["/"], "src")',
    'glob.match("*.py", ["/"], "a/b.py")',
    'glob.match("*.py", [], "b.py")',
    'glob.match("**", ["/"], "a/b")',
    'glob.match("{a,b}.py", null, "a.py")',
    'semver.compare("1.2.3-a.10", "1.2.3-a.9")',
    'replace(replace("ab", "b", "c"), "a", "b")',
)


def _module(*calls: str) -> PolicyModule:
    rules = "".join(f"x{at} := {call}\n\n" for at, call in enumerate(calls))
    return PolicyModule(path="a.rego", text=f"package t\n\n{rules}")


def _refused(text: PolicyModule) -> list[str]:
    (syntax,) = RegorusEngine().syntax([text])
    return [one.what for one in answers_alike(tree.read_module(syntax, path=text.path, text=text.text), frozenset())]


@pytest.mark.parametrize("call", DIFFERENT)
def test_what_differs_is_refused(call: str) -> None:
    (what,) = _refused(_module(call))
    assert "engines answer" in what


@pytest.mark.parametrize("call", ALIKE)
def test_what_does_not_is_let_be(call: str) -> None:
    assert _refused(_module(call)) == []


def test_the_engines_say_so(tmp_path: Path) -> None:
    opa = shutil.which("opa")
    if opa is None:
        pytest.skip("no opa on PATH")
    calls = (*DIFFERENT, *ALIKE)
    text = _module(*calls)
    own = RegorusEngine().evaluate([text], data=b"{}", document=b"{}", query="data.t", limit_s=20)
    mine = json.loads(own.value)
    (tmp_path / "a.rego").write_text(text.text)
    argv = [opa, "eval", "--strict-builtin-errors", "-f", "json", "-d", str(tmp_path / "a.rego"), "data.t"]
    told = json.loads(subprocess.run(argv, check=True, capture_output=True).stdout)
    theirs = told["result"][0]["expressions"][0]["value"]
    same = tuple(call for at, call in enumerate(calls) if mine[f"x{at}"] == theirs[f"x{at}"])
    assert same == ALIKE


@pytest.mark.parametrize(("line", "name"), [("import data.limits as input", "input"), ("import data.a.data", "data")])
def test_an_import_takes_no_name_that_engines_keep(line: str, name: str) -> None:
    text = PolicyModule(path="a.rego", text=f"package t\n\n{line}\n\nx := 1\n")
    assert f"an import may not be called `{name}`" in _refused(text)


@pytest.mark.parametrize("line", ["import input", "import data", "import input.run", "import rego.v1"])
def test_another_import_is_let_be(line: str) -> None:
    assert _refused(PolicyModule(path="a.rego", text=f"package t\n\n{line}\n\nx := 1\n")) == []
