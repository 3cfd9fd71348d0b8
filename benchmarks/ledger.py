"""Measure a ledger: bulk append, verification, one run's append, the fold, writers that are killed, writers at once.

    python benchmarks/ledger.py [--entries 1000000] [--runs 500] [--writers 8] [--appends 200] [--kills 300] [--git GIT]

With `--entries 0` writers are killed and nothing else is done.

Everything is made below a folder of the system's temporary one and removed. Entries are those of findings: half of them
say that a clock starts (about 900 bytes), half give a duty.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from secgate.custody.copies import write_export
from secgate.custody.survey import survey
from secgate.errors import HeadMovedError
from secgate.events import FindingOpened, LedgerCreated, ObligationAdded, to_entry
from secgate.executors.local import LocalExecutor
from secgate.finding_facts import FindingFacts, Witness
from secgate.ledgers.git import GitLedger
from secgate.ledgers.sqlite import SqliteLedger
from secgate.memory import Memory
from secgate.merkle import EMPTY_HEAD
from secgate.model import Entry, Head, Lane, Severity, Trust
from secgate.ports import Ledger

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 10_000


def entries(count: int, first: int = 0) -> Iterator[Entry]:
    """Give the entries of findings, two each; the ledger's own first one before them."""
    if not first:
        made = LedgerCreated(ledger_id=sha256(b"benchmark").hexdigest(), provisional=False, secgate_version="0")
        yield to_entry(made)
    about = {"run_id": "run", "repository": "example.com/shop", "line": "main"}
    for number in range(first + (not first), first + count, 2):
        name = sha256(b"%d" % number).hexdigest()
        facts = FindingFacts(
            fingerprint=name,
            algorithm="secgate/v1",
            lane=Lane.SAST,
            weakness="code-injection",
            severity=Severity.HIGH,
            path=f"shop/part_{number % 500}/orders.py",
            symbol="Orders.answer",
            anchor=name,
            start_line=number % 1000,
            witnesses=(Witness(scanner="semgrep", rule="secgate.python.code-injection"),),
        )
        yield to_entry(FindingOpened(**about, finding=facts, start_epoch_s=1_700_000_000, state="new"))  # type: ignore[arg-type]
        if number + 1 < first + count:
            yield to_entry(
                ObligationAdded(
                    **about,  # type: ignore[arg-type]
                    fingerprint=name,
                    algorithm="secgate/v1",
                    basis="severity:high",
                    start_epoch_s=1_700_000_000,
                    limit_s=604_800,
                    policy_digest=name,
                )
            )


def timed(what: str, work: Callable[[], object]) -> None:
    """Do something and say how long it took."""
    start, used = time.perf_counter(), time.process_time()
    work()
    told(what, time.perf_counter() - start, time.process_time() - used)


def told(what: str, wall_s: float, processor_s: float) -> None:
    """Print wall and processor time."""
    print(f"{what:<58} {wall_s:8.2f} s   processor {processor_s:8.2f} s", flush=True)


def filled(path: Path, count: int) -> SqliteLedger:
    """Give a ledger that was appended to in bulk; making the entries is not counted."""
    ledger = SqliteLedger(str(path))
    ledger.create()
    head, spent, used = EMPTY_HEAD, 0.0, 0.0
    for first in range(0, count, BATCH):
        batch = list(entries(min(BATCH, count - first), first))
        start, before = time.perf_counter(), time.process_time()
        head = ledger.append(head, batch, now=NOW, blobs={})
        spent, used = spent + time.perf_counter() - start, used + time.process_time() - before
    told(f"{count} entries appended, {BATCH} at a time", spent, used)
    return ledger


