"""Identity at scale: read, normalise, fingerprint, match and write made results, beside tools that do a part of it.

    python benchmarks/identity.py [RESULTS]... [--shape SHAPE]... [--runs N]

Each place of a made tree is seen by one of two tools, each tenth by both. The tree before it lacks each twentieth
weakness, and in each third file the two lines at the top that move everything down: so a twentieth is new and nothing
is gone. Every measure is a process of its own, so that its memory is its own. The first
shape is measured in all sizes and beside the other tools, to which a file's shape is all one; the others in the
largest. The multitool is the program that SECGATE_SARIF_MULTITOOL
names; sarif-tools is put into an environment that is thrown away, unless its `sarif` command is given.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from secgate import sarif
from secgate.cli import COLLECT_AFTER
from secgate.correlate import correlate, to_known
from secgate.crosswalk import Crosswalk, Weakness
from secgate.escape import json_text
from secgate.executors.local import LocalExecutor
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
from secgate.places.apart import Apart

TOOLS = ("one", "two")
_NAMES = ("Request", "Größe", "Réponse")


class Shape(NamedTuple):
    """How a tree is made: weaknesses a file; whether they nest, with texts beyond ASCII; whether there are files."""

    places: int
    varied: bool
    has_text: bool
    about: str


SHAPES = {
    "modules": Shape(100, varied=False, has_text=True, about="100 places a file, one function each"),
    "large": Shape(5_000, varied=True, has_text=True, about="5,000 places a file, in methods, some beyond ASCII"),
    "small": Shape(2, varied=True, has_text=True, about="2 places a file"),
    "foreign": Shape(100, varied=False, has_text=False, about="100 places a file, no files"),
}

TABLE = Crosswalk(weaknesses={"code-injection": Weakness(title="Code injection", cwes=(95,))}, rules={}, ratings={})
TARGET = Target(root="/tree", kind="git", repository="made", scope=Scope.CHANGE, scope_basis="made")
SARIF_TOOLS = "sarif-tools==3.0.5"
ALL_OF_IT = "all of secgate"
PHASES = ("recall", "read", "normalise", "fingerprint", "match", "write")


class MadeFile(NamedTuple):
    """A file with its text and where its weaknesses are, each as (number, line, first column, last column)."""

    path: str
    lines: list[str]
    places: list[tuple[int, int, int, int]]


def made_files(shape: Shape, count: int, *, old: bool) -> Iterator[MadeFile]:
    """Give the files of a tree with about `count` results."""
    for number in range(max(round(count / (1.1 * shape.places)), 1)):
        yield _made_file(shape, number, old=old)


def _made_file(shape: Shape, number: int, *, old: bool) -> MadeFile:
    lines = [] if old and number % 3 == 0 else ['"""Made."""', ""]
    places = []
    # The count goes on from file to file, so that small ones have clean places and places of both tools too.
    for at in range(number * shape.places, (number + 1) * shape.places):
        clean = old and at % 20 == 7
        name = "g" if clean else "eval"
        if shape.varied:
            kind = _NAMES[at % 3]
            before = [] if at % 10 and at > number * shape.places else [f"class {kind}{at}:", f'    """{kind}."""', ""]
            head = [f"    def f{at}(self, x):", f"        if x is not '{kind}':", f"            y = g(x, {at})"]
            call, indent = f"{name}(f'{kind}' + x['a{at}'],\n", 12
            lines += [
                *before,
                *head,
                f"            return {call.rstrip()}",
                f"                {{'{kind}': y}})  # why",
                "",
            ]
            line = len(lines) - 2
        else:
            call, indent = f"{name}(x + 'a{at}', {{}})", 4
            lines += [f"def f{at}(x):", f"    y = g(x, {at})", f"    return {call}  # why", ""]
            line = len(lines) - 1
        if not clean:
            places.append((at, line, indent + 8, indent + 8 + len(call.rstrip())))
    return MadeFile(f"pkg{number % 50}/module{number}.py", lines, places)


def write_tree(shape: Shape, count: int, root: Path, *, old: bool) -> None:
    """Write the files of a tree below `root`, where the shape has any."""
    for one in made_files(shape, count, old=old) if shape.has_text else ():
        file = root / one.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(one.lines), encoding="utf-8")


def made_sarif(shape: Shape, count: int, *, old: bool) -> bytes:
    """Give the SARIF that the two tools could have written of the tree; neither gives fingerprints."""
    found: dict[str, list[dict[str, Any]]] = {tool: [] for tool in TOOLS}
    for path, lines, places in made_files(shape, count, old=old):
        for at, line, start, end in places:
            for tool, results in found.items():
                if at % 10 == 0 or (at % 2 == 0) == (tool == TOOLS[0]):
                    region = {"startLine": line, "startColumn": start, "endLine": line, "endColumn": end}
                    snippet = {"snippet": {"text": lines[line - 1][start - 1 : end - 1]}}
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


def view_of(root: Path) -> View:
    """Give a view of the tree at `root`, which may have no files."""
    paths = [str(one.relative_to(root)) for one in root.rglob("*.py")]
    return View(root=str(root), source=Source.WORK_TREE, digests=dict.fromkeys(paths, "0" * 64))


def bytes_of(view: View, path: str) -> bytes:
    """Read a file as a run does."""
    with FileIO(f"{view.root}/{path}") as file:
        return file.readall()


def located_of(scans: Sequence[Scan], view: View, apart: Apart | None = None) -> tuple[Located, ...]:
    """Normalise results on a view."""
    return normalise(
        scans,
        view=view,
        read=lambda path: bytes_of(view, path),
        kinds=lambda _path: ("python",),
        crosswalk=TABLE,
        scores=lambda _names: None,
        keep_outside=not view.digests,
        apart=apart,
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


def remember(shape: Shape, count: int, folder: Path) -> None:
    """Write both trees and what was said of them, and keep what a ledger would of the one before."""
    for name in ("old", "new"):
        old = name == "old"
        (folder / name).mkdir()
        write_tree(shape, count, folder / name, old=old)
        (folder / f"{name}.sarif").write_bytes(made_sarif(shape, count, old=old))
    scans = [Scan(run) for run in sarif.read((folder / "old.sarif").read_bytes(), name="old")]
    known = to_known(findings_of(located_of(scans, view_of(folder / "old")), None))
    (folder / "known.json").write_bytes(msgspec.json.encode(known))


def known_in(file: Path) -> tuple[KnownFinding, ...]:
    """Give what was known of the tree before."""
    return msgspec.json.decode(file.read_bytes(), type=tuple[KnownFinding, ...])


def processor_s() -> float:
    """Give what this process and its children have used."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def measure(folder: Path) -> None:
    """The tree now, phase by phase; print what each took, and what came out."""
    gc.set_threshold(COLLECT_AFTER)  # as the command line does
    data = (folder / "new.sarif").read_bytes()
    spent: dict[str, tuple[float, float]] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        wall, cpu = time.monotonic(), processor_s()
        done = work()
        spent[name] = time.monotonic() - wall, processor_s() - cpu
        return done

    known = timed("recall", lambda: known_in(folder / "known.json"))
    scans = timed("read", lambda: [Scan(run) for run in sarif.read(data, name="new")])
    view = view_of(folder / "new")
    with tempfile.TemporaryDirectory() as scratch:
        runner = LocalExecutor(environment=os.environ, python=sys.executable, parallel=2, scratch=scratch)
        apart = Apart(runner=runner, python=sys.executable, directory=scratch)
        located = timed("normalise", lambda: located_of(scans, view, apart))
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


