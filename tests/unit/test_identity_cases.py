"""The regression corpus of identity: each case states what stays, appears and vanishes."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from secgate.correlate import to_known
from secgate.events import FindingClosed, FindingOpened
from secgate.model import Finding
from secgate.twins import TwinWaiver, share_out, twin_group
from tests.ledger_support import EPOCH_S
from tests.unit.identity_kit import Scan, crosswalk, findings_of, normalised, scan_of, scans_of, target
from tests.unit.identity_life import Life

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


_LIVES = tomllib.loads((_FILE.parent / "lives.toml").read_text())["life"]
_DAY_S = 86400


def _looked(step: dict[str, Any], files: dict[str, str]) -> list[Scan]:
    """Let the made tools look as the step says."""
    called = step.get("called", {})
    scans = []
    for scan in scans_of(files, step["tools"]):
        found = [raw for raw in scan.readings[0].results if raw.rule not in step.get("blind", ())]
        found = [msgspec.structs.replace(raw, rule=called.get(raw.rule, raw.rule)) for raw in found]
        scans.append(scan_of(scan.invocation.scanner, found * (2 if step.get("twice") else 1)))
    return scans


def _standing(findings: Iterable[Finding], waivers: dict[TwinWaiver, str]) -> int:
    """Count the findings that a waiver counts for, and whose text is the one that was waived."""
    texts = {one.fingerprint: one.anchor for one in findings}
    bound = list(waivers.values())
    return sum(texts[name] == bound[at] for name, at in share_out(findings, list(waivers)).items())


@pytest.mark.parametrize("life", _LIVES, ids=lambda life: life["name"])
def test_lives(life: dict[str, Any], tmp_path: Path) -> None:
    line, waivers = Life(tmp_path), dict[TwinWaiver, str]()
    now: dict[str, Any] = {"tools": ["alpha", "beta"], "files": {}, "version": "1"}
    for day, step in enumerate(life["step"]):
        then, now = now, now | {"twice": False, "waive": False} | step
        other = {key for key in ("version", "blind", "tools") if now.get(key) != then.get(key)}
        done, receipt = line.see(
            now["files"],
            _looked(now, now["files"]),
            at_s=day * _DAY_S,
            table=crosswalk(**now.get("crosswalk", {})),
            version=now["version"],
            before=_looked(now, then["files"]) if day and other else None,
        )
        states = Counter(finding.state.value for finding in done.findings) + Counter(absent=len(done.absent))
        kinds = Counter(line.kinds(receipt))
        clocks = {one.fingerprint: one.first_seen_epoch_s for one in line.open()}
        days = sorted((clocks[one.fingerprint] - EPOCH_S) // _DAY_S for one in done.findings)
        counts = {"opened": kinds[FindingOpened], "closed": kinds[FindingClosed], "days": days}
        counts["waived"] = _standing(done.findings, waivers)
        told = {**states, **{name: value for name, value in counts.items() if value}}
        assert (day, told) == (day, step["expect"])
        if now["waive"]:
            waivers = {
                TwinWaiver(fingerprint=one.fingerprint, group=twin_group(one)): one.anchor for one in done.findings
            }
