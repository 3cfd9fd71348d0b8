"""The regression corpus of identity: each case states what stays, appears and vanishes."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from secgate.correlate import to_known
from tests.unit.identity_kit import crosswalk, findings_of, normalised, scans_of, target

_FILE = Path(__file__).parent.parent / "cases" / "identity" / "cases.toml"
_CASES = tomllib.loads(_FILE.read_text())["case"]


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case["name"])
def test_states(case: dict[str, Any]) -> None:
    tools = ("alpha", "beta")
    then_table, now_table = (crosswalk(**case.get(f"crosswalk_{time}", {})) for time in ("before", "after"))
    before = normalised(case["before"], scans_of(case["before"], tools), table=then_table)
    base = to_known(findings_of(before, table=then_table).findings)
    scans = scans_of(case["after"], case.get("tools_after", tools))
    done = normalised(case["after"], scans, table=now_table)
    now = findings_of(done, base=base, of=target(case.get("renames")), table=now_table)
    states = Counter(finding.state.value for finding in now.findings) + Counter(absent=len(now.absent))
    assert states == Counter(case["expect"])
