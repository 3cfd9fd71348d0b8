"""Identity at scale: read, normalise, fingerprint, match and write made results, beside tools that do a part of it.

    python benchmarks/identity.py [RESULTS]... [--runs N] [--multitool PROGRAM] [--sarif-tools PROGRAM]

The made tree has 100 places a file, each seen by one of two tools and each tenth by both. The tree before it lacks
each twentieth weakness, and in each third file the two lines at the top that move everything down: so a twentieth is
new and nothing is gone. Every measure is a process of its own, so that its memory is its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from secgate import sarif
from secgate.correlate import correlate, to_known
from secgate.crosswalk import Crosswalk, Weakness
from secgate.escape import json_text
from secgate.fingerprint import Located
from secgate.model import (
    Coverage,
    Finding,
    Invocation,
    KnownFinding,
    Lane,
    Reading,
    RunDocument,
    ScanStatus,
    Scope,
    Source,
    Target,
    View,
)
from secgate.normalise import normalise

PLACES = 100
TABLE = Crosswalk(weaknesses={"code-injection": Weakness(title="Code injection", cwes=(95,))}, rules={}, ratings={})
TARGET = Target(root="/tree", kind="git", repository="made", scope=Scope.CHANGE, scope_basis="made")
PHASES = ("read", "normalise", "fingerprint", "match", "write")


class Scan:
    """One tool's part, as the scan stage gives it."""

    def __init__(self, run: sarif.ForeignRun) -> None:
        self.invocation = Invocation(
            scanner=run.tool, lane=Lane.SAST, tool=None, status=ScanStatus.COMPLETED, rules=run.rules
        )
        self.readings = (Reading(status=ScanStatus.COMPLETED, rules=run.rules, results=run.results),)


class Cost(NamedTuple):
    """Wall and processor time in seconds, peak memory in MB."""

    wall_s: float
    cpu_s: float
    peak_mb: float = 0.0


def file_of(number: int, *, old: bool) -> tuple[str, list[str], list[tuple[int, int]]]:
    """Give path and lines of a module, and (place, line) of its weaknesses."""
    lines = [] if old and number % 3 == 0 else ['"""Made."""', ""]
    places = []
    for at in range(PLACES):
        clean = old and at % 20 == 7
        body = f"    return g(x + 'a{at}', {{}})" if clean else f"    return eval(x + 'a{at}', {{}})  # why"
        lines += [f"def f{at}(x):", f"    y = g(x, {at})", body, ""]
        if not clean:
            places.append((at, len(lines) - 1))
    return f"pkg{number % 50}/module{number}.py", lines, places


def files_of(count: int, *, old: bool) -> list[tuple[str, list[str], list[tuple[int, int]]]]:
    """Give the modules of a tree with about `count` results."""
    return [file_of(number, old=old) for number in range(max(round(count / (1.1 * PLACES)), 1))]


def made(count: int, *, old: bool) -> bytes:
    """Give the SARIF that two tools could have written of the tree; neither gives fingerprints."""
    found: dict[str, list[dict[str, Any]]] = {"one": [], "two": []}
    for path, lines, places in files_of(count, old=old):
        for at, line in places:
            for tool, results in found.items():
                if at % 10 == 0 or (at % 2 == 0) == (tool == "one"):
                    region = {"startLine": line, "startColumn": 12, "endLine": line, "endColumn": 30}
                    snippet = {"snippet": {"text": lines[line - 1][11:29]}}
                    place = {"artifactLocation": {"uri": path}, "region": region | snippet}
                    message = {"text": f"use of eval in f{at} of {path}"}
                    location = {"physicalLocation": place}
                    rule = {"ruleId": f"{tool}-eval", "ruleIndex": 0, "level": "error"}
                    results.append(rule | {"message": message, "locations": [location]})
    tags = {"tags": ["security", "external/cwe/cwe-095"]}
    runs = [
        {
            "tool": {"driver": {"name": tool, "rules": [{"id": f"{tool}-eval", "properties": tags}]}},
            "columnKind": "utf16CodeUnits",
            "results": results,
        }
        for tool, results in found.items()
    ]
    return msgspec.json.encode({"$schema": sarif.SCHEMA, "version": "2.1.0", "runs": runs})


