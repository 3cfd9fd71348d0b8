"""How often the crosswalk says rightly that two speak of one weakness, on a benchmark whose files are labelled.

Each file of it holds one weakness of a known kind. A result of bandit and the file's label are a true pair where the
result's rule looks for that kind; imports and rules that look for something else are none.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import pytest

from secgate.crosswalk import load_crosswalk
from secgate.scanners.reports import read_report

ROOT = Path(__file__).resolve().parents[2]
MEANT = {
    "cmdi": {"B602", "B603"},
    "codeinj": {"B102", "B307"},
    "deserialization": {"B301", "B506"},
    "hash": {"B324"},
    "sqli": {"B608"},
    "weakrand": {"B311"},
    "xxe": {"B313", "B314", "B315", "B316", "B317", "B318", "B319"},
}


class Pair(NamedTuple):
    is_true: bool
    is_joined: bool
    is_cwe_equal: bool


def pairs(data: Path) -> list[Pair]:
    """Compare each result with its file's label, as the crosswalk and as equal CWE numbers say."""
    files = [(ROOT / "rules" / name).read_bytes() for name in ("crosswalk.json", "severity.json")]
    table = load_crosswalk(*files)
    rows = csv.reader((data / "benchmark/expectedresults-odd.csv").read_text(encoding="utf-8").splitlines())
    labels = {row[0]: (row[1], int(row[3])) for row in rows if not row[0].startswith("#")}
    (run,) = read_report((data / "benchmark/bandit-1.8.6-odd.sarif").read_bytes(), name="bandit")
    found = []
    for one in run.results:
        kind, cwe = labels[Path(one.path).stem]
        mine = table.weakness(one.tool, one.rule, one.cwes, "")
        label = table.weakness("label", "", (cwe,), "")
        joined = mine == label or table.within.get(label) == mine
        found.append(Pair(one.rule in MEANT.get(kind, ()), joined, cwe in one.cwes))
    return found


def test_true_pairs_are_joined_and_no_others(shared_data: Path) -> None:
    found = pairs(shared_data)
    true = [pair for pair in found if pair.is_true]
    assert (len(true), len(found) - len(true)) == (179, 100)
    assert sum(pair.is_joined for pair in true) == 179
    assert not [pair for pair in found if pair.is_joined and not pair.is_true]


def test_equal_cwe_numbers_would_do_worse(shared_data: Path) -> None:
    found = pairs(shared_data)
    assert sum(pair.is_cwe_equal for pair in found if pair.is_true) == 79
    assert sum(pair.is_cwe_equal for pair in found if not pair.is_true) == 22
