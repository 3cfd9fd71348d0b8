"""The page in a real browser: hostile text is text, nothing is asked of a network, and a script put in does not run.

Each proof has its counterpart without the page's policy, so that a browser that does nothing cannot pass.
"""

from __future__ import annotations

import html
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from secgate.reporters.html import HtmlReporter
from tests.chromium import FLAGS, program
from tests.factories import HOSTILE
from tests.sample_runs import failing_run, hostile_run

pytestmark = pytest.mark.browser


class Trap(ThreadingHTTPServer):
    """A server on the loopback address that remembers what was asked of it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Trap)
        self.server.asked.append(self.path)
        self.send_error(404)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def trap() -> Iterator[Trap]:
    with Trap() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Browser:
    """Headless Chromium with a profile of its own."""

    def __init__(self, program: str, folder: Path) -> None:
        self.program, self.folder = program, folder

    def run(self, page: bytes, *options: str) -> str:
        """Open a page from a file and give what the browser prints."""
        path = self.folder / "page.html"
        path.write_bytes(page)
        argv = [self.program, *FLAGS, f"--user-data-dir={self.folder / 'profile'}", *options, path.as_uri()]
        return subprocess.run(argv, capture_output=True, timeout=120, check=True).stdout.decode()

    def dom(self, page: bytes, *options: str) -> str:
        return self.run(page, "--dump-dom", *options)


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    return Browser(program(), tmp_path)


def render(text: str = HOSTILE) -> bytes:
    return HtmlReporter().render(hostile_run(text), width=80, colour=False)


def injected(page: bytes, trap: Trap) -> bytes:
    """A page into which somebody got markup: a script, an image, a style with an address, a handler."""
    evil = (
        "<script>document.title = 'owned'</script>"
        f"<img src='{trap.url}/image' onerror='document.body.id = \"handler\"'>"
        f"<link rel='stylesheet' href='{trap.url}/sheet'><iframe src='{trap.url}/frame'></iframe>"
        f"<form action='{trap.url}/form'></form><p style='background: url({trap.url}/style)'>x</p>"
    )
    return page.replace(b"</body>", evil.encode() + b"</body>")


def unguarded(page: bytes) -> bytes:
    start = page.index(b'<meta http-equiv="Content-Security-Policy"')
    return page[:start] + page[page.index(b">", start) + 1 :]


def test_hostile_text_is_no_markup_and_asks_for_nothing(browser: Browser, trap: Trap) -> None:
    dom = browser.dom(render(f"<img src={trap.url}/a><script src={trap.url}/b></script><b onclick=x>{HOSTILE}"))
    assert not any(f"<{tag}" in dom.lower() for tag in ("script src", "img", "b onclick", "iframe"))
    assert dom.lower().count("<script") == 1  # our own
    assert f"&lt;img src={trap.url}/a&gt;" in dom
    assert trap.asked == []


def test_the_policy_stops_what_somebody_puts_in(browser: Browser, trap: Trap) -> None:
    dom = browser.dom(injected(render("calm"), trap))
    assert "<title>FAIL: calm" in dom
    assert 'id="handler"' not in dom
    assert trap.asked == []


def test_without_the_policy_it_would_run(browser: Browser, trap: Trap) -> None:
    dom = browser.dom(unguarded(injected(render("calm"), trap)))
    assert "<title>owned" in dom
    assert 'id="handler"' in dom
    assert {"/image", "/sheet", "/frame", "/style"} <= set(trap.asked)


@pytest.mark.parametrize("text", [HOSTILE, "x" * 3000])
def test_nothing_is_wider_than_a_small_telephone(browser: Browser, text: str) -> None:
    # A window of the browser is not made so narrow; a frame is.
    inner = html.escape(unguarded(render(text)).decode())
    measure = "document.title = 'width ' + this.contentDocument.documentElement.scrollWidth"
    frame = f'<iframe style="border: 0" width="360" height="800" srcdoc="{inner}" onload="{measure}"></iframe>'
    assert "<title>width 360</title>" in browser.dom(f'<!DOCTYPE html><meta charset="utf-8">{frame}'.encode())


def test_its_own_style_applies(browser: Browser) -> None:
    page = HtmlReporter().render(failing_run(), width=80, colour=False)
    shots = []
    for name, content in (("styled", page), ("bare", page.replace(b"style-src 'sha256-", b"style-src 'sha256-A"))):
        target = browser.folder / f"{name}.png"
        browser.run(content, f"--screenshot={target}", "--window-size=1000,1200")
        shots.append(target.read_bytes())
    assert all(shot.startswith(b"\x89PNG") for shot in shots)
    assert shots[0] != shots[1]
