"""Measure the start of the command line, and what a run costs beyond its scanners, beside those scanners run bare."""

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
from collections.abc import Sequence
from pathlib import Path

BIN = Path(sys.executable).parent
RULES = Path(__file__).resolve().parent.parent / "rules" / "semgrep" / "python"
STARTS = 20
RUNS = 5
PROFILE = "pre-commit"
"""sast and secrets over Python files: bandit, semgrep, detect-secrets and kingfisher."""


def start_s() -> float:
    """Give the median wall time of `secgate --version`; the first start, which fills caches, is left out."""
    return statistics.median([_timed([BIN / "secgate", "--version"], Path.cwd(), {0}) for _ in range(STARTS + 1)][1:])


def make_tree(root: Path, files: int) -> None:
    """Write `files` small Python modules in packages of fifty, the same on every machine; each tenth has a weakness."""
    for number in range(files):
        folder = root / f"package_{number // 50:03}"
        folder.mkdir(parents=True, exist_ok=True)
        body = "    return subprocess.call(value, shell=True)\n" if number % 10 == 0 else "    return value.strip()\n"
        text = f'import subprocess\n\n\ndef handle_{number}(value):\n    """Handle a value."""\n{body}'
        (folder / f"module_{number:05}.py").write_text(text, encoding="utf-8")


def run_s(tree: Path, scratch: Path) -> tuple[float, float]:
    """Give (wall time of a run, the part of it in which no scanner was at work).

    All scanners begin together, so the longest one's time is the time in which any was at work.
    """
    result = scratch / "run.json"
    env = {**os.environ, "SECGATE_LEDGER_PATH": str(scratch / "ledger.sqlite")}
    argv = [BIN / "secgate", "run", tree, "--offline", "--quiet", "--profile", PROFILE, f"--format=json={result}"]
    wall = _timed([*map(str, argv)], scratch, {0, 1}, env)
    invocations = json.loads(result.read_bytes())["run"]["invocations"]
    idle = [f"{one['scanner']}: {one['status']}" for one in invocations if one["status"] != "completed"]
    if idle or not invocations:
        raise SystemExit(f"scanners did not complete, so nothing is measured: {idle}")
    return wall, wall - max(one["duration_s"] for one in invocations)


def bare_s(tree: Path, scratch: Path) -> float:
    """Give the wall time of the same four tools, one after the other, with nobody to make sense of them."""
    options = ("--experimental", "--metrics=off", "--disable-version-check", "--json", "--quiet")
    calls: tuple[tuple[list[str], set[int]], ...] = (
        ([str(BIN / "bandit"), "-q", "-r", ".", "-f", "json"], {0, 1}),
        ([str(BIN / "semgrep"), "scan", *options, "--config", str(RULES), "."], {0, 1}),
        ([str(BIN / "detect-secrets"), "scan", "--all-files", "--no-verify", "."], {0}),
        (
            [
                *(str(BIN / "kingfisher"), "scan", "--quiet", "--no-validate", "--no-update-check"),
                *("--git-history", "none", "--rule-cache-dir", str(scratch / "rules"), "--format", "json", "."),
            ],
            {0, 200},
        ),
    )
    return sum(_timed(argv, tree, codes) for argv, codes in calls)


def _timed(argv: Sequence[str | Path], cwd: Path, codes: set[int], env: dict[str, str] | None = None) -> float:
    begun = time.monotonic()
    done = subprocess.run(argv, cwd=cwd, check=False, capture_output=True, text=True, timeout=900, env=env)
    took = time.monotonic() - begun
    if done.returncode not in codes:
        raise SystemExit(f"{argv[0]} ended with {done.returncode}: {done.stderr[-400:]}")
    return took


def main() -> None:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000, help="size of the made tree")
    files = parser.parse_args().files
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores\n", flush=True)
    print("| figure | median |\n|---|---|")
    print(f"| `secgate --version` ({STARTS} starts) | {start_s():.3f} s |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        scratch, tree = Path(folder), Path(folder) / "tree"
        make_tree(tree, files)
        run_s(tree, scratch)
        bare_s(tree, scratch)
        runs = [run_s(tree, scratch) for _ in range(RUNS)]
        bare = statistics.median(bare_s(tree, scratch) for _ in range(3))
    wall, overhead = (statistics.median(values) for values in zip(*runs, strict=True))
    print(f"| run over {files} files, four scanners | {wall:.2f} s |")
    print(f"| of it with no scanner at work | {overhead:.2f} s |")
    print(f"| the same four tools bare, one after the other | {bare:.2f} s |")
    print(f"| run / bare | {wall / bare:.2f} |")


if __name__ == "__main__":
    main()
