"""What every engine must do alike. `opa` and `opa-eval` run where an `opa` binary is on PATH."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from secgate.engines.opa import OpaEngine
from secgate.engines.opa_eval import OpaEvalEngine
from secgate.engines.regorus import RegorusChild, RegorusEngine
from secgate.errors import PolicyError
from secgate.model import Limits, Output
from secgate.ports import Engine, PolicyModule, SyntaxReader


class Runner:
    """A ProcessRunner of the least kind: a time limit, no memory limit."""

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        network: bool = False,
    ) -> Output:
        assert not network
        limit_s = (limits or Limits()).time_s
        try:
            ended = subprocess.run(
                argv, cwd=cwd, input=stdin, env=env, capture_output=True, timeout=limit_s, check=False
            )
        except subprocess.TimeoutExpired:
            return Output(exit_code=-9, stdout=b"", stderr=b"", timed_out=True)
        return Output(exit_code=ended.returncode, stdout=ended.stdout, stderr=ended.stderr)


@pytest.fixture(params=["regorus", "regorus-child", "opa-eval", "opa"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    if request.param == "opa":
        return OpaEngine(address=request.getfixturevalue("opa_server"))
    if request.param == "regorus":
        return RegorusEngine()
    if request.param == "regorus-child":
        return child(tmp_path)
    opa = shutil.which("opa")
    if opa is None:
        pytest.skip("no opa on PATH")
    return OpaEvalEngine(runner=Runner(), executable=opa, version="", directory=str(tmp_path))


def child(directory: Path) -> RegorusChild:
    return RegorusChild(runner=Runner(), python=sys.executable, directory=str(directory), syntax_s=10)


def ask(engine: Engine, *texts: str, query: str = "data.t.x", limit_s: float = 30, **parts: object) -> object:
    modules = [PolicyModule(path=f"{number}.rego", text=text) for number, text in enumerate(texts)]
    data, document = (json.dumps(parts.get(name, {})).encode() for name in ("data", "document"))
    return json.loads(engine.evaluate(modules, data=data, document=document, query=query, limit_s=limit_s).value)


def test_is_an_engine(engine: Engine) -> None:
    assert isinstance(engine, Engine)
    assert engine.name in ("regorus", "opa-eval", "opa")


def test_reads_input_and_data(engine: Engine) -> None:
    text = "package t\nx := [input.a, data.b.c, input.s]"
    assert ask(engine, text, document={"a": 1, "s": "é\u2028"}, data={"b": {"c": [2]}}) == [1, [2], "é\u2028"]


def test_sets_become_sorted_lists(engine: Engine) -> None:
    assert ask(engine, 'package t\nx contains v if some v in ["b", "a", "b"]') == ["a", "b"]


def test_modules_see_each_other_by_package(engine: Engine) -> None:
    one, two = "package a.one\nd contains 1", "package a.two\nd contains 2"
    assert ask(engine, one, two, "package t\nx := {n: m.d | some n, m in data.a}") == {"one": [1], "two": [2]}


def test_nothing_is_kept_between_calls(engine: Engine) -> None:
    assert ask(engine, "package t\nx := 1") == 1
    assert ask(engine, "package t\nx := 2") == 2


def test_time_in_words(engine: Engine) -> None:
    text = 'package t\nx := time.format([input.n * 1000000000, "UTC", "2006-01-02 15:04:05 UTC"])'
    assert ask(engine, text, document={"n": 1767225600}) == "2026-01-01 00:00:00 UTC"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("package t\nx := {", "0.rego:2"),
        ("package t\n\nx := nothing(1)", "0.rego:3"),
        ("package t\nx := y", "0.rego:2"),
        ("package t\nx := to_number(input.n)", "0.rego:2"),
        ("package t\nx := 1 / input.zero", "0.rego:2"),
        ("package t\nx := 1\nx := 2", "0.rego"),
        ("x := 1", "0.rego:1"),
    ],
)
def test_faults_are_loud_and_have_a_place(engine: Engine, text: str, place: str) -> None:
    with pytest.raises(PolicyError) as caught:
        ask(engine, text, document={"n": "abc", "zero": 0})
    assert place in caught.value.place
    assert "\n" not in caught.value.what


@pytest.mark.parametrize("query", ["data.t.y", "data.other.x"])
def test_undefined_is_an_error(engine: Engine, query: str) -> None:
    with pytest.raises(PolicyError, match="undefined"):
        ask(engine, "package t\nx := 1\ny := 1 if false", query=query)


@pytest.mark.parametrize("part", ["data", "document"])
def test_what_is_no_json_is_an_error(engine: Engine, part: str) -> None:
    bytes_by_part = {"data": b"{}", "document": b"{}"} | {part: b'{"a": '}
    with pytest.raises(PolicyError):
        engine.evaluate(
            [PolicyModule(path="a.rego", text="package t\nx := 1")], query="data.t.x", limit_s=30, **bytes_by_part
        )


ENDLESS = """package t

r := numbers.range(1, 3000)

