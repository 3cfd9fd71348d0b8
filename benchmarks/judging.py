"""Judging at scale: made findings under the shipped and an organisation's layer, with `regorus` and with OPA itself.

    python benchmarks/judging.py [FINDINGS]... [--engines regorus,opa-itself,opa-eval,opa] [--runs N]

The findings are made from a seed, the same on every machine: all severities, lanes and states, a tenth of them with
duties that the ledger holds already, 500 under a waiver. The organisation's layer adds duties, exempts, denies by data
of its own, and sets limits. Every measure is a process of its own, so that its memory is its own; it holds what a run
does between the findings and the decision: stating the facts, asking each engine, checking and joining the answers.

`opa-itself` is `opa eval` on the same documents, each layer's whole; of it the table names what its own metrics say
that evaluating took, by the clock, reading the documents left out. Of every engine in processes of its own it names
their processor time. `opa-eval` and `opa` are secgate with those engines; what a server does is in the wall time alone.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import random
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from secgate import config, registry
from secgate.cli import COLLECT_AFTER
from secgate.config import EngineSettings
from secgate.judge import JudgeRequest, judge
from secgate.model import (
    Confidence,
    Coverage,
    Finding,
    Lane,
    LaneCoverage,
    Location,
    Obligation,
    Package,
    Region,
    Scope,
    Severity,
    State,
    Target,
)
from secgate.policy import WaiverFacts
from secgate.policy.evaluation import QUERY
from secgate.policy.facts import JoinedFacts
from secgate.ports import Answer, PolicyModule
from secgate.preparation import Silence, guarded_reader, policy_layers, workshop

SEED = 20261126
WAIVERS = 500
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
DAY = 86400
HEADS = (
    "findings",
    "scope",
    "engine",
    "wall",
    "processor",
    "of the engine",
    "OPA's timer",
    "peak, own + children",
    "denied",
)
LANES = (Lane.SAST, Lane.SECRETS, Lane.DEPENDENCIES, Lane.IAC, Lane.WORKFLOWS)

ORGANISATION = {
    "policies/exposed.rego": """package secgate.rules.exposed

obligations contains duty if {
	input.run.scope == "protected"
	some f in input.findings
	f.lane == "workflows"
	f.first_seen_known
	start := f.first_seen_epoch_s
	limit := data.frozen.exposed_s
	duty := {"finding": f.fingerprint, "basis": "exposed:workflow", "start_epoch_s": start, "limit_s": limit}
}
""",
    "policies/freeze.rego": """package secgate.rules.freeze

deny contains {"finding": f.fingerprint, "reason": "billing is frozen: nothing new, whatever its severity"} if {
	input.evaluated_at_epoch_s < data.frozen.until_epoch_s
	some f in input.findings
	f.state == "new"
	some path in data.frozen.paths
	startswith(f.path, path)
}
""",
    "policies/samples.rego": """package secgate.rules.samples

exempt contains {"finding": f.fingerprint, "reason": "sample data, reviewed", "expires_epoch_s": 1830297600} if {
	some f in input.findings
	f.weakness == "insecure-random"
	startswith(f.path, "samples/")
}

