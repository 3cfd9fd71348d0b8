"""Measure the start of the command line, and what a run costs beyond its scanners; print a table."""

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
from pathlib import Path

SECGATE = Path(sys.executable).with_name("secgate")
STARTS = 20


def start_s() -> float:
    """Give the median wall time of `secgate --version`; the first start, which fills caches, is left out."""
    times = []
    for _ in range(STARTS + 1):
        begun = time.monotonic()
        subprocess.run([SECGATE, "--version"], check=True, stdout=subprocess.DEVNULL)
        times.append(time.monotonic() - begun)
    return statistics.median(times[1:])


def make_tree(root: Path, files: int) -> None:
    """Write `files` small Python modules in packages of fifty, the same on every machine; each tenth has a weakness."""
    for number in range(files):
        folder = root / f"package_{number // 50:03}"
        folder.mkdir(parents=True, exist_ok=True)
        body = "    return subprocess.call(value, shell=True)\n" if number % 10 == 0 else "    return value.strip()\n"
        text = f'import subprocess\n\n\ndef handle_{number}(value):\n    """Handle a value."""\n{body}'
        (folder / f"module_{number:05}.py").write_text(text, encoding="utf-8")


def overhead_s(files: int) -> tuple[float, float]:
    """Give (wall time of a run, the part of it in which no scanner ran); one scanner at a time, so the parts add up."""
    with tempfile.TemporaryDirectory() as scratch:
        tree, result = Path(scratch) / "tree", Path(scratch) / "run.json"
        make_tree(tree, files)
        argv: list[str | Path] = [
            SECGATE,
            "run",
            tree,
            "--offline",
            "--jobs",
            "1",
            "--scanner",
            "semgrep",
            "--scanner",
            "bandit",
        ]
        env = {**os.environ, "SECGATE_LEDGER_PATH": str(Path(scratch) / "ledger.sqlite")}
        begun = time.monotonic()
        run = subprocess.run(
            [*argv, "--format", f"json={result}"], env=env, check=False, capture_output=True, text=True, timeout=900
        )
        wall = time.monotonic() - begun
        if not result.is_file():
            raise SystemExit(f"the run wrote no result; exit {run.returncode}\n{run.stderr}")
        invocations = json.loads(result.read_bytes())["run"]["invocations"]
        idle = [f"{i['scanner']}: {i['status']}" for i in invocations if i["status"] != "completed"]
        if idle or not invocations:
            raise SystemExit(f"scanners did not complete, so nothing is measured: {idle}")
        return wall, wall - sum(invocation["duration_s"] for invocation in invocations)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000, help="size of the made tree")
    files = parser.parse_args().files
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores\n")
    print(f"start, median of {STARTS}: {start_s():.3f} s", flush=True)
    wall, overhead = overhead_s(files)
    print(f"run on {files} files: {wall:.2f} s, of it beyond the scanners {overhead:.2f} s")


if __name__ == "__main__":
    main()