x := count([1 | some a in r; some b in r; some c in r; some d in r; a + b + c + d < 0])
"""


def test_endless_policy_is_killed(engine: Engine) -> None:
    if type(engine) is RegorusEngine:
        pytest.skip("judges only what is trusted: regorus has no timer")
    with pytest.raises(PolicyError, match="within 1 s"):
        ask(engine, ENDLESS, limit_s=1)


def test_parser_that_never_ends_is_killed(tmp_path: Path) -> None:
    reader = RegorusChild(runner=Runner(), python=sys.executable, directory=str(tmp_path), syntax_s=1)
    with pytest.raises(PolicyError, match="killed"):
        reader.syntax([PolicyModule(path="a.rego", text="package t\nx := " + "[" * 60 + "]" * 60)])


@pytest.mark.parametrize("kind", ["here", "child"])
def test_syntax_trees(kind: str, tmp_path: Path) -> None:
    reader: SyntaxReader = RegorusEngine() if kind == "here" else child(tmp_path)
    assert reader.syntax([]) == []
    trees = reader.syntax([PolicyModule(path=name, text=f"package {name}\nx := 1") for name in ("a", "b")])
    assert [tree["source"]["file"] for tree in trees] == ["a", "b"]  # type: ignore[index]
    with pytest.raises(PolicyError) as caught:
        reader.syntax([PolicyModule(path="a.rego", text="package a\nx := {")])
    assert caught.value.place == "a.rego:2:7"


ANSWER = b'value\n{"result": [{"expressions": [{"value": true}]}]}'


class Ended:
    """A ProcessRunner whose child ended as told."""

    def __init__(self, output: Output) -> None:
        self.output = output

    def run(self, argv: Sequence[str], **options: object) -> Output:
        del argv, options
        return self.output


@pytest.mark.parametrize(
    "output",
    [
        Output(exit_code=-11, stdout=b"", stderr=b""),
        Output(exit_code=0, stdout=b"", stderr=b""),
        Output(exit_code=0, stdout=b"{}", stderr=b""),
        Output(exit_code=0, stdout=b'{"value": 1', stderr=b""),
        Output(exit_code=0, stdout=ANSWER[:-1], stderr=b""),
        Output(exit_code=0, stdout=ANSWER[:6], stderr=b""),
        Output(exit_code=0, stdout=b"other\n" + ANSWER[6:], stderr=b""),
        Output(exit_code=0, stdout=b"fault\n" + ANSWER[6:], stderr=b""),
        Output(exit_code=0, stdout=b'value\n{"result": []}', stderr=b""),
        Output(exit_code=0, stdout=b'value\n{"result": ' + b"[" * 100_000, stderr=b""),
        Output(exit_code=0, stdout=ANSWER, stderr=b"", truncated=True),
        Output(exit_code=127, stdout=b"", stderr=b"", problem="not found"),
        Output(exit_code=1, stdout=ANSWER, stderr=b""),
    ],
)
def test_child_that_ends_badly_is_no_answer(output: Output) -> None:
    runner = Ended(output)
    for engine in (
        RegorusChild(runner=runner, python="python", directory="/"),
        OpaEvalEngine(runner=runner, executable="opa", version="", directory="."),
    ):
        with pytest.raises(PolicyError):
            ask(engine, "package t\nx := 1")


def test_a_child_loads_nothing_that_an_answer_does_not_need() -> None:
    code = "import sys; from secgate.engines.child import main; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, check=True, text=True).stdout
    assert not {"msgspec", "json", "typing", "secgate.errors", "secgate.model"} & set(loaded.split())


@pytest.mark.parametrize("kind", ["here", "child"])
def test_panic_is_an_error(kind: str, tmp_path: Path) -> None:
    engine = RegorusEngine() if kind == "here" else child(tmp_path)
    with pytest.raises(PolicyError, match="panicked"):
        # An empty needle makes regorus 0.13 panic, which is a BaseException to Python.
        ask(engine, 'package t\nx := strings.count("abc", "")')
    assert ask(engine, "package t\nx := 1") == 1


@pytest.mark.parametrize("isolated", [False, True])
def test_tells_the_lines_that_were_reached(tmp_path: Path, isolated: bool) -> None:
    text = "package t\n\nx if {\n\tdata.on\n\tdata.never\n}\n"
    engine = child(tmp_path) if isolated else RegorusEngine()
    (told,) = engine.reached(
        [PolicyModule(path="0.rego", text=text)], data=b'{\n"on": true}', query="data.t.x", limit_s=30
    )
    assert (told.path, told.lines) == ("0.rego", (4, 5))


def test_what_a_function_reads_is_written_out(engine: Engine) -> None:
    """By the import's name regorus finds nothing here; `secgate.policy.imports` refuses that when a layer is loaded."""
    texts = (
        'package c\n\nrank := {"low": 1}\n',
        "package b\n\nfoo := 5\n\nbad(x) if data.c.rank[x] == input.one\n",
        'package t\n\nimport data.b\n\nx := [s | b.foo == 5; some s in ["low"]; b.bad(s)]\n',
    )
    assert ask(engine, *texts, document={"one": 1}) == ["low"]
