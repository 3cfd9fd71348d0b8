"""What we write, held against Microsoft's SARIF multitool: no error and no warning by its rules for SARIF and GitHub.

It is found through SECGATE_SARIF_MULTITOOL (the native program), the folder that `.ci/run` installs it in, a
`node_modules` of this repository, or PATH.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from secgate.model import Region, RunDocument, Severity
from secgate.reporters.sarif import SarifReporter
from tests.factories import finding, gap, lane_coverage, location, result, run_document
from tests.sample_runs import failing_run, inconclusive_run, large_run, policy_error_run

ROOT = Path(__file__).parents[3]
NATIVE = "@microsoft/sarif-multitool-linux/Sarif.Multitool"


def candidates() -> list[Path]:
    """Places of the native program; the script beside it hands its arguments to a shell, which `Sarif;Ghas` breaks."""
    named = os.environ.get("SECGATE_SARIF_MULTITOOL")
    found = [Path(named)] if named else []
    found += sorted(ROOT.glob(f".tools/sarif-multitool-*/node_modules/{NATIVE}"))
    found.append(ROOT / "node_modules" / NATIVE)
    script = shutil.which("sarif-multitool")
    if script:
        found.append(Path(script).resolve().parents[2] / NATIVE)
    return found


@pytest.fixture(scope="session")
def multitool() -> Path:
    """The program, or a skip where there is none."""
    for path in candidates():
        if os.access(path, os.X_OK):
            return path
    pytest.skip("no SARIF multitool: name it by SECGATE_SARIF_MULTITOOL, or let .ci/run install it")


def faults(multitool: Path, file: Path) -> list[str]:
    """Errors and warnings about one file. Nothing is taken for clean that was not looked at."""
    report = file.with_suffix(".report")
    subprocess.run(
        [multitool, "validate", file, "--rule-kind", "Sarif;Ghas", "--output", report, "--log", "ForceOverwrite"],
        env={"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1", "HOME": str(file.parent), "PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=300,
        check=True,
    )
    (run,) = json.loads(report.read_text(encoding="utf-8-sig"))["runs"]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"], invocation
    return [f"{one['ruleId']} {one.get('level', 'warning')}: {json.dumps(one['message'])}" for one in run["results"]]


def bare_run() -> RunDocument:
    """Results without a place, a line, a column, a CWE or a known weakness, of a tool that nobody started."""
    name = "a tool with many words in its name"
    seen = [
        result(name, rule="x/y", location=location("", 0), cwes=(), weakness="odd:x/y", message=""),
        result(name, rule="R2", location=location("a b#c.py", 0), cwes=tuple(range(1, 13))),
        result(name, rule="3", location=location(region=Region(start_line=3)), score=0.0, severity=Severity.INFO),
    ]
    return run_document(findings=(finding(witnesses=tuple(seen)),), invocations=())


def gaps_run() -> RunDocument:
    """Gaps of tools that ran and of none, and lines that GitHub knows."""
    gaps = (gap(tool=""), gap(tool="ghost", path=""), gap(tool="semgrep", reason="made-up"))
    coverage = run_document().coverage
    return run_document(
        coverage=type(coverage)(lanes=(lane_coverage(gaps=gaps),)),
        findings=(finding(),),
        line_hashes={location().path: {"42": "a1:1"}},
    )


def large() -> RunDocument:
    return large_run(50)


RUNS = [failing_run, inconclusive_run, policy_error_run, run_document, bare_run, gaps_run, large]


@pytest.mark.parametrize("make", RUNS, ids=lambda make: make.__name__)
def test_no_error_and_no_warning(multitool: Path, tmp_path: Path, make: Any) -> None:
    file = tmp_path / "run.sarif"
    file.write_bytes(SarifReporter().render(make(), width=80, colour=False))
    assert faults(multitool, file) == []


def test_a_fault_is_seen(multitool: Path, tmp_path: Path) -> None:
    sarif = SarifReporter().render(run_document(findings=(finding(),)), width=80, colour=False)
    file = tmp_path / "run.sarif"
    file.write_bytes(sarif.replace(b'"uri":"shop/views.py"', b'"uri":"shop/our views.py"'))
    assert any("SARIF1002" in fault for fault in faults(multitool, file))


def test_the_example_as_its_gate_wrote_it(multitool: Path, tmp_path: Path) -> None:
    written = ROOT / "out" / "example" / "run.sarif"
    if not written.is_file():
        pytest.skip("the example was not gated here: make gate")
    file = tmp_path / "run.sarif"
    file.write_bytes(written.read_bytes())
    assert faults(multitool, file) == []
