"""Judging at scale: made findings under the shipped and an organisation's layer, with `regorus` and with OPA itself.

    python benchmarks/judging.py [FINDINGS]... [--engines regorus,opa-eval,opa] [--runs N]

The findings are made from a seed, the same on every machine: all severities, lanes and states, a tenth of them with
duties that the ledger holds already, 500 under a waiver. The organisation's layer adds duties, exempts, denies by data
of its own, and sets limits. Every measure is a process of its own, so that its memory is its own; it holds what a run
does between the findings and the decision: stating the facts, asking each engine, checking and joining the answers.
"""

from __future__ import annotations

import argparse
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
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import NamedTuple

from secgate import config, registry
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
from secgate.policy.facts import JoinedFacts
from secgate.preparation import Silence, guarded_reader, policy_layers, workshop

SEED = 20261126
WAIVERS = 500
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
DAY = 86400
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
    """Wall and processor time in seconds (children's too), peaks of this process and its largest child, in MB."""

    wall_s: float
    cpu_s: float
    own_mb: float
    child_mb: float
    denied: int


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
        engine, guarded = registry.engine(settings, machine=machine, runner=shop.executor, scratch=shop.scratch)
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
        wall, cpu = time.monotonic(), _cpu_s()
        decision = judge(request, engine=engine, guarded=guarded).decision
        wall, cpu = time.monotonic() - wall, _cpu_s() - cpu
    own, child = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return Measure(wall, cpu, own, child, denied=sum(verdict.word == "deny" for verdict in decision.verdicts))


def _cpu_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


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
    parser.add_argument("--engines", default="regorus,opa-eval,opa")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        count, scope, name, address = options.one
        print(json.dumps(measure(int(count), Scope(scope), EngineSettings(name=name, address=address))))
        return
    wanted = [name for name in options.engines.split(",") if name == "regorus" or shutil.which("opa")]
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores\n", flush=True)
    print(
        "| findings | scope | engine | wall | processor | peak, own + child | denied |\n|---|---|---|---|---|---|---|"
    )
    with server() if "opa" in wanted else nullcontext("") as address:
        for count in options.findings:
            for scope in ("change", "protected"):
                for name in wanted:
                    settings = EngineSettings(name=name, address=address if name == "opa" else "")
                    print(row(count, scope, settings, runs=options.runs), flush=True)


def row(count: int, scope: str, settings: EngineSettings, *, runs: int) -> str:
    """Give a line of the table: medians of times, the largest peaks. A server's own share is in the wall time alone."""
    found = [measured(count, scope, settings) for _ in range(runs)]
    wall, cpu = (statistics.median(getattr(one, name) for one in found) for name in ("wall_s", "cpu_s"))
    own, child = (max(getattr(one, name) for one in found) for name in ("own_mb", "child_mb"))
    names = f"| {count:,} | {scope} | {settings.name} "
    return f"{names}| {wall:.2f} s | {cpu:.2f} s | {own:.0f} + {child:.0f} MB | {found[0].denied:,} |"


if __name__ == "__main__":
    main()
