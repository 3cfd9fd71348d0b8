"""Modules under a name of their own: every package and every `data`, and nothing else."""

from __future__ import annotations

import json

import pytest

from secgate.engines.regorus import RegorusEngine
from secgate.errors import PolicyError
from secgate.policy.namespace import namespaced
from secgate.ports import PolicyModule


def moved(text: str) -> str:
    return namespaced(PolicyModule(path="a.rego", text=text), "own").module.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("package a.b\nx := data.c", "package own.a.b\nx := data.own.c"),
        ("# package data\npackage a # data", "# package data\npackage own.a # data"),
        ('package a\nx := "data.b \\" data.c"', 'package own.a\nx := "data.b \\" data.c"'),
        ("package a\nx := `data.\ndata.c`", "package own.a\nx := `data.\ndata.c`"),
        ("package a\nx := input.data.data", "package own.a\nx := input.data.data"),
        ("package a\nx := input . data", "package own.a\nx := input . data"),
        ("package a\nimport data.b.c as d", "package own.a\nimport data.own.b.c as d"),
        ("package a\nx := data[input.k]", "package own.a\nx := data.own[input.k]"),
        ("package a\nx := data_1\ndatax := 1", "package own.a\nx := data_1\ndatax := 1"),
        ("package a\nx := y with data.z as 1", "package own.a\nx := y with data.own.z as 1"),
        ('package a["b-c"].d\n', 'package own.a["b-c"].d\n'),
    ],
)
def test_what_is_moved(text: str, expected: str) -> None:
    assert moved(text) == expected


@pytest.mark.parametrize("text", ["", "# package a\n", "x := 1", "package"])
def test_a_module_without_a_package_is_refused(text: str) -> None:
    with pytest.raises(PolicyError, match="names no package"):
        moved(text)


def test_a_template_string_is_refused_with_its_line() -> None:
    with pytest.raises(PolicyError) as caught:
        moved('package a\n\nx := $"{data.b}"')
    assert caught.value.place == "a.rego:3"


def test_places_are_those_of_the_text_as_written() -> None:
    one = namespaced(PolicyModule(path="a.rego", text="package a\nx := [data.b, data.c, 1 +]"), "own")
    line = one.module.text.splitlines()[1]
    assert one.column(2, line.index("1 +") + 1) == len("x := [data.b, data.c, ") + 1
    assert one.column(2, 1) == 1
    assert one.column(1, 13) == 9


def test_the_moved_module_means_the_same() -> None:
    text = 'package a\nx contains v if { some v in data.b[input.data]; v != "data.c" }\ny := data.a.x'
    parts = {"data": b'{"own": {"b": {"k": ["data.c", "d"]}}}', "document": b'{"data": "k"}', "limit_s": 1.0}
    module = PolicyModule(path="a.rego", text=moved(text))
    answer = RegorusEngine().evaluate([module], query="data.own.a.y", **parts)  # type: ignore[arg-type]
    assert json.loads(answer.value) == ["d"]