def sarif_tools_in(folder: Path) -> Path:
    """Give the `sarif` command of the version that is measured, in a new environment."""
    venv.create(folder, with_pip=True)
    pip = ("-m", "pip", "--quiet", "--disable-pip-version-check")
    subprocess.run([folder / "bin" / "python", *pip, "install", SARIF_TOOLS], check=True, timeout=600)
    return folder / "bin" / "sarif"


def others(folder: Path, options: argparse.Namespace) -> Iterator[tuple[str, list[Cost], str]]:
    """Run the other tools on the same two files: what they do is a part of what secgate does."""
    forced = ("--log", "ForceOverwrite")
    calls: list[tuple[str, list[str], str]] = []
    if options.multitool:
        match = ["match-results-forward", "new.sarif", "-r", "old.sarif", "-o", "matched.sarif", *forced]
        merge = ["merge", "old.sarif", "new.sarif", "--output-file", "merged.sarif", "-o", ".", *forced]
        calls.append(("multitool match-results-forward", [options.multitool, *match], "matched.sarif"))
        calls.append(("multitool merge", [options.multitool, *merge], ""))
    if options.sarif_tools:
        diff = ["diff", "old.sarif", "new.sarif", "-o", "diff.json"]
        calls.append(("sarif-tools diff", [options.sarif_tools, *diff], ""))
    for title, argv, made in calls:
        costs = [cost(argv, folder)[0] for _ in range(options.other_runs)]
        yield title, costs, f"{states(folder / made)}" if made else ""


