"""Measure a period's evidence: a quarter of 12 repositories and 4,000 runs, drawn from a seed, judged by the oracle.

    python -m benchmarks.quarter [--seeds 0 1 2] [--runs 4000] [--repositories 12] [--ledgers 3]

Run it from the top of the repository: the quarter is drawn and judged by `tests/quarter`. What is measured is the
command itself, in a process of its own. Exits 1 where it and the oracle do not agree.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.product import Product
from tests.quarter import drawing, judging, oracle, writing
from tests.quarter.oracle import Expected
from tests.quarter.plan import Plan
from tests.quarter.sections import sections
from tests.signing_support import Key


def measured(work: Callable[[], bytes]) -> tuple[bytes, str]:
    """Do something in child processes, and say what it took of wall and processor, and the largest child's memory."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    data = work()
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return data, f"{wall:.1f} s | {spent:.1f} s | {after.ru_maxrss // 1024} MB"


def answer(product: Product, argv: list[str]) -> bytes:
    """Give a command's answer on stdout."""
    with product.start(*argv) as process:
        out, err = process.communicate()
    if process.returncode:
        raise SystemExit(f"{' '.join(argv[:2])} ended with {process.returncode}: {err.decode()}")
    return out


def one_seed(seed: int, given: argparse.Namespace, folder: Path, keys: Mapping[str, Key]) -> bool:
    """Draw, write, measure and judge one quarter; tell whether everything was as the oracle has it."""
    plan = drawing.draw(
        seed, repositories=given.repositories, runs=given.runs, ledgers=given.ledgers, times=given.times
    )
    product = Product(folder / "home")
    written = writing.write(
        plan, folder / "made", machine=product.machine(), keys=keys, document_bytes=given.document_bytes
    )
    asked, expected = writing.arguments(plan, written), oracle.expected(plan)
    data, took = measured(lambda: answer(product, ["evidence", "check", "--format", "json", *asked]))
    wrong = judging.differences(judging.of_evidence(data), expected, written.names)
    entries = sum(one["size"] for one in json.loads(data)["evidence"]["ledgers"])
    said = len(plan.exemptions) + len(plan.overrides)
    row(f"{seed} | {len(plan.runs)} | {entries} | {said} | {len(plan.planted)} | evidence | {len(wrong)} | {took}")
    for form in given.formats:
        target = folder / form
        moment = writing.later(plan).isoformat()
        argv = ["report", "soc2", "--generated-at", moment, "--format", form, "-o", str(target), *asked]
        _, took = measured(lambda argv=argv: answer(product, argv))  # type: ignore[misc]
        judged = "" if form != "json" else _judged(target, plan, expected, written, wrong)
        row(f"{seed} | | | | | report soc2, {form} | {judged} | {took}")
    for text in wrong:
        print(f"  {text}", file=sys.stderr)
    return not wrong


def _judged(
    target: Path, plan: Plan, expected: Mapping[str, Expected], written: writing.Written, wrong: list[str]
) -> str:
    """Hold a report against the oracle, and give the number of differences."""
    data = (target / "report.json").read_bytes()
    found = judging.differences(judging.of_report(data), expected, written.names)
    found += judging.section_differences(data, sections(plan), written.names)
    wrong += found
    return str(len(found))


def row(text: str) -> None:
    """Print a row of the table at once."""
    print(f"| {text} |", flush=True)


def main() -> int:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description="measure a period's evidence")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--runs", type=int, default=4000)
    parser.add_argument("--repositories", type=int, default=12)
    parser.add_argument("--ledgers", type=int, default=3)
    parser.add_argument("--times", type=int, default=3, help="how often each deviation is planted")
    parser.add_argument("--document-bytes", type=int, default=20_000, help="size of a run's document")
    parser.add_argument("--formats", nargs="*", default=["json"], help="of the report")
    given = parser.parse_args()
    row("seed | runs | entries | exceptions and overrides | planted | what | differences | wall | processor | peak")
    row("---|---|---|---|---|---|---|---|---|---")
    with tempfile.TemporaryDirectory(prefix="secgate-benchmark-") as name:
        keys = writing.make_keys(drawing.draw(0, repositories=3, runs=150, ledgers=2), Path(name, "keys"))
        right = [one_seed(seed, given, Path(name, str(seed)), keys) for seed in given.seeds]
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())
