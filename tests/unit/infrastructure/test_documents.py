"""Five formats as resources: values, places, and what is not known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secgate.infrastructure import KINDS, documents, joined

SCHEMA = Path(__file__).parents[3] / "rules" / "infrastructure" / "schema.json"
PATHS = {
    "terraform": "a.tf",
    "cloudformation": "a.yaml",
    "kubernetes": "a.yaml",
    "dockerfile": "Dockerfile",
    "compose": "a.yaml",
}


def resources(kind: str, text: str, path: str = "") -> list[dict[str, Any]]:
    """Give the resources of a text that has no problem."""
    parsed = documents(path or PATHS[kind], kind, text.encode())
    assert parsed.problem == ""
    return list(parsed.resources)


def attributes(kind: str, text: str, path: str = "") -> Any:
    """Give the attributes of the only resource."""
    (only,) = resources(kind, text, path)
    return only["attributes"]


def terraform(body: str) -> Any:
    """Give the attributes of a resource with this body."""
    return attributes("terraform", f'resource "a" "b" {{\n{body}\n}}\n')


def test_terraform_block_has_its_address_and_place() -> None:
    (found,) = resources("terraform", '\n  resource "aws_s3_bucket" "b" {\n  acl = "x"\n}\n')
    assert (found["id"], found["type"], found["name"]) == ("aws_s3_bucket.b", "aws_s3_bucket", "b")
    assert (found["line"], found["column"], found["end_line"]) == (2, 3, 4)
    assert found["lines"] == {"acl": 3}


@pytest.mark.parametrize(
    ("head", "address"),
    [
        ('data "x" "y"', "data.x.y"),
        ('variable "v"', "var.v"),
        ('provider "aws"', "provider.aws"),
        ('module "m"', "module.m"),
        ("locals", "locals"),
        ("resource x y", "x.y"),
    ],
)
def test_addresses_are_terraforms_own(head: str, address: str) -> None:
    assert [found["id"] for found in resources("terraform", f"{head} {{\n}}\n")] == [address]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('"a\\n\\"\\u00e9$${x}"', 'a\n"é${x}'),
        ("-1", -1),
        ("1.5", 1.5),
        ("(true)", True),
        ("null", None),
        ('[1, "a", # why\n false]', [1, "a", False]),
        ('{ a = 1, "b" : 2, }', {"a": 1, "b": 2}),
        ('jsonencode({ A = ["x"] })', {"A": ["x"]}),
        ("<<-E\n    a\n      b\n  E", "a\n  b\n"),
        ("<<E\nE", ""),
    ],
)
def test_literals_are_read(expression: str, value: object) -> None:
    assert terraform(f"v = {expression}") == {"v": value}


@pytest.mark.parametrize(
    "expression",
    ["var.x", "a.b.c", '"a${var.x}"', "x ? 1 : 2", 'file("x")', "1 + 1", "[for a in b : a]", "!true", "local.none"],
)
def test_expressions_are_unresolved(expression: str) -> None:
    assert terraform(f"v = {expression}") == {"v": {"unresolved": expression}}


def test_an_object_with_an_unknown_key_is_unresolved() -> None:
    assert "unresolved" in terraform("v = { a = 1, (var.k) = 2 }")["v"]


def test_blocks_are_lists_and_dynamic_ones_are_unresolved() -> None:
    found = terraform('i {\n a = 1\n}\ni {\n a = 2\n}\ndynamic "i" {\n for_each = x\n content {\n a = 3\n}\n}')
    assert found == {"i": [{"a": 1}, {"a": 2}, {"unresolved": 'dynamic "i"'}]}


@pytest.mark.parametrize("body", ["count = 0", "for_each = []", "for_each = toset([])", "for_each = {}"])
def test_what_is_not_made_is_not_there(body: str) -> None:
    assert resources("terraform", f'resource "a" "b" {{\n{body}\n}}\n') == []


@pytest.mark.parametrize("body", ["count = 1", "count = var.n", "for_each = var.all", "count = true ? 0 : 1"])
def test_what_may_be_made_is_there(body: str) -> None:
    assert len(resources("terraform", f'resource "a" "b" {{\n{body}\n}}\n')) == 1


def test_locals_of_the_same_file_are_followed_and_circles_end() -> None:
    inner = 'locals {\n a = local.b\n b = ["x"]\n c = local.d\n d = local.c\n}\n'
    text = inner + 'resource "a" "b" {\n v = local.a\n w = local.c\n}'
    found = resources("terraform", text)[1]
    assert found["attributes"] == {"v": ["x"], "w": {"unresolved": "local.d"}}
    assert (found["lines"]["v"], found["lines"]["v.0"]) == (8, 3)


def test_a_policy_in_a_heredoc_has_its_own_lines() -> None:
    body = 'policy = <<P\n{"Statement": [\n  {"Effect": "Allow", "Resource": "${a.arn}/*"}\n]}\nP'
    (found,) = resources("terraform", f'resource "a" "b" {{\n{body}\n}}\n')
    assert found["attributes"]["policy"]["Statement"][0]["Resource"] == {"unresolved": "${a.arn}/*"}
    assert found["lines"]["policy.Statement.0.Effect"] == 4


def test_a_policy_in_a_quoted_text_is_read_too() -> None:
    assert terraform('policy = "{\\"Statement\\": []}"') == {"policy": {"Statement": []}}


def test_terraform_in_json() -> None:
    text = '{"resource": {"a": {"b": {\n "acl": "x",\n "v": "${var.v}"}}},\n "provider": {"aws": [{"region": "r"}]}}'
    first, second = resources("terraform", text, "a.tf.json")
    assert (first["id"], first["lines"]["acl"], first["attributes"]["v"]) == ("a.b", 2, {"unresolved": "${var.v}"})
    assert (second["id"], second["attributes"]) == ("provider.aws", {"region": "r"})


def test_blocks_beside_a_syntax_error_are_still_given() -> None:
    parsed = documents("a.tf", "terraform", b'resource "a" "b" {\n v = 1\n}\nresource "c" "d" {\n v = = 2\n}\n')
    assert parsed.problem == "parse-error: a syntax error (line 5)"
    assert [found["id"] for found in parsed.resources] == ["a.b"]


def test_columns_count_utf16_units_and_lines_any_line_end() -> None:
    (found,) = resources("compose", 'x: "\u2028"\r\nservices: {"😀": 1, a: {image: b}}\n')
    assert (found["line"], found["column"]) == (2, 21)


def test_cloudformation_in_both_forms_is_the_same() -> None:
    yaml = "Resources:\n  B:\n    Type: AWS::S3::Bucket\n    Properties: {Name: !Ref N, Tags: [!Sub 'a${B}']}\n"
    properties = {"Name": {"Ref": "N"}, "Tags": [{"Fn::Sub": "a${B}"}]}
    document = {"Resources": {"B": {"Type": "AWS::S3::Bucket", "Properties": properties}}}
    assert attributes("cloudformation", yaml) == attributes("cloudformation", json.dumps(document), "a.json")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!Ref X", {"unresolved": "Ref"}),
        ("!If [A, 1, 2]", {"unresolved": "Fn::If"}),
        ("!Sub plain", "plain"),
        ("!Sub 'a${!b}'", "a${b}"),
        ("!Base64 'x'", "x"),
        ("{'Fn::Base64': {'Fn::Sub': '${A}'}}", {"unresolved": "${A}"}),
        ("'{{resolve:ssm:a}}'", {"unresolved": "{{resolve:ssm:a}}"}),
        ("{Condition: {Bool: {a: b}}}", {"Condition": {"Bool": {"a": "b"}}}),
        ("!Unknown x", {"unresolved": "!Unknown"}),
    ],
)
def test_intrinsics_are_unresolved_but_for_those_that_change_nothing(text: str, value: object) -> None:
    head = "Resources:\n  B:\n    Type: AWS::S3::Bucket\n    Properties:\n      V: "
    assert attributes("cloudformation", head + text) == {"V": value}


def test_kubernetes_documents_and_lists() -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
    listed = "apiVersion: v1\nkind: PodList\nitems:\n- {apiVersion: v1, kind: Pod}\n"
    text = f"{pod}---\n# nothing\n---\n{listed}---\nkind: x\n"
    assert [(found["id"], found["line"]) for found in resources("kubernetes", text)] == [("Pod/a", 1), ("Pod", 10)]


def test_a_key_called_unresolved_does_not_pass_for_an_expression() -> None:
    text = "apiVersion: v1\nkind: Pod\nspec: {unresolved: x}\n"
    assert attributes("kubernetes", text)["spec"] == {"_unresolved": "x"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True),
        ("'yes'", "yes"),
        ("010", 8),
        ("08", "08"),
        ("~", None),
        ("1.5", 1.5),
        ("!!str 5", "5"),
        (".inf", "inf"),
    ],
)
def test_yaml_scalars_are_those_of_yaml_1_1(text: str, value: object) -> None:
    assert attributes("compose", f"services: {{a: {{v: {text}}}}}") == {"v": value}


def test_compose_merges_anchors_and_extends() -> None:
    one, two = "{cap_add: [A], env: {P: 1}}", "{<<: *x, b: 2, extends: {service: one}, cap_add: [B]}"
    text = f"x: &x {{a: 1, b: 1}}\nservices:\n  one: {one}\n  two: {two}\n"
    found = resources("compose", text)[1]["attributes"]
    assert {key: found[key] for key in ("a", "b", "cap_add", "env")} == {
        "a": 1,
        "b": 2,
        "cap_add": ["A", "B"],
        "env": {"P": 1},
    }


def test_compose_circles_of_extends_end() -> None:
    text = "services:\n  one: {extends: two, a: 1}\n  two: {extends: {service: one}}\n"
    assert [found["name"] for found in resources("compose", text)] == ["one", "two"]


def test_compose_interpolation_is_unresolved() -> None:
    found = attributes("compose", "services: {a: {x: $A, y: '${A:-b}', z: 'a$$b'}}")
    assert found == {"x": {"unresolved": "$A"}, "y": {"unresolved": "${A:-b}"}, "z": "a$b"}


def test_dockerfile_stages() -> None:
    text = "# syntax=x\nARG V\nFROM --platform=x a:1 AS one\nUSER u\nFROM one\nFROM b:${V} as Two\n"
    found = resources("dockerfile", text)
    assert [(stage["id"], stage["line"], stage["end_line"]) for stage in found] == [
        ("one", 3, 4),
        ("one#2", 5, 5),
        ("two", 6, 6),
    ]
    assert found[1]["attributes"]["of_stage"] == "one"
    assert found[2]["attributes"]["image"] == {"unresolved": "b:${V}"}
    assert [stage["attributes"]["final"] for stage in found] == [False, False, True]


def instructions(text: str) -> list[dict[str, Any]]:
    """Give the instructions of a stage with these lines."""
    (found,) = resources("dockerfile", f"FROM a:1\n{text}")
    listed: list[dict[str, Any]] = found["attributes"]["instructions"]
    return [{**one, "line": found["lines"][f"instructions.{at}"]} for at, one in enumerate(listed)]


def test_dockerfile_continuation_comments_and_heredocs() -> None:
    found = instructions("run a && \\\n  # no\n\n  b\nRUN <<E cat\nUSER root\nE\nUSER x\n")
    assert [(one["word"], one["line"]) for one in found] == [("RUN", 2), ("RUN", 6), ("USER", 9)]
    assert found[0]["text"] == "a && b"


def test_dockerfile_escape_directive() -> None:
    (found,) = resources("dockerfile", "# escape=`\nFROM a:1\nRUN a `\n  b\nRUN c:\\\n")
    assert [one["text"] for one in found["attributes"]["instructions"]] == ["a b", "c:\\"]


@pytest.mark.parametrize(
    ("line", "pairs"),
    [
        ("ENV A=b C=\"d e\" D='f'", [("A", "b"), ("C", "d e"), ("D", "f")]),
        ("ENV A b c", [("A", "b c")]),
        ("ARG A", [("A", None)]),
        ("ARG A=$B", [("A", {"unresolved": "$B"})]),
    ],
)
def test_dockerfile_pairs(line: str, pairs: list[tuple[str, object]]) -> None:
    (found,) = instructions(line)
    assert [(pair["name"], pair["value"]) for pair in found["pairs"]] == pairs


def test_an_unknown_instruction_is_a_problem() -> None:
    assert documents("Dockerfile", "dockerfile", b"FROM a\nUSR x\n").problem.startswith("parse-error: no instruction")


def bomb(levels: int) -> str:
    """Give YAML whose aliases double at every level."""
    lines = ["a0: &a0 [x, x]", *(f"a{at}: &a{at} [*a{at - 1}, *a{at - 1}]" for at in range(1, levels))]
    return "\n".join([*lines, "services: {s: {v: " + f"*a{levels - 1}" + "}}"])


HOSTILE = {
    "aliases": ("compose", bomb(40)),
    "a chain of aliases": (
        "compose",
        "\n".join(["a0: &a0 [x]", *(f"a{at}: &a{at} [*a{at - 1}]" for at in range(1, 200))])
        + "\nservices: {s: {v: *a199}}",
    ),
    "an alias of itself": ("compose", "services: &s {a: *s}"),
    "deep YAML": ("kubernetes", "[" * 5_000),
    "deep JSON": ("cloudformation", '{"a":' * 50_000),
    "closed deep JSON": ("cloudformation", '{"a":' * 500 + "1" + "}" * 500),
    "deep HCL": ("terraform", "a {\n b = " + "[" * 3_000 + "]" * 3_000 + "\n}"),
    "deep blocks": ("terraform", "a {\n" * 500 + "}\n" * 500),
    "locals that double": (
        "terraform",
        "locals {\n l0 = 1\n"
        + "".join(f" l{at} = [local.l{at - 1}, local.l{at - 1}]\n" for at in range(1, 40))
        + "}\n",
    ),
    "too many instructions": ("dockerfile", "FROM a\n" + "RUN a\n" * 20_000),
    "control characters": ("compose", "services: \x01"),
    "too many resources": ("kubernetes", "---\napiVersion: v1\nkind: Pod\n" * 6_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_a_named_problem(name: str) -> None:
    kind, text = HOSTILE[name]
    parsed = documents(PATHS[kind], kind, text.encode())
    assert parsed.problem.startswith("parse-error: ")
    assert parsed.resources == ()


@pytest.mark.parametrize("kind", KINDS)
def test_large_and_foreign_bytes_are_named(kind: str) -> None:
    assert documents("a", kind, b" " * (4 * 1024 * 1024 + 1)).problem.startswith("too-large: ")
    assert documents("a", kind, b"\xff\xfe").problem.startswith("not-utf8: ")


@given(st.sampled_from(KINDS), st.text(alphabet="ab:-{}[]\"'<>&*!|$%#=\n \\,./01\t", max_size=200))
def test_no_text_raises_and_every_document_keeps_to_the_schema(kind: str, text: str) -> None:
    part = documents(PATHS[kind], kind, text.encode())
    jsonschema_rs.validator_for(json.loads(SCHEMA.read_bytes())).validate(joined([("a", kind, part)]))


def test_types_lead_to_resources() -> None:
    parts = [("a.tf", "terraform", documents("a.tf", "terraform", b'resource "t" "a" {\n}\nresource "t" "b" {\n}\n'))]
    assert joined(parts)["types"] == {"terraform/t": [0, 1]}
