"""The table of the bundled example is true: code scanners report each weakness at its line and no clean twin."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHOP = ROOT / "tests" / "cases" / "shop"
ROW = re.compile(r"\| ([a-z]+) \| ([^|]+) \| `([^`]+):(\d+)` \| `([^`]+):(\d+)` \| ([^|]+) \|")
ROWS = [match.groups() for match in map(ROW.match, (SHOP / "README.md").read_text("utf-8").splitlines()) if match]
CODE = [(tool, row) for row in ROWS for tool in row[6].split(", ") if tool in {"semgrep", "bandit"}]


def run(tool: str, arguments: Sequence[str], folder: Path) -> Any:
    """Run a tool that is installed beside this Python, or on PATH, and return the JSON it prints."""
    beside = Path(sys.executable).parent / tool
    found = str(beside) if beside.exists() else shutil.which(tool)
    assert found, f"{tool} is not installed beside this Python nor on PATH"
    argv = [found, *arguments, "."]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    return json.loads(done.stdout)


@cache
def lines(tool: str) -> frozenset[tuple[str, int]]:
    """Return path and line of each result of at least medium severity, or of a token made by `random`."""
    # A copy, since semgrep leaves out folders called `tests` of its own accord.
    with TemporaryDirectory() as name:
        folder = Path(name) / "shop"
        shutil.copytree(SHOP / "tree", folder)
        if tool == "bandit":
            results = run("bandit", ["-q", "-f", "json", "-r"], folder)["results"]
            kept = [r for r in results if r["issue_severity"] != "LOW" or r["test_id"] == "B311"]
            return frozenset((r["filename"].removeprefix("./"), r["line_number"]) for r in kept)
        packs = [part for pack in ("python", "javascript") for part in ("--config", str(ROOT / "rules/semgrep" / pack))]
        fixed = ["scan", "--experimental", "--metrics=off", "--disable-version-check", "--no-git-ignore", "--json"]
        results = run("semgrep", [*fixed, *packs], folder)["results"]
        return frozenset((r["path"].removeprefix("./"), r["start"]["line"]) for r in results)


@pytest.mark.parametrize(("tool", "row"), CODE)
def test_weakness_is_reported_at_its_line(tool: str, row: tuple[str, ...]) -> None:
    assert (row[2], int(row[3])) in lines(tool)


@pytest.mark.parametrize(("tool", "row"), CODE)
def test_clean_twin_is_not_reported(tool: str, row: tuple[str, ...]) -> None:
    assert (row[4], int(row[5])) not in lines(tool)


@pytest.mark.parametrize("tool", ["semgrep", "bandit"])
def test_code_scanners_report_no_line_outside_the_table(tool: str) -> None:
    assert lines(tool) <= {(row[2], int(row[3])) for row in ROWS}


def test_every_lane_has_a_weakness() -> None:
    assert {row[0] for row in ROWS} == {"sast", "dependencies", "iac", "secrets", "workflows"}


def test_every_row_names_lines_that_differ() -> None:
    tree = SHOP / "tree"
    for row in ROWS:
        first, twin = ((tree / row[at]).read_text("utf-8").splitlines()[int(row[at + 1]) - 1] for at in (2, 4))
        assert first.strip() != twin.strip()
        assert first.strip()
        assert twin.strip()


def test_the_made_package_is_pinned_below_its_fix() -> None:
    advisory = json.loads((SHOP / "advisories" / "MADE-2026-0001.json").read_text("utf-8"))
    (affected,) = advisory["affected"]
    pins = dict(row.split("==") for row in (SHOP / "tree/requirements.txt").read_text("utf-8").split() if "==" in row)
    assert pins[affected["package"]["name"]] in affected["versions"]
