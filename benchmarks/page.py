"""The page of a run at scale: its size, how long it takes to be made, and to be opened and used in headless Chromium.

    PYTHONPATH=. python benchmarks/page.py [FINDINGS]... [--runs N]

The findings are made, half of them blocking, without deadlines and lines of source. `load` is until the
browser's load event, from a file; `text`, `sort` and `reset` are from the event to the frame that shows its outcome,
without the 150 ms in which the page waits for more letters.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from secgate.reporters.html import HtmlReporter
from tests.chromium import BrowserSession, Tab
from tests.factories import run_document
from tests.sample_runs import large_run

LOAD = "(one => one.loadEventEnd)(performance.getEntriesByType('navigation')[0])"
ACTION = """new Promise(done => {{
  const at = performance.now();
  const control = document.getElementById('{control}');
  control.value = '{value}';
  control.dispatchEvent(new Event('{event}'));
  setTimeout(() => requestAnimationFrame(() => setTimeout(() => done(performance.now() - at - {wait}))), {wait});
}})"""
STEPS = (
    ("text", "by-text", "m0003", "input", 150),
    ("sort", "by-order", "byPath", "change", 0),
    ("reset", "reset", "", "click", 0),
)


def measured(browser: BrowserSession, count: int) -> dict[str, float]:
    """Give one measure of a page with `count` findings; seconds, and megabytes of the file."""
    document = large_run(count // 2) if count else run_document()
    start = time.perf_counter()
    page = HtmlReporter().render(document, width=80, colour=False)
    told = {"made": time.perf_counter() - start, "MB": len(page) / 1e6}
    with Tab(browser, page) as tab:
        told["load"] = tab.run(LOAD) / 1e3
        for name, control, value, event, wait in STEPS if count else ():
            told[name] = tab.run(ACTION.format(control=control, value=value, event=event, wait=wait)) / 1e3
    return told


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("findings", nargs="*", type=int, default=[0, 16, 2_000, 10_000, 20_000])
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    names = ("MB", "made", "load", *(step[0] for step in STEPS))
    print(f"| findings | {' | '.join(names)} |\n|{'---|' * (len(names) + 1)}")
    with tempfile.TemporaryDirectory() as folder:
        browser = BrowserSession(Path(folder))
        for count in asked.findings:
            runs = [measured(browser, count) for _ in range(asked.runs)]
            median = {name: statistics.median(run.get(name, 0) for run in runs) for name in names}
            print(f"| {count:,} | {' | '.join(f'{median[name]:.2f}' for name in names)} |", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