def report(name: str, count: int, options: argparse.Namespace, *, beside: bool) -> tuple[int, dict[str, Cost]]:
    """Measure one tree and print its rows; give the number of its results and what each part took."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        own: list[str | Path] = [sys.executable, Path(__file__).resolve(), str(count), "--shape", name, "--child"]
        cost([*own, "remember"], folder)
        done = [cost([*own, "measure"], folder) for _ in range(options.runs)]
        told = [json.loads(text.splitlines()[-1]) for _, text in done]
        first = told[0]
        spent = {
            phase: Cost(*(statistics.median(one["spent"][phase][at] for one in told) for at in (0, 1)))
            for phase in PHASES
        }
        made = [spent[phase] for phase in ("read", "normalise", "fingerprint")]
        spent[ALL_OF_IT] = Cost(
            sum(one.wall_s for one in spent.values()),
            sum(one.cpu_s for one in spent.values()),
            statistics.median(one.peak_mb for one, _ in done),
        )
        print(f"\n{name}, {first['results']} results: {SHAPES[name].about}; {first['findings']} findings, ", end="")
        print(
            f"{first['known']} known, {first['new']} new, {first['lost']} lost; {first['bytes'] / 1e6:.1f} MB written\n"
        )
        print("| | wall s | processor s | peak MB | processor, of all of secgate | |\n|---|---|---|---|---|---|")
        for phase in PHASES:
            print(f"| {phase} | {spent[phase].wall_s:.2f} | {spent[phase].cpu_s:.2f} | | | |")
        print(f"| read, normalise and fingerprint | {sum(one.wall_s for one in made):.2f} | ", end="")
        print(f"{sum(one.cpu_s for one in made):.2f} | | | |")
        notes = {ALL_OF_IT: ""}
        for title, costs, note in others(folder, options) if beside else ():
            spent[title], notes[title] = median(costs), note
        for title, note in notes.items():
            one, ratio = spent[title], spent[title].cpu_s / spent[ALL_OF_IT].cpu_s
            figures = f"{one.wall_s:.2f} | {one.cpu_s:.2f} | {one.peak_mb:.0f} | {ratio:.2f}"
            print(f"| {title} | {figures} | {note} |", flush=True)
        return first["results"], spent


def growth(rows: Sequence[tuple[int, dict[str, Cost]]]) -> None:
    """Print what a thousand results take in each size: the same in all of them where the growth is linear."""
    counts = " | ".join(str(count) for count, _ in rows)
    print(f"\nprocessor seconds for each 1,000 results\n\n| results | {counts} |\n|---|{'---|' * len(rows)}")
    for title in rows[0][1]:
        each = (f"{spent[title].cpu_s / count * 1000:.3f}" for count, spent in rows)
        print(f"| {title} | {' | '.join(each)} |")


def main() -> None:
    """Measure the sizes and shapes that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000], metavar="RESULTS")
    parser.add_argument("--shape", action="append", choices=SHAPES, default=[], help="default: all")
    parser.add_argument("--runs", type=int, default=3, help="times that each is measured; medians are given")
    parser.add_argument("--other-runs", type=int, default=1, help="the same for the other tools, which may take long")
    parser.add_argument("--multitool", default=os.environ.get("SECGATE_SARIF_MULTITOOL", ""), help='"" for none')
    parser.add_argument("--sarif-tools", default=None, help='the `sarif` command; "" for none')
    parser.add_argument("--child", choices=("remember", "measure"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = options.shape or list(SHAPES)
    if options.child == "remember":
        return remember(SHAPES[names[0]], options.sizes[0], Path.cwd())
    if options.child == "measure":
        return measure(Path.cwd())
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, ", end="")
    with tempfile.TemporaryDirectory() as environment:
        if options.sarif_tools is None:
            options.sarif_tools = str(sarif_tools_in(Path(environment)))
        load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
        print(f"{SARIF_TOOLS}; load before: {load}", flush=True)
        rows = [report(names[0], size, options, beside=True) for size in options.sizes]
        if len(rows) > 1:
            growth(rows)
        for name in names[1:]:
            report(name, max(options.sizes), options, beside=False)
    return None


if __name__ == "__main__":
    main()