def one_runs_append(ledger: SqliteLedger, runs: int) -> None:
    """Append as a run does: some entries and two blobs, each time in a transaction that is on the disk at its end."""
    head, size = ledger.head(), ledger.head().size
    took = []
    for run in range(runs):
        batch = list(entries(10, size + run * 10))
        blobs = {sha256(data).hexdigest(): data for data in (b"%d document" % run * 4000, b"%d input" % run * 2000)}
        start = time.perf_counter()
        head = ledger.append(head, batch, now=NOW, blobs=blobs)
        took.append(time.perf_counter() - start)
    took.sort()
    middle, slow, slowest = took[len(took) // 2], took[int(len(took) * 0.99)], took[-1]
    what = f"one run's append ({runs} runs): median, 99th percentile, worst"
    print(f"{what:<58} {middle * 1000:8.1f} {slow * 1000:.1f} {slowest * 1000:.1f} ms")


def writers_at_once(folder: Path, writers: int, appends: int, git: str) -> None:
    """Let processes append to one bare repository, and count what is there."""
    remote = folder / "remote.git"
    subprocess.run([git, "init", "--quiet", "--bare", str(remote)], check=True)
    ledger = git_ledger(folder, "first", git)
    ledger.create()
    start = time.perf_counter()
    argv = [sys.executable, __file__, "--writer", str(folder), "--appends", str(appends), "--git", git]
    children = [subprocess.Popen([*argv, "--name", str(number)]) for number in range(writers)]
    codes = [child.wait() for child in children]
    spent = time.perf_counter() - start
    names = [json.loads(entry.data)["body"]["name"] for entry in git_ledger(folder, "auditor", git).read()]
    whole = sorted(names) == sorted(f"{writer}-{number}" for writer in range(writers) for number in range(appends))
    what = f"{writers} writers, {appends} appends each, on one git ledger"
    print(f"{what:<58} {spent:8.2f} s, {'nothing lost, nothing doubled' if whole and not any(codes) else 'WRONG'}")


def writer(folder: Path, name: str, appends: int, git: str) -> None:
    """Append, and read again where another one was first."""
    ledger = git_ledger(folder, name, git)
    head: Head = ledger.head()
    for number in range(appends):
        while True:
            try:
                entry = Entry(type="made-up", version=1, body=b'{"name":"%b-%d"}' % (name.encode(), number))
                head = ledger.append(head, [entry], now=NOW, blobs={})
                break
            except HeadMovedError:
                time.sleep(int.from_bytes(os.urandom(1), "big") / 256 * 0.1)
                head = ledger.head()


def git_ledger(folder: Path, name: str, git: str) -> GitLedger:
    """Give the ledger as a machine of its own sees it."""
    scratch = folder / f"scratch-{name}"
    scratch.mkdir(exist_ok=True)
    runner = LocalExecutor(environment=dict(os.environ), scratch=str(scratch), python=sys.executable, parallel=1)
    return GitLedger(str(folder / "remote.git"), "ledger", runner=runner, cache=str(folder / f"cache-{name}"), git=git)


def killed(folder: Path, kind: str, kills: int, git: str) -> None:
    """Kill a writer of entries by threes, over and over, and hold each time what is there against that."""
    folder.mkdir()
    subprocess.run([git, "init", "--quiet", "--bare", str(folder / "remote.git")], check=True)
    ledger = store(folder, kind, "auditor", git)
    ledger.create()
    start, chance, fork = time.perf_counter(), random.Random(kills), get_context("fork")  # noqa: S311 - not a secret
    size, within = 0, 0
    longest_s = 0.1 if kind == "sqlite" else 1.0
    for _ in range(kills):
        here, there = fork.Pipe()
        child = fork.Process(target=endless, args=(folder, kind, git, there))
        child.start()
        here.recv()
        time.sleep(chance.uniform(0, longest_s))
        for one in family(child.pid or 0):
            # What a killed writer had started may end by itself.
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        child.join()
        # git's own server was killed too: its owner clears its lock, as git says to.
        (folder / "remote.git" / "refs" / "heads" / "ledger.lock").unlink(missing_ok=True)
        parts = [json.loads(entry.data)["body"]["part"] for entry in ledger.read(size)]
        if parts != [0, 1, 2] * (len(parts) // 3) or ledger.head().size != size + len(parts):
            raise SystemExit(f"{kind}: half of an append is there behind entry {size}")
        acknowledged = 3
        while here.poll():
            here.recv()
            acknowledged += 3
        if len(parts) < acknowledged:
            raise SystemExit(f"{kind}: an append that was acknowledged is lost behind entry {size}")
        within += len(parts) > acknowledged
        size += len(parts)
    survey(ledger.read(), place=ledger.address)
    told_of = f"{kind}: {kills} writers killed, {size} entries, {within} killed between writing and saying so"
    print(f"{told_of:<58} {time.perf_counter() - start:8.2f} s, nothing lost, nothing half")


def family(pid: int) -> list[int]:
    """Give a process, which starts nothing more from then on, and all that it started."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found = [int(one) for one in children.read_text().split()] if children.exists() else []
    return [pid, *(other for one in found for other in family(one))]


def endless(folder: Path, kind: str, git: str, there: Connection) -> None:
    """Append three entries at a time, with a blob, and say so each time."""
    ledger = store(folder, kind, "killed", git)
    while True:
        data = os.urandom(5000)
        three = [Entry(type="made-up", version=1, body=b'{"part":%d}' % part) for part in range(3)]
        ledger.append(ledger.head(), three, now=NOW, blobs={sha256(data).hexdigest(): data})
        there.send(None)


def store(folder: Path, kind: str, name: str, git: str) -> Ledger:
    """Give a ledger of a kind in a folder."""
    return SqliteLedger(str(folder / "ledger.sqlite")) if kind == "sqlite" else git_ledger(folder, name, git)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="measure a ledger")
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--appends", type=int, default=200)
    parser.add_argument("--kills", type=int, default=300, help="of writers, in each kind of ledger")
    parser.add_argument("--git", default=shutil.which("git") or "git")
    parser.add_argument("--writer", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--name", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.writer:
        writer(given.writer, given.name, given.appends, given.git)
        return 0
    with tempfile.TemporaryDirectory(prefix="secgate-benchmark-") as name:
        folder = Path(name)
        for kind in ("sqlite", "git"):
            killed(folder / kind, kind, given.kills, given.git)
        if not given.entries:
            return 0
        ledger = filled(folder / "ledger.sqlite", given.entries)
        timed("verified: every entry, leaf, root and the head", lambda: sum(1 for _ in ledger.read()))
        timed("verified by the command, with what it picks up", lambda: survey(ledger.read(), place=ledger.address))
        timed("folded into what a run remembers", lambda: Memory().catch_up(ledger))
        one_runs_append(ledger, given.runs)
        timed("exported", lambda: write_export(ledger, str(folder / "export"), trust=Trust()))
        program = [sys.executable, "-I", str(folder / "export" / "verify.py")]
        timed("verified by the export's own program", lambda: subprocess.run(program, check=True, capture_output=True))
        writers_at_once(folder, given.writers, given.appends, given.git)
    return 0


if __name__ == "__main__":
    sys.exit(main())
