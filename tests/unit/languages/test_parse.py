"""Units, symbols and parse verdicts per language."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secgate.languages.parse import FileIndex, enclosing, index_kind, misreading, parse_check, parse_ok

_PYTHON = """\
import os
@app.route("/x",
  methods=["GET"])
def f(a, b=":"):  # c: d
    # token
    if a(
        b): x(); y(b,
          c)
    else:
        pass
    try:
        z()
    except (A, B) as e:
        w()
class C(B):
    async def m(self): eval("1")
"""
_SCRIPT = """\
app.get("/x", (req, res) => {
  eval(req.q);
});
class A { m(x) { return x; } f = 1 }
const h = function() { a(); }
module.exports.z = async () => { b() };
for (let i = 0; i < 2; i++) { q() }
switch (a) { case 1: k(); break; default: j() }
"""
_WORKFLOW = """\
on: push
permissions: {contents: write}
jobs:
  build:
    runs-on: x
    steps:
      - name: hi
        run: |
          echo
      - uses: a/b@v1
        with: {k: v}
      - run: ls
"""
_POD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec: {a: b}\n---\napiVersion: v1\nkind: Service\n"
_STACK = "Resources:\n  Logs:\n    Type: AWS::S3::Bucket\n    Properties:\n      A: b\n"
_COMPOSE = "services:\n  web:\n    image: x\n    ports: [1]\n"
_DOCKER = "FROM python:3.11 AS build\n# c\nRUN apt-get update \\\n  && ls\nFROM x/y:1\nUSER root\nFROM x/y:2\nUSER me\n"
_HCL = 'resource "aws_s3_bucket" "logs" {\n  a = 1\n  b {\n    c = 2\n  }\n}\nlocals {\n  z = 1\n}\nvariable "v" {}\n'
_LOCK = '{"packages": {"node_modules/x": {"version": "1",\n "y": {"q": 2}}},\n "l": [1, 2], "m": [{"n": 1}]}'
_PINS = "# c\nflask==1.0 \\\n    --hash=sha256:1\n\nDjango>=2\n"

_EXPORTS = """\
export default class { m() { a1() } }
export default { methods: { go() { a2() } } }
const save = memo(forward(async () => { a3() }));
module.exports = { run() { a4() } };
const one = x => a5(x);
list.map(x => a6(x));
export default () => { a7() }
"""
_CLASS = """\
@Component({ make: () => { b1() } })
export class X {
  @Get("/q",
    b2) m(@Query() q: string): void { b3() }
  field = (async () => { b4() }) as Handler;
}
"""
_PODS = """\
apiVersion: v1
kind: PodList
items:
- {kind: Pod, metadata: {name: a, namespace: n}, c: 1}
- {kind: Pod, metadata: {generateName: b-}, c: 2}
"""
_NAMED = "steps:\n  - name: old text\n    id: here\n    run: ls\n"
_PROVIDERS = 'provider "aws" {\n  alias = "west"\n}\nprovider "aws" {}\n'

_TABLE = [
    ("javascript", _EXPORTS, 1, 30, "default.m", "a1()"),
    ("javascript", _EXPORTS, 2, 36, "default.methods.go", "a2()"),
    ("javascript", _EXPORTS, 3, 41, "save", "a3()"),
    ("javascript", _EXPORTS, 4, 28, "module.exports.run", "a4()"),
    ("javascript", _EXPORTS, 5, 18, "one", "a5(x)"),
    ("javascript", _EXPORTS, 6, 15, "map()", "a6(x)"),
    ("javascript", _EXPORTS, 7, 24, "default", "a7()"),
    ("typescript", _CLASS, 1, 28, "Component().make", "b1()"),
    ("typescript", _CLASS, 4, 5, "X", '@Get("/q",\n    b2)'),
    ("typescript", _CLASS, 4, 39, "X.m", "b3()"),
    ("typescript", _CLASS, 5, 26, "X.field", "b4()"),
    ("kubernetes", _PODS, 4, 3, "Pod/n/a", "{kind: Pod, metadata: {name: a, namespace: n}, c: 1}"),
    ("kubernetes", _PODS, 5, 40, "Pod/b-", "{kind: Pod, metadata: {generateName: b-}, c: 2}"),
    ("github-workflow", _NAMED, 4, 5, "steps[here]", "- name: old text\n    id: here\n    run: ls"),
    ("terraform", _PROVIDERS, 2, 3, "provider.aws.west", 'provider "aws" {\n  alias = "west"\n}'),
    ("terraform", _PROVIDERS, 4, 1, "provider.aws", 'provider "aws" {}'),
    ("python", _PYTHON, 1, 0, "", "import os"),
    ("python", _PYTHON, 2, 1, "f", '@app.route("/x",\n  methods=["GET"])'),
    ("python", _PYTHON, 3, 4, "f", '@app.route("/x",\n  methods=["GET"])'),
    ("python", _PYTHON, 4, 5, "f", 'def f(a, b=":"):'),
    ("python", _PYTHON, 4, 20, "f", 'def f(a, b=":"):'),
    ("python", _PYTHON, 5, 7, "f", "# token"),
    ("python", _PYTHON, 6, 0, "f", "if a(\n        b):"),
    ("python", _PYTHON, 7, 13, "f", "x()"),
    ("python", _PYTHON, 8, 0, "f", "y(b,\n          c)"),
    ("python", _PYTHON, 9, 0, "f", "else:"),
    ("python", _PYTHON, 13, 0, "f", "except (A, B) as e:"),
    ("python", _PYTHON, 16, 24, "C.m", 'eval("1")'),
    ("python", _PYTHON, 16, 5, "C.m", "async def m(self):"),
    ("javascript", _SCRIPT, 1, 1, "", 'app.get("/x", (req, res) =>'),
    ("javascript", _SCRIPT, 2, 5, "get(/x)", "eval(req.q);"),
    ("javascript", _SCRIPT, 4, 20, "A.m", "return x;"),
    ("javascript", _SCRIPT, 4, 32, "A", "f = 1"),
    ("javascript", _SCRIPT, 5, 25, "h", "a();"),
    ("typescript", _SCRIPT, 6, 35, "module.exports.z", "b()"),
    ("javascript", _SCRIPT, 7, 1, "", "for (let i = 0; i < 2; i++)"),
    ("tsx", _SCRIPT, 8, 15, "", "case 1:"),
    ("github-workflow", _WORKFLOW, 2, 15, "permissions.contents", "contents: write"),
    ("github-workflow", _WORKFLOW, 4, 0, "jobs.build", "build:"),
    ("github-workflow", _WORKFLOW, 8, 0, "jobs.build.steps[hi]", "- name: hi\n        run: |\n          echo"),
    ("github-workflow", _WORKFLOW, 11, 0, "jobs.build.steps[a/b]", "- uses: a/b@v1\n        with: {k: v}"),
    ("github-workflow", _WORKFLOW, 12, 0, "jobs.build.steps[2]", "- run: ls"),
    ("kubernetes", _POD, 5, 9, "Pod/web", _POD.split("\n---", maxsplit=1)[0]),
    ("kubernetes", _POD, 8, 0, "Service", "apiVersion: v1\nkind: Service"),
    ("cloudformation", _STACK, 5, 0, "Resources.Logs", _STACK.strip().split("\n  ", 1)[1]),
    ("compose", _COMPOSE, 4, 0, "services.web", "web:\n    image: x\n    ports: [1]"),
    ("dockerfile", _DOCKER, 4, 0, "build", "RUN apt-get update \\\n  && ls"),
    ("dockerfile", _DOCKER, 6, 0, "x/y", "USER root"),
    ("dockerfile", _DOCKER, 8, 0, "x/y#2", "USER me"),
    ("terraform", _HCL, 4, 0, "aws_s3_bucket.logs", _HCL.split("\nlocals", maxsplit=1)[0]),
    ("terraform", _HCL, 8, 0, "local.z", "z = 1"),
    ("terraform", _HCL, 10, 0, "var.v", 'variable "v" {}'),
    ("npm-lock", _LOCK, 2, 8, "packages.node_modules/x", _LOCK[14:64]),
    ("json", _LOCK, 2, 8, "packages.node_modules/x.y.q", '"q": 2'),
    ("json", _LOCK, 3, 3, "l", '"l": [1, 2]'),
    ("json", _LOCK, 3, 22, "m[0].n", '"n": 1'),
    ("pip-requirements", _PINS, 3, 0, "flask", "flask==1.0 \\\n    --hash=sha256:1"),
    ("pip-requirements", _PINS, 5, 0, "django", "Django>=2"),
    ("go", "package x\n\n  y := 1 \n", 3, 0, "", "y := 1"),
]


@pytest.mark.parametrize(("kind", "text", "line", "column", "symbol", "unit"), _TABLE)
def test_unit(*, kind: str, text: str, line: int, column: int, symbol: str, unit: str) -> None:
    found = enclosing(kind, text.encode(), line, column)
    assert (found.symbol, text[found.start : found.end]) == (symbol, unit)


@pytest.mark.parametrize(
    ("kind", "text", "unit"),
    [
        ("dockerfile", "# a\n\nFROM x\nRUN y\n", "FROM x"),
        ("dockerfile", "FROM x\nRUN y\n", "FROM x"),
        ("yaml", "# a\n---\nb:\n  c: 1\n", "b:"),
        ("terraform", "# a\n\n" + _HCL, _HCL[: _HCL.index("locals") - 1]),
        ("dockerfile", "# a\n\n# b\n", "# a"),
        ("python", "# a\nx = 1\n", "# a"),
    ],
)
def test_what_reaches_over_a_comment_and_more_begins_with_the_first_unit(kind: str, text: str, unit: str) -> None:
    index = FileIndex(kind, text.encode())
    found = index.first_unit(0, len(text))
    assert text[found.start : found.end] == unit
    assert index.first_unit(0, 3) == index.unit_at(0)


@pytest.mark.parametrize(
    ("kind", "data", "ok"),
    [
        ("python", b"x = 1\n", True),
        ("python", b"\xef\xbb\xbfx = 1\n", True),
        ("python", b"type X = int\nmatch = \n", False),
        ("python", b"x = '\\d'\n", True),
        ("python", b"x = 1\0", False),
        ("python", b"(" * 5000, False),
        ("javascript", b"let x = 1;", True),
        ("javascript", b"let = ", False),
        ("typescript", b"let x: number = 1;", True),
        ("terraform", b"a {", False),
        ("yaml", b"a: [1", False),
        ("yaml", b"a: 1", True),
        ("yaml", b"a:\n  b: [\n  'c', {d: [\n]},\n  ]\ne: f\n", True),
        ("yaml", b"{{ if a }}\nb: c\n", False),
        ("github-workflow", b"on: [\npush\n]\n", True),
        ("dockerfile", b"FROM x\nRUN ls", True),
        ("dockerfile", b"FROM x\nARG A=\nENV KEY several words\nRUN <<A\n{{\nA\n", True),
        ("dockerfile", b"FROM x\n{{ if a }}\n", False),
        ("json", b"{}", True),
        ("json", b"[" * 200_000, False),
        ("go", b"package", None),
        ("pip-requirements", b"flask", None),
    ],
)
def test_parse_ok(kind: str, data: bytes, ok: bool | None) -> None:
    assert parse_ok((kind, "text"), "a", data) is ok


def test_parse_ok_knows_by_the_name_that_typescript_has_markup() -> None:
    data = b"export const A = () => <p>{<T,>(x: T) => x}</p>;\n"
    assert parse_ok(("typescript", "text"), "src/a.tsx", data) is True
    assert parse_ok(("typescript", "text"), "src/a.ts", data) is False


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_units_of_yaml_that_only_the_letter_forbids(end: str) -> None:
    lines = [
        "# \u00e9\U0001f600",
        "on: {push: {branches: [",
        "main, '\U0001f600'",
        "]}}",
        "jobs:",
        "  a:",
        "    steps:",
    ]
    text = end.join([*lines, "      - name: one", "        run: x", "      - name: two", "        run: y", ""])
    unit = FileIndex("github-workflow", text.encode()).unit(11, 9)
    assert (unit.symbol, unit.region.start_line, unit.region.end_line) == ("jobs.a.steps[two]", 10, 11)


def test_newer_syntax_is_named() -> None:
    reason = parse_check("python", b"x = 1\ndef f(:\n").reason
    assert "line 2" in reason
    assert reason.startswith("Python 3.")


def test_too_large_is_not_parsed() -> None:
    assert parse_check("python", b"#" * (4 * 1024 * 1024 + 1)) == (False, "larger than 4194304 bytes")


def test_index_kind() -> None:
    assert index_kind(("kubernetes", "yaml", "text"), "a.yaml") == "kubernetes"
    assert index_kind(("typescript",), "a.tsx") == "tsx"
    assert index_kind(("helm", "yaml"), "a.yaml") == "yaml"
    assert index_kind(("go", "text"), "a.go") == "go"


@pytest.mark.parametrize(
    ("line", "columns", "expected"),
    [
        (2, (0, 21), (1, 1, 2, 22)),  # the line of a keyword, the columns of its call
        (2, (6, 8), (2, 7, 2, 9)),
        (1, (0, 4), (1, 1, 1, 5)),
        (2, (77, 99), (2, 5, 2, 22)),  # no such node: the line
    ],
)
def test_node_region(line: int, columns: tuple[int, int], expected: tuple[int, ...]) -> None:
    index = FileIndex("python", b"call(a,\n    b=12, shell=True)\n")
    region = index.node_region(line, *columns, last_line=line)
    assert (region.start_line, region.start_column, region.end_line, region.end_column) == expected


@pytest.mark.parametrize(
    ("columns", "expected"), [((0, 9), (1, 1, 2, 10)), ((5, 8), (1, 6, 2, 9)), ((0, 8), (1, 6, 2, 9))]
)
def test_lines_region_prefers_the_columns(columns: tuple[int, int], expected: tuple[int, ...]) -> None:
    region = FileIndex("python", b"eval(call(\n    'x'))\n").lines_region(1, 2, columns)
    assert (region.start_line, region.start_column, region.end_line, region.end_column) == expected


@pytest.mark.parametrize(
    ("first", "last", "expected"), [(1, 3, (1, 8, 3, 7)), (1, 2, (1, 1, 2, 7)), (5, 5, (5, 1, 5, 2))]
)
def test_lines_region(first: int, last: int, expected: tuple[int, ...]) -> None:
    index = FileIndex("python", b"a = 1; call(\n    b,\n    c)\n\nd\n")
    region = index.lines_region(first, last)
    assert (region.start_line, region.start_column, region.end_line, region.end_column) == expected


def stairs(levels: int, mark: str = "a:", step: str = " ") -> str:
    return "".join(f"{step * level}{mark}\n" for level in range(levels))


@pytest.mark.parametrize(
    "text",
    [
        *("- " * 2000, "? " * 2000, ": " * 2000, "- ? : " * 700, "-\t" * 2000, "--- " + "- " * 2000, "- &a " * 2000),
        *(stairs(800), stairs(400, "- a:", "  "), stairs(800).replace("\n", "\r"), stairs(800).replace("\n", "\r\n")),
        *(
            stairs(60) + " " * 60 + "- " * 200,
            "a: 1\n" * 2000 + stairs(800),
            "[\n" + stairs(800),
            "\ufeff" + stairs(800),
        ),
    ],
)
def test_threat_13_yaml_that_would_kill_its_parser_does_not_parse(text: str) -> None:
    index = FileIndex("github-workflow", text.encode())
    assert (index.parsed.ok, index.unit(1, 1).symbol, index.symbols) == (False, "", frozenset())
    assert "too often" in index.parsed.reason


@pytest.mark.parametrize(
    "text",
    [
        *("- " * 118 + "x\n", stairs(118), "".join(f"{' ' * at}a:\n{' ' * at}- b:\n" for at in range(0, 230, 2))),
        *("a: |\n" + f"{' ' * 300}x\n" * 900, "a: 1\n" * 20_000, "a:\n" + "  - b\n" * 9000, f"a: {'- ' * 300}"),
    ],
)
def test_yaml_that_the_parser_bears_is_given_to_it(text: str) -> None:
    assert "too often" not in FileIndex("yaml", text.encode()).parsed.reason


@settings(deadline=None)
@given(st.text(alphabet="ab=(){}[]:,.\"'`#/*\\\n\r\t -é😀", max_size=60), st.integers(-2, 9), st.integers(-2, 40))
@pytest.mark.parametrize(
    "kind", ["python", "javascript", "terraform", "github-workflow", "dockerfile", "json", "pip-requirements", "go"]
)
def test_any_position_of_any_text_has_a_unit(kind: str, text: str, line: int, column: int) -> None:
    index = FileIndex(kind, text.encode())
    unit = index.unit(line, column)
    assert unit == index.unit(line, column)
    assert unit.region == index.source.region(unit.start, unit.end)


@pytest.mark.parametrize(
    "data",
    [
        b"# caf\xe9\nx()\n",
        b"# note\rx()\n",
        b"# coding: utf-7\n# +AAo-x()\n",
        b"#!/usr/bin/python\n# vim: set fileencoding=unicode_escape :\n",
        "x()\n".encode("utf-16"),
    ],
)
def test_text_that_python_reads_otherwise_than_others_is_told(data: bytes) -> None:
    assert misreading("python", data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x()\r\ny()\r\n",
        "\ufeff# caf\u00e9\n".encode(),
        b"# -*- coding: UTF-8 -*-\n",
        b"#!/bin/x\n# coding=latin-1\n",
        b"x()\n\n# coding: rot13 further down is none\n",
    ],
)
def test_text_that_all_read_alike_is_not(data: bytes) -> None:
    assert misreading("python", data) == ""
    assert misreading("javascript", data + b"\xe9\r") == ""