warn contains {"finding": f.fingerprint, "reason": "nobody owns this file", "remedy": "add it to CODEOWNERS"} if {
	some f in input.findings
	f.owner == ""
	f.severity == "critical"
}
""",
    "data/frozen.json": json.dumps(
        {"frozen": {"paths": ["billing/"], "until_epoch_s": NOW_S + DAY, "exposed_s": 14 * DAY}}
    ),
    "data/limits.json": json.dumps(
        {
            "limits": {
                "version": 1,
                "severity_s": {"critical": DAY // 2, "high": 3 * DAY, "medium": 30 * DAY, "low": 90 * DAY},
                "new_denied": ["critical", "high", "medium"],
            }
        }
    ),
}


class Measure(NamedTuple):
    """Wall and processor time in seconds (children's too), peaks of this process and of all children at once, in MB."""

    wall_s: float
    cpu_s: float
    own_mb: float
    child_mb: float
    denied: int
    engine_s: float
    """Processor time of the engine's own processes."""
    own_s: float
    """What OPA's own metrics say that evaluating took, 0 for other engines."""


class Watch(threading.Thread):
    """Looks every few hundredths of a second at what the children of this process hold in memory, all at once.

    What the system says of ended children will not do: it counts what their parent held when they were started.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_mb = 0.0
        self.over = threading.Event()

    def run(self) -> None:
        """Look until it is over."""
        while not self.over.wait(0.03):
            self.peak_mb = max(self.peak_mb, sum(map(_resident_mb, _children())))


def _children() -> list[str]:
    found: list[str] = []
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):
            found += (task / "children").read_text().split()
    return found


def _resident_mb(process: str) -> float:
    try:
        # A child that has not yet become another program shares its parent's memory.
        if Path(f"/proc/{process}/cmdline").read_bytes() == Path("/proc/self/cmdline").read_bytes():
            return 0.0
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * resource.getpagesize() / 1e6
    except OSError:
        return 0.0


class OpaItself:
    """An engine that asks `opa eval` and keeps what it says of its own time."""

    name = "opa-itself"
    version = ""

    def __init__(self) -> None:
        self.own_s = 0.0

    def evaluate(
        self, modules: Sequence[PolicyModule], *, data: bytes, document: bytes, query: str, limit_s: float
    ) -> Answer:
        """See Engine."""
        with tempfile.TemporaryDirectory() as folder:
            argv = [str(shutil.which("opa")), "eval", "--metrics", "--format=json", "--input", f"{folder}/input.json"]
            for number, module in enumerate(modules):
                Path(folder, f"{number}.rego").write_text(module.text, encoding="utf-8")
                argv += ["--data", f"{folder}/{number}.rego"]
            Path(folder, "data.json").write_bytes(data)
            Path(folder, "input.json").write_bytes(document)
            argv += ["--data", f"{folder}/data.json", query]
            done = subprocess.run(argv, capture_output=True, check=True, timeout=limit_s)
        answer = json.loads(done.stdout)
        if query == QUERY:
            self.own_s += answer["metrics"]["timer_rego_query_eval_ns"] / 1e9
        return Answer(value=json.dumps(answer["result"][0]["expressions"][0]["value"]).encode())


def made(count: int) -> tuple[tuple[Finding, ...], dict[str, JoinedFacts]]:
    """Give `count` findings and what is joined to them."""
    chance = random.Random(SEED)  # noqa: S311 - made data, the same every time
    findings = tuple(_finding(number, chance) for number in range(count))
    waived = set(chance.sample(range(count), min(WAIVERS, count // 2)))
    waiver = WaiverFacts(
        state="active", kind="accept", id="w", requester="ann", approver="bob", expires_epoch_s=NOW_S + 30 * DAY
    )
    joined = {findings[number].fingerprint: JoinedFacts(waiver=waiver) for number in sorted(waived)}
    return findings, joined


def _finding(number: int, chance: random.Random) -> Finding:
    lane = chance.choice(LANES)
    severity = chance.choices(list(Severity), weights=[1, 4, 8, 6, 2])[0]
    fingerprint = f"{chance.getrandbits(256):064x}"
    seen = NOW_S - chance.randrange(0, 100 * DAY)
    basis = f"severity:{severity}"
    duty = Obligation(finding=fingerprint, basis=basis, start_epoch_s=seen, limit_s=30 * DAY, policy_digest="")
    package = None
    if lane is Lane.DEPENDENCIES:
        name = f"package-{number % 700}"
        package = Package(
            ecosystem="PyPI", name=name, version="1.2.3", manifest="requirements.txt", fixed_versions=("1.2.4",)
        )
    return Finding(
        fingerprint=fingerprint,
        lane=lane,
        weakness=chance.choice(("sql-injection", "insecure-random", "weak-hash", "code-injection")),
        title="made",
        severity=severity,
        score=5.0,
        severity_basis="tool",
        confidence=chance.choice(list(Confidence)),
        location=Location(
            path=f"{chance.choice(('billing', 'shop', 'samples'))}/module_{number % 5000}.py",
            region=Region(start_line=1 + number % 400),
        ),
        symbol=f"function_{number % 90}",
        witnesses=(),
        package=package,
        state=chance.choice((State.NEW, State.UNCHANGED, State.UNCHANGED)),
        first_seen_epoch_s=seen,
        owner="@team" if number % 3 else "",
        obligations=(duty,) if severity is not Severity.INFO and number % 10 == 0 else (),
    )


def measure(count: int, scope: Scope, settings: EngineSettings) -> Measure:
    """Judge `count` made findings once, in this process."""
    machine = config.this_machine(config.process_environment())
    findings, joined = made(count)
    lanes = tuple(
        LaneCoverage(
            lane=lane, asked=True, needed=True, offered=9, covered=9, failed=0, unsupported=0, tools_ran=("tool",)
        )
        for lane in Lane
    )
    with workshop(machine, now=NOW, observer=Silence()) as shop:
        opa = OpaItself()
        engine, guarded = (
            (opa, opa)
            if settings.name == opa.name
            else registry.engine(settings, machine=machine, runner=shop.executor, scratch=shop.scratch)
        )
        reader = guarded_reader(machine, runner=shop.executor, scratch=shop.scratch)
        files = {name: text.encode() for name, text in ORGANISATION.items()}
        request = JudgeRequest(
            target=Target(
                root="/made", kind="git", repository="made", scope=scope, scope_basis="made", base_commit="b" * 40
            ),
            findings=findings,
            coverage=Coverage(lanes=lanes, table_digest=""),
            invocations=(),
            layers=policy_layers(files, {}, reader=reader, guarded=reader),
            profile="pull-request",
            now=NOW,
            joined=joined,
            limit_s=900.0,
        )
        watch = Watch()
        watch.start()
        wall, cpu, before = time.monotonic(), _cpu_s(), _children_s()
        decision = judge(request, engine=engine, guarded=guarded).decision
        wall, cpu, children = time.monotonic() - wall, _cpu_s() - cpu, _children_s() - before
        watch.over.set()
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    denied = sum(verdict.word == "deny" for verdict in decision.verdicts)
    return Measure(wall, cpu, own, watch.peak_mb, denied, engine_s=children, own_s=opa.own_s)


def _cpu_s() -> float:
    times = os.times()
    return times.user + times.system + _children_s()


def _children_s() -> float:
    times = os.times()
    return times.children_user + times.children_system


def measured(count: int, scope: str, settings: EngineSettings) -> Measure:
    """Give the measure of a process of its own."""
    argv = [sys.executable, __file__, "--one", str(count), scope, settings.name, settings.address]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=1800)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(argv[2:])}: {done.stderr[-800:]}")
    return Measure(*json.loads(done.stdout))


@contextmanager
def server() -> Iterator[str]:
    """Give the address of an OPA server on this machine, which ends with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = str(shutil.which("opa"))
    with tempfile.TemporaryDirectory() as folder:
        argv = [program, "run", "--server", f"--addr=127.0.0.1:{port}", "--log-level=error", "--disable-telemetry"]
        running = subprocess.Popen(argv, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in range(100):
                with socket.socket() as asked:
                    if asked.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()
            running.wait()


def main() -> None:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("findings", type=int, nargs="*", default=[1000, 10_000, 100_000])
    parser.add_argument("--engines", default="regorus,opa-itself,opa-eval,opa")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        # As the command line does.
        gc.set_threshold(COLLECT_AFTER)
        count, scope, name, address = options.one
        print(json.dumps(measure(int(count), Scope(scope), EngineSettings(name=name, address=address))))
        return
    wanted = [name for name in options.engines.split(",") if name == "regorus" or shutil.which("opa")]
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load before {load}"
    print(f"Python {platform.python_version()}, {machine}\n", flush=True)
    print(f"| {' | '.join(HEADS)} |", "|---" * len(HEADS) + "|", sep="\n", flush=True)
    with server() if "opa" in wanted else nullcontext("") as address:
        for count in options.findings:
            for scope in ("change", "protected"):
                for name in wanted:
                    settings = EngineSettings(name=name, address=address if name == "opa" else "")
                    print(row(count, scope, settings, runs=options.runs), flush=True)


def row(count: int, scope: str, settings: EngineSettings, *, runs: int) -> str:
    """Give a line of the table: medians of times, the largest peaks. A server's own share is in the wall time alone."""
    found = [measured(count, scope, settings) for _ in range(runs)]
    names = ("wall_s", "cpu_s", "engine_s", "own_s")
    wall, cpu, engine, timer = (statistics.median(getattr(one, name) for one in found) for name in names)
    own, child = (max(getattr(one, name) for one in found) for name in ("own_mb", "child_mb"))
    times = f"| {wall:.2f} s | {cpu:.2f} s | {engine:.2f} s | {f'{timer:.2f} s' if timer else ''} "
    return f"| {count:,} | {scope} | {settings.name} {times}| {own:.0f} + {child:.0f} MB | {found[0].denied:,} |"


if __name__ == "__main__":
    main()
