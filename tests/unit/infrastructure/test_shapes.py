"""Files in the shapes that Conftest's policies know, and what cannot be read named."""

from __future__ import annotations

import pytest

from secgate.infrastructure.shapes import shaped

TERRAFORM = b"""
variable "zone" { default = "a" }
provider "aws" { region = var.region }
locals { k = 1 }
resource "aws_instance" "web" {
  name = "web-${var.zone}"
  root_block_device { encrypted = false }
}
resource "aws_instance" "db" { count = 2 }
data "aws_ami" "base" { owners = ["self"] }
module "net" { source = "./net" }
"""


def test_terraform_nests_blocks_as_they_are_written() -> None:
    (document,) = shaped("main.tf", "terraform", TERRAFORM).documents
    assert document == {
        "variable": {"zone": [{"default": "a"}]},
        "provider": {"aws": [{"region": "${var.region}"}]},
        "locals": [{"k": 1}],
        "resource": {
            "aws_instance": {
                "web": [{"name": "web-${var.zone}", "root_block_device": [{"encrypted": False}]}],
                "db": [{"count": 2}],
            }
        },
        "data": {"aws_ami": {"base": [{"owners": ["self"]}]}},
        "module": {"net": [{"source": "./net"}]},
    }


def test_json_terraform_has_the_same_shape() -> None:
    text = b'{"resource": {"aws_instance": {"web": {"ami": "${var.a}"}}}}'
    (document,) = shaped("main.tf.json", "terraform", text).documents
    assert document == {"resource": {"aws_instance": {"web": [{"ami": "${var.a}"}]}}}


def test_dockerfile_is_the_list_of_its_commands() -> None:
    text = b"""FROM --platform=linux/amd64 python:3.11 AS build
RUN pip install \\
  shop
COPY --from=build --chown=1 /a /b
ENV A=1 B="two words"
CMD ["run", "it"]
HEALTHCHECK --interval=5s CMD curl localhost
FROM scratch
"""
    (commands,) = shaped("Dockerfile", "dockerfile", text).documents
    assert [(one["Cmd"], one["Value"], one["Stage"]) for one in commands] == [
        ("from", ["python:3.11", "AS", "build"], 0),
        ("run", ["pip install shop"], 0),
        ("copy", ["/a", "/b"], 0),
        ("env", ["A", "1", "B", "two words"], 0),
        ("cmd", ["run", "it"], 0),
        ("healthcheck", ["curl localhost"], 0),
        ("from", ["scratch"], 1),
    ]
    assert [one["Flags"] for one in commands if one["Flags"]] == [
        ["--platform=linux/amd64"],
        ["--from=build", "--chown=1"],
        ["--interval=5s"],
    ]
    assert [one["JSON"] for one in commands] == [False, False, False, False, True, False, False]
    assert commands[5]["SubCmd"] == "cmd"


def test_yaml_gives_each_of_its_documents() -> None:
    assert shaped("a.yaml", "data", b"a: 1\n---\n- b\n---\nunresolved: x\n").documents == [
        {"a": 1}, ["b"], {"unresolved": "x"},
    ]  # fmt: skip


def test_json_is_one_document() -> None:
    assert shaped("a.json", "data", b'{"a": [1, null, "x"]}').documents == [{"a": [1, None, "x"]}]


@pytest.mark.parametrize(
    ("path", "kind", "data", "problem"),
    [
        ("a.yaml", "data", b"a: [\n", "not YAML"),
        ("a.json", "data", b"{", "not JSON"),
        ("a.tf", "terraform", b'resource "a" {\n', "line"),
        ("Dockerfile", "dockerfile", b"FORM scratch\n", "no instruction is called `FORM`"),
        ("a.yaml", "data", b"\xff", "not UTF-8"),
        ("a.yaml", "data", b"a: &a [1, 2]\n" + b"b: [*a, *a]\n" * 60_000, "more than"),
        ("a.json", "data", b"[" * 100 + b"]" * 100, "deep"),
        ("a.yaml", "data", b"x" * (4 * 1024 * 1024 + 1), "larger than"),
    ],
)
def test_what_cannot_be_read_is_named(path: str, kind: str, data: bytes, problem: str) -> None:
    found = shaped(path, kind, data)
    assert found.documents == []
    assert problem in found.problem