def located_of(scans: Sequence[Scan], count: int, *, old: bool) -> tuple[Located, ...]:
    """Normalise results on their tree."""
    texts = {path: "\n".join(lines).encode() for path, lines, _ in files_of(count, old=old)}
    view = View(root="/view", source=Source.WORK_TREE, digests=dict.fromkeys(texts, "0" * 64))
    return normalise(
        scans,
        view=view,
        read=texts.__getitem__,
        kinds=lambda _path: ("python",),
        crosswalk=TABLE,
        scores=lambda _names: None,
    ).located


def findings_of(located: Sequence[Located], base: Sequence[KnownFinding] | None) -> tuple[Finding, ...]:
    """Make findings, compared with `base`."""
    return correlate(
        located, target=TARGET, crosswalk=TABLE, base=base, history=None, comparable=lambda _known: True
    ).findings


def document_of(scans: Sequence[Scan], findings: tuple[Finding, ...]) -> RunDocument:
    """Give a run document that holds the findings and little else."""
    return RunDocument(
        run_id="made",
        secgate_version="0",
        target=TARGET,
        invocations=tuple(scan.invocation for scan in scans),
        coverage=Coverage(lanes=()),
        findings=findings,
        decision=None,
    )


def remember(count: int, folder: Path) -> None:
    """The tree before: keep what a ledger would of it, and both inputs for the other tools."""
    (folder / "old.sarif").write_bytes(made(count, old=True))
    (folder / "new.sarif").write_bytes(made(count, old=False))
    scans = [Scan(run) for run in sarif.read((folder / "old.sarif").read_bytes(), name="old")]
    known = to_known(findings_of(located_of(scans, count, old=True), None))
    (folder / "known.json").write_bytes(msgspec.json.encode(known))


def measure(count: int, folder: Path) -> None:
    """The tree now, phase by phase; print what each took, and what came out."""
    data = (folder / "new.sarif").read_bytes()
    known = msgspec.json.decode((folder / "known.json").read_bytes(), type=tuple[KnownFinding, ...])
    spent: dict[str, tuple[float, float]] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        wall, cpu = time.monotonic(), time.process_time()
        done = work()
        spent[name] = time.monotonic() - wall, time.process_time() - cpu
        return done

    scans = timed("read", lambda: [Scan(run) for run in sarif.read(data, name="new")])
    located = timed("normalise", lambda: located_of(scans, count, old=False))
    timed("fingerprint", lambda: findings_of(located, None))
    # Findings are made again beside being matched; what making them took is taken off.
    findings = timed("match", lambda: findings_of(located, known))
    spent["match"] = (
        max(spent["match"][0] - spent["fingerprint"][0], 0.0),
        max(spent["match"][1] - spent["fingerprint"][1], 0.0),
    )
    document = document_of(scans, findings)
    written = timed("write", lambda: json_text(sarif.write(document, limits=None).data))
    new = sum(one.state == "new" for one in findings)
    lost = len(known) - (len(findings) - new)
    print(
        json.dumps(
            {
                "results": len(located),
                "findings": len(findings),
                "known": len(known),
                "new": new,
                "lost": lost,
                "bytes": len(written),
                "spent": spent,
            }
        )
    )


