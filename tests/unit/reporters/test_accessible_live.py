"""The pages in a real browser, held against axe-core: no violation, in light and in dark, wide and narrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from secgate.model import PastRun
from secgate.reporters.html import HtmlReporter
from tests.chromium import BrowserSession, Tab, axe_script
from tests.sample_runs import failing_run, inconclusive_run

pytestmark = pytest.mark.browser

REPORT = Path(__file__).parents[3] / "docs" / "examples" / "report.html"
PAST = tuple(
    PastRun(run_id=f"r{at}", commit="", evaluated_epoch_s=at, outcome=outcome, blocking=at, severities=found)
    for at, (outcome, found) in enumerate(
        [("fail", {}), ("inconclusive", {"high": 2, "low": 3}), ("pass", {"info": 1})]
    )
)
PAGES: dict[str, Callable[[], bytes]] = {
    "failing": lambda: HtmlReporter().render(failing_run(earlier=PAST), width=80, colour=False),
    "inconclusive": lambda: HtmlReporter().render(inconclusive_run(), width=80, colour=False),
    "report": REPORT.read_bytes,
}


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserSession]:
    browser = BrowserSession(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def axe() -> str:
    return axe_script()


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (1200, True), (400, False)])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_shuts_anybody_out(session: BrowserSession, axe: str, name: str, *, width: int, dark: bool) -> None:
    with Tab(session, PAGES[name](), dark=dark, width=width, unguarded=True) as tab:
        tab.run("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert tab.axe(axe) == []


def test_the_checker_sees_what_is_wrong(session: BrowserSession, axe: str) -> None:
    spoilt = (
        PAGES["failing"]().replace(b'<html lang="en">', b"<html>").replace(b"--quiet: #545e6d", b"--quiet: #a5aebd")
    )
    spoilt = spoilt.replace(b"style-src 'sha256-", b"style-src 'unsafe-inline' 'x")
    with Tab(session, spoilt, unguarded=True) as tab:
        found = tab.axe(axe)
    assert {"html-has-lang", "color-contrast"} <= {one.partition(":")[0] for one in found}
