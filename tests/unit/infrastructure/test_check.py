"""The pass: what it reads of the view, how it answers, and which packs it refuses."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from secgate.errors import InternalError
from secgate.infrastructure.check import Pack, load, read_plain, run

METADATA = """metadata := {"id": "IAC-X-Y", "title": "t", "weakness": "host-mount", "cwes": [], "severity": "low",
  "score": 1, "confidence": "high", "remedy": "r"}
"""
CHECK = f"""package secgate.infrastructure.x
{METADATA}
result contains found if {{
  some r in input.resources
  found := {{"resource": r.id, "path": r.path, "line": r.line, "message": "m"}}
}}
"""


def report(tmp_path: Path, *files: tuple[str, str], check: str = CHECK) -> Any:
    """Run a one-check pack over files of the view at `tmp_path`/view."""
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "x.rego").write_text(check)
    listed = json.dumps([{"path": path, "kind": kind} for path, kind in files]).encode()
    return json.loads(run(listed, root=str(tmp_path / "view"), pack=load(rules)))


@pytest.fixture
def view(tmp_path: Path) -> Path:
    (tmp_path / "view" / "deep").mkdir(parents=True)
    (tmp_path / "view" / "deep" / "a.tf").write_text('resource "a" "b" {\n}\n')
    (tmp_path / "secret.tf").write_text('resource "secret" "b" {\n}\n')
    return tmp_path / "view"


def test_every_listed_file_is_answered(tmp_path: Path, view: Path) -> None:
    (view / "bad.tf").write_text("a {")
    told = report(tmp_path, ("deep/a.tf", "terraform"), ("bad.tf", "terraform"), ("gone.tf", "terraform"))
    problems = {file["path"]: file["problem"] for file in told["files"]}
    assert problems["deep/a.tf"] == ""
    assert problems["bad.tf"].startswith("parse-error: ")
    assert problems["gone.tf"].startswith("unreadable: ")
    assert [(one["id"], one["path"], one["line"]) for one in told["results"]] == [("IAC-X-Y", "deep/a.tf", 1)]


@pytest.mark.parametrize(
    "path",
    ["../secret.tf", "deep/../../secret.tf", "/etc/passwd", "link.tf", "folder/secret.tf", "pipe.tf", "deep", ""],
)
def test_nothing_outside_of_the_view_is_read(tmp_path: Path, view: Path, path: str) -> None:
    (view / "link.tf").symlink_to(tmp_path / "secret.tf")
    (view / "folder").symlink_to(tmp_path)
    os.mkfifo(view / "pipe.tf")
    told = report(tmp_path, (path, "terraform"))
    assert told["files"][0]["problem"].startswith("unreadable: ")
    assert told["results"] == []


def test_a_plain_file_is_read(view: Path) -> None:
    assert read_plain(str(view), "deep/a.tf").startswith(b"resource")


def test_the_answer_is_the_same_in_any_order(tmp_path: Path, view: Path) -> None:
    (view / "b.tf").write_text('resource "a" "c" {\n}\n')
    first = report(tmp_path, ("deep/a.tf", "terraform"), ("b.tf", "terraform"))
    other = tmp_path / "other"
    other.mkdir()
    (other / "view").symlink_to(view)
    assert report(other, ("b.tf", "terraform"), ("deep/a.tf", "terraform")) == first


@pytest.mark.parametrize(
    ("check", "what"),
    [
        ("package secgate.infrastructure.x\nresult contains 1 if true\n", "failed"),
        (f"package secgate.infrastructure.x\n{METADATA}", "failed"),
        (CHECK.replace('"line": r.line', '"line": 0'), "failed"),
        (CHECK.replace('"message": "m"', '"message": "m", "more": 1'), "failed"),
        (CHECK.replace("r.path", '"other.tf"'), "was not shown"),
        ("package other\n", "no check"),
    ],
)
def test_a_pack_that_breaks_its_form_is_refused(tmp_path: Path, view: Path, check: str, what: str) -> None:
    assert view.exists()
    with pytest.raises(InternalError, match=what):
        report(tmp_path, ("deep/a.tf", "terraform"), check=check)


def test_two_checks_of_one_id_are_refused() -> None:
    with pytest.raises(InternalError, match="two of one id"):
        Pack([("x.rego", CHECK.encode()), ("y.rego", CHECK.replace("infrastructure.x", "infrastructure.y").encode())])
