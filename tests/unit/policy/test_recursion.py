"""A rule that comes back to itself is refused where it is written, as OPA refuses it; what only looks so is not."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from secgate.engines.opa_eval import OpaEvalEngine
from secgate.engines.regorus import RegorusEngine
from secgate.errors import PolicyError
from secgate.executors.local import LocalExecutor
from secgate.policy import Layer, tree
from secgate.policy.conftest import load_conftest
from secgate.policy.faults import Fault
from secgate.policy.recursion import MOST_FAULTS, recursion_faults
from secgate.ports import PolicyModule

Load = Callable[..., Layer]

HEAD = "package secgate.rules.own\n\n"
DENY = 'deny contains {"run": true, "reason": "x"} if '

CIRCLES = {
    "a function": ("deep(n) := n if n == 0\n\ndeep(n) := deep(n - 1) if n > 0\n\n" + DENY + "deep(3) == 0", 3),
    "an else": ("deep(n) := 0 if {\n\tn == 0\n} else := deep(n - 1)\n\n" + DENY + "deep(3) == 0", 3),
    "two rules": ("a if b\n\nb if a\n\n" + DENY + "a", 3),
    "a set of its own": (DENY + "count(deny) == 0", 3),
    "a head": ("deep contains count(deep) if input.run.dirty\n\n" + DENY + "count(deep) == 0", 3),
    "by its full name": ("a if data.secgate.rules.own.a\n\n" + DENY + "a", 3),
    "a whole package": ("a if count(data.secgate.rules) > 0\n\n" + DENY + "a", 3),
    "an import": ("import data.secgate.rules.own as me\n\na if me.b\n\nb if a\n\n" + DENY + "a", 5),
    "a comprehension": ("a := [x | some x in a]\n\n" + DENY + "count(a) > 0", 3),
    "every": ("a if {\n\tevery g in input.gaps { a; g.path != \"\" }\n}\n\n" + DENY + "a", 3),
    "a table": ("a[x] := y if {\n\tsome x in input.run.asked\n\ty := count(a)\n}\n\n" + DENY + "count(a) > 0", 3),
    "a part of a table": ('a.b := 1 if a.c == 1\n\na.c := 1 if a.b == 1\n\n' + DENY + "a.b == 1", 3),
    "an index": ('a[x] := 1 if {\n\tsome x in input.run.asked\n\tinput.run.asked[a[x]] == x\n}\n\n' + DENY
                 + "count(a) > 0", 3),
    "what judges": (DENY + 'count(data.secgate.main.decision) > 0', 3),
}  # fmt: skip


@pytest.fixture
def opa_says(shipped: Layer, shipped_files: dict[str, bytes], tmp_path: Path) -> Callable[[str], str]:
    """Give what tells what `opa check` says of a module."""
    opa = shutil.which("opa")
    if opa is None:
        pytest.skip("no opa on PATH")
    runner = LocalExecutor(environment={}, scratch=str(tmp_path), python=sys.executable, parallel=1)
    engine = OpaEvalEngine(runner=runner, executable=opa, version="", directory=str(tmp_path))

    def said(text: str) -> str:
        modules = [*shipped.ground(), PolicyModule(path="own.rego", text=text)]
        return " ".join(what for _, what, _ in engine.check(modules, schema=shipped_files["schema/input.json"]))

    return said


@pytest.mark.parametrize(("text", "line"), CIRCLES.values(), ids=CIRCLES.keys())
def test_a_circle_is_refused_with_its_place(load: Load, text: str, line: int) -> None:
    with pytest.raises(PolicyError) as caught:
        load(HEAD + text)
    found = [place for place, what, _ in caught.value.faults if "is recursive, which no engine works out" in what]
    assert [place.split(":")[:2] for place in found] == [["own.rego", str(line)]]


@pytest.mark.parametrize("text", [text for text, _ in CIRCLES.values()], ids=CIRCLES.keys())
def test_opa_sees_the_same(opa_says: Callable[[str], str], text: str) -> None:
    assert "recursive" in opa_says(HEAD + text)


STRAIGHT = {
    "an argument": "a(b) if b > 0\n\nb if a(1)\n\n" + DENY + "b",
    "a name that is declared": "a if {\n\tb := input.run.dirty\n\tb\n}\n\nb if a\n\n" + DENY + "b",
    "some": "a if {\n\tsome b\n\tinput.findings[b].line > 1\n}\n\nb if a\n\n" + DENY + "b",
    "some in": "a if {\n\tsome b in input.gaps\n\tb.path != \"\"\n}\n\nb if a\n\n" + DENY + "b",
    "in a comprehension": "a := [b | some b in input.gaps]\n\nb if count(a) > 0\n\n" + DENY + "b",
    "of every": "a if {\n\tevery b in input.gaps { b.path != \"\" }\n}\n\nb if a\n\n" + DENY + "b",
    "rules that meet": "a if {\n\tb\n\tc\n}\n\nb if d\n\nc if d\n\nd if input.run.dirty\n\n" + DENY + "a",
}  # fmt: skip


@pytest.mark.parametrize("text", STRAIGHT.values(), ids=STRAIGHT.keys())
def test_what_only_looks_like_a_circle_is_let_through(load: Load, opa_says: Callable[[str], str], text: str) -> None:
    assert "recursive" not in opa_says(HEAD + text)
    assert load(HEAD + text).rules == ("own",)


def test_a_circle_through_two_modules_is_told_once(load: Load) -> None:
    one = f"{HEAD}import data.secgate.rules.other\n\na if other.b\n\n{DENY}a\n"
    two = f"package secgate.rules.other\n\nimport data.secgate.rules.own\n\nb if own.a\n\n{DENY}b\n"
    with pytest.raises(PolicyError, match=r"a -> secgate\.rules\.other\.b -> a") as caught:
        load({"one.rego": one.encode(), "two.rego": two.encode()})
    assert [place for place, _, _ in caught.value.faults] == ["one.rego:5:1"]


def test_policies_in_conftests_shape_are_held_to_it_too() -> None:
    deny = 'deny contains msg if {\n\tmsg := sprintf("%d", [deep(1)])\n}\n'
    text = f"package main\n\ndeep(n) := deep(n - 1) if n > 0\n\n{deny}"
    with pytest.raises(PolicyError, match="`deep` is recursive") as caught:
        load_conftest({"a.rego": text.encode()}, ["main"], layer="repository", reader=RegorusEngine())
    assert caught.value.place == "a.rego:3:1"


def test_many_circles_are_cut_short_and_long_ones_are_no_matter() -> None:
    many = "".join(f"a{n} if a{n}\n\n" for n in range(3 * MOST_FAULTS))
    long = "".join(f"b{n} if b{(n + 1) % 3000}\n\n" for n in range(3000))
    for text, faults in ((many, MOST_FAULTS), (long, 1)):
        assert len(_faults(text)) == faults


def test_parts_of_a_table_are_rules_of_their_own(opa_says: Callable[[str], str]) -> None:
    text = f"a.b := 1 if a.c == 1\n\na.c := 1 if input.run.dirty\n\n{DENY}a.b == 1"
    assert "recursive" not in opa_says(HEAD + text)
    assert not _faults(text)


def _faults(text: str) -> list[Fault]:
    (node,) = RegorusEngine().syntax([PolicyModule(path="own.rego", text=HEAD + text)])
    return recursion_faults([tree.read_module(node, path="own.rego", text=HEAD + text)])
