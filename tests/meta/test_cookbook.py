"""The cookbook's recipes load, pass their tests in every engine that is here, and are what the page shows."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
COOKBOOK = ROOT / "docs" / "cookbook"
SCRIPT: dict[str, Any] = runpy.run_path(str(ROOT / "docs" / "cookbook.py"))
RECIPES = sorted(path.stem for path in (COOKBOOK / "policies").glob("*.rego") if not path.stem.endswith("_test"))
BUCKETS = """resource "aws_s3_bucket" "logs" {
  bucket = "acme-logs"
}

resource "aws_s3_bucket" "site" {
  bucket = "acme-site"
  tags   = { owner = "web" }
}
"""


def secgate(*words: str, cwd: Path = ROOT) -> tuple[int, Any]:
    """Run a command that answers with JSON."""
    argv = [sys.executable, "-m", "secgate", *words, "--format", "json"]
    env = {**os.environ, "SECGATE_LEDGER_STORE": "none"}
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False, env=env)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_the_page_is_what_the_recipes_say(golden: Callable[[Path, str], None]) -> None:
    golden(SCRIPT["TARGET"], SCRIPT["page"]())


def test_there_are_twenty_and_each_is_on_the_page() -> None:
    assert len(RECIPES) == 20
    assert sorted(name for names in SCRIPT["GROUPS"].values() for name in names) == RECIPES


def test_every_file_of_data_is_asked_for() -> None:
    text = "".join((COOKBOOK / "policies" / f"{name}.rego").read_text(encoding="utf-8") for name in RECIPES)
    kept = {path.stem for path in (COOKBOOK / "data").glob("*.json")}
    assert kept == set(re.findall(r"\bdata\.([a-z_]+)", text)) - {"secgate"}


def test_the_recipes_together_have_no_fault() -> None:
    code, answer = secgate("policy", "lint", str(COOKBOOK))
    assert (code, answer["told"]["faults"]) == (0, [])


def test_every_recipe_is_shown_to_deny_to_allow_and_to_stop_at_its_boundary() -> None:
    engines = ["--engine=regorus", *(["--engine=opa-eval"] if shutil.which("opa") else [])]
    code, answer = secgate("policy", "test", str(COOKBOOK), *engines)
    told = answer["told"]
    assert [one for one in told["tests"] if not one["passed"]] == []
    assert [one for one in told["rules"] if not one["tested"]] == []
    assert code == 0
    kinds = defaultdict(set)
    for one in told["tests"]:
        package, _, name = one["name"].removeprefix("data.secgate.tests.").partition(".")
        kinds[package].add(name.split("_")[1])
    assert kinds == {name: {"denies", "allows", "boundary"} for name in RECIPES}


@pytest.mark.skipif(not shutil.which("opa"), reason="no opa on PATH")
def test_the_recipes_have_opas_form() -> None:
    done = subprocess.run(["opa", "fmt", "--list", str(COOKBOOK)], capture_output=True, text=True, check=True)
    assert done.stdout == ""


def test_a_run_judged_by_all_of_them_says_what_the_page_quotes(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(BUCKETS, encoding="utf-8")
    code, answer = secgate("run", "--offline", "--scanner=detect-secrets", f"--enforced={COOKBOOK}", cwd=tmp_path)
    assert code == 1
    run = answer["run"]
    assert SCRIPT["SAID"] in run["notes"]
    assert not any("bucket site" in note for note in run["notes"])
    said = {rule for verdict in run["decision"]["verdicts"] for rule in verdict["all_rules"]}
    assert "data.secgate.rules.no_gap_in_infrastructure" in said