def cost(argv: Sequence[str | Path], cwd: Path) -> tuple[Cost, str]:
    """Run a program and give what it took and wrote. Ends the benchmark where it fails."""
    out = cwd / "stdout"
    begun = time.monotonic()
    with out.open("wb") as stream:
        child = subprocess.Popen([str(part) for part in argv], cwd=cwd, stdout=stream, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    took = time.monotonic() - begun
    text = out.read_text(encoding="utf-8", errors="replace")
    if child.returncode != 0:
        raise SystemExit(f"{argv[0]} ended with {child.returncode}: {text[-400:]}")
    return Cost(took, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024), text


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each figure by itself."""
    return Cost(*(statistics.median(values) for values in zip(*costs, strict=True)))


def states(file: Path) -> dict[str, int]:
    """Count the states that another tool gave."""
    counts: dict[str, int] = {}
    for run in json.loads(file.read_bytes())["runs"]:
        for result in run.get("results", []):
            state = result.get("baselineState", "none")
            counts[state] = counts.get(state, 0) + 1
    return dict(sorted(counts.items()))


def others(folder: Path, options: argparse.Namespace) -> list[tuple[str, list[Cost], str]]:
    """Run the other tools on the same two files."""
    found = []
    if options.multitool:
        tool = options.multitool
        match = [
            "match-results-forward",
            "new.sarif",
            "-r",
            "old.sarif",
            "-o",
            "matched.sarif",
            "--log",
            "ForceOverwrite",
        ]
        merge = [
            "merge",
            "old.sarif",
            "new.sarif",
            "--output-file",
            "merged.sarif",
            "-o",
            ".",
            "--log",
            "ForceOverwrite",
        ]
        costs = [cost([tool, *match], folder)[0] for _ in range(options.runs)]
        found.append(("multitool match-results-forward", costs, f"{states(folder / 'matched.sarif')}"))
        found.append(("multitool merge", [cost([tool, *merge], folder)[0] for _ in range(options.runs)], ""))
    if options.sarif_tools:
        diff = [options.sarif_tools, "diff", "old.sarif", "new.sarif", "-o", "diff.json"]
        found.append(("sarif-tools diff", [cost(diff, folder)[0] for _ in range(options.runs)], ""))
    return found


def report(count: int, options: argparse.Namespace) -> None:
    """Measure one size and print its rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own: list[str | Path] = [sys.executable, Path(__file__).resolve()]
        cost([*own, "--child", "remember", str(count)], folder)
        done = [cost([*own, "--child", "measure", str(count)], folder) for _ in range(options.runs)]
        told = [json.loads(text.splitlines()[-1]) for _, text in done]
        first = told[0]
        spent = {
            phase: Cost(*(statistics.median(one["spent"][phase][at] for one in told) for at in (0, 1)))
            for phase in PHASES
        }
        peak = statistics.median(one.peak_mb for one, _ in done)
        print(f"\n{first['results']} results, {first['findings']} findings against {first['known']} known: ", end="")
        print(f"{first['new']} new, {first['lost']} lost; {first['bytes'] / 1e6:.1f} MB written\n", flush=True)
        print("| | wall s | processor s | peak MB | us a result |\n|---|---|---|---|---|")
        for phase, one in spent.items():
            print(f"| {phase} | {one.wall_s:.2f} | {one.cpu_s:.2f} | | {one.cpu_s / first['results'] * 1e6:.1f} |")
        whole = Cost(sum(one.wall_s for one in spent.values()), sum(one.cpu_s for one in spent.values()), peak)
        rows = [("all of secgate", whole, "")]
        rows += [(title, median(costs), note) for title, costs, note in others(folder, options)]
        for title, one, note in rows:
            each = one.cpu_s / first["results"] * 1e6
            print(f"| {title} | {one.wall_s:.2f} | {one.cpu_s:.2f} | {one.peak_mb:.0f} | {each:.1f} | {note}".rstrip())
        ratios = [f"{title} {one.cpu_s / whole.cpu_s:.1f}" for title, one, _ in rows[1:]]
        if ratios:
            print(f"\nprocessor time as a multiple of all of secgate: {', '.join(ratios)}")


def main() -> None:
    """Measure the sizes that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000], metavar="RESULTS")
    parser.add_argument("--runs", type=int, default=3, help="times that each is measured; medians are given")
    parser.add_argument("--multitool", default="", help="the SARIF multitool's native program")
    parser.add_argument("--sarif-tools", default="", help="the `sarif` command of sarif-tools")
    parser.add_argument("--child", choices=("remember", "measure"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        {"remember": remember, "measure": measure}[options.child](options.sizes[0], Path.cwd())
        return
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores", flush=True)
    for size in options.sizes:
        report(size, options)


if __name__ == "__main__":
    main()
