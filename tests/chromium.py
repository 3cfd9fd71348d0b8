"""Headless Chromium for tests, spoken to in its DevTools protocol over a pipe: no port, no driver, no other package.

`BrowserSession` is one process with a profile of its own, `Tab` one page in it. The binary's version is whatever the
machine has: what is used of the protocol is old and stable.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import pytest

ROOT = Path(__file__).parents[1]
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]
PATIENCE_S = 60.0
# The browser wants the ends of its pipes under the numbers 3 and 4.
_START = """
import os, sys
for one, between in zip(sys.argv[1:3], (30, 31)):
    os.dup2(int(one), between)
for between, number in ((30, 3), (31, 4)):
    os.dup2(between, number)
    os.close(between)
os.execv(sys.argv[3], sys.argv[3:])
"""
SHIFT = 8


def program() -> str:
    """Give the browser, or skip where there is none."""
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    pytest.skip("no Chromium on PATH")


def axe_script() -> str:
    """Give axe-core's text, or skip where it is not: SECGATE_AXE names it, or `.ci/run` has installed it."""
    named = os.environ.get("SECGATE_AXE")
    found = [Path(named)] if named else sorted(ROOT.glob(".tools/axe-*/node_modules/axe-core/axe.min.js"))
    for path in found:
        if path.is_file():
            return path.read_text(encoding="utf-8")
    pytest.skip("no axe-core: name its axe.min.js by SECGATE_AXE, or let .ci/run install it")


class BrowserSession:
    """One process; commands go out and answers come back as JSON texts with a NUL behind each."""

    def __init__(self, folder: Path) -> None:
        commands, self._out = os.pipe()
        self._in, answers = os.pipe()
        argv = [sys.executable, "-I", "-c", _START, str(commands), str(answers), program(), *FLAGS]
        argv += [f"--user-data-dir={folder / 'profile'}", "--remote-debugging-pipe", "about:blank"]
        self._process = subprocess.Popen(
            argv, pass_fds=(commands, answers), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(commands)
        os.close(answers)
        self.folder = folder
        self._number = 0
        self._read = b""
        self.events: list[dict[str, Any]] = []

    def close(self) -> None:
        """Ask the browser to end, and wait until it has."""
        self.call("Browser.close")
        self._process.wait(timeout=PATIENCE_S)
        os.close(self._out)
        os.close(self._in)

    def call(self, method: str, session: str = "", **params: Any) -> dict[str, Any]:
        """Give what the browser answers; an error of the protocol fails the test."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data) :]
        until = time.monotonic() + PATIENCE_S
        while True:
            told = self._next(until)
            if told.get("id") == self._number:
                assert "error" not in told, f"{method}: {told['error']}"
                result: dict[str, Any] = told["result"]
                return result
            self.events.append(told)

    def wait(self, method: str, session: str) -> dict[str, Any]:
        """Give the next event of this name in a tab, seen or to come."""
        until = time.monotonic() + PATIENCE_S
        while True:
            for at, event in enumerate(self.events):
                if (event.get("method"), event.get("sessionId")) == (method, session):
                    return self.events.pop(at)
            self.events.append(self._next(until))

    def _next(self, until: float) -> dict[str, Any]:
        while b"\0" not in self._read:
            ready, _, _ = select.select([self._in], [], [], max(until - time.monotonic(), 0))
            assert ready, "the browser does not answer"
            data = os.read(self._in, 1 << 20)
            assert data, "the browser has ended"
            self._read += data
        text, _, self._read = self._read.partition(b"\0")
        told: dict[str, Any] = json.loads(text)
        return told


class Tab:
    """One page, opened from a file, in a size and a colour scheme; `unguarded` is without its content policy."""

    def __init__(
        self, browser: BrowserSession, page: bytes, *, dark: bool = False, width: int = 1200, height: int = 900,
        fragment: str = "", script: bool = True, unguarded: bool = False,
    ) -> None:  # fmt: skip
        self._browser = browser
        self.path = browser.folder / "page.html"
        self.path.write_bytes(page)
        self._target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        attached = browser.call("Target.attachToTarget", targetId=self._target, flatten=True)
        self._session = attached["sessionId"]
        self.call("Page.enable")
        self.call("Runtime.enable")
        self.call("Log.enable")
        self.call("Network.enable")
        self.call("Emulation.setScriptExecutionDisabled", value=not script)
        self.call("Page.setBypassCSP", enabled=unguarded)
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.media(dark=dark)
        self.go(fragment)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Say something to this tab."""
        return self._browser.call(method, self._session, **params)

    def media(self, *, dark: bool, kind: str = "") -> None:
        """Have the page believe in a colour scheme, and in being printed; nothing moves, so that no test waits."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.call("Emulation.setEmulatedMedia", media=kind, features=[scheme, still])

    def go(self, fragment: str = "") -> None:
        """Open the page, anew where it was open, and wait until it is loaded."""
        address = self.path.as_uri() + (f"#{fragment}" if fragment else "")
        self.call("Page.navigate", url="about:blank")
        self._browser.wait("Page.loadEventFired", self._session)
        self.call("Page.navigate", url=address)
        self._browser.wait("Page.loadEventFired", self._session)

    def run(self, expression: str) -> Any:
        """Give the value of a JavaScript expression in the page; one that throws fails the test."""
        told = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def press(self, key: str, *, shift: bool = False) -> None:
        """Press and release a key."""
        codes = {"Tab": 9, "Enter": 13, " ": 32, "Escape": 27, "ArrowDown": 40}
        known: dict[str, Any] = {"key": key, "modifiers": SHIFT if shift else 0}
        known |= {"windowsVirtualKeyCode": codes.get(key, 0), "code": "Space" if key == " " else key}
        text = {"Enter": "\r", " ": " "}.get(key, key if len(key) == 1 else "")
        self.call("Input.dispatchKeyEvent", type="keyDown", **known, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **known)

    def picture(self, *, whole: bool = False) -> bytes:
        """Give what is seen as a PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"])

    def printed(self) -> bytes:
        """Give the page as a PDF, as printing makes it."""
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True)["data"])

    def complaints(self) -> list[str]:
        """Give errors that scripts threw and what the content policy refused, so far."""
        self.run("0")
        found = []
        for event in self._browser.events:
            if event.get("sessionId") == self._session and event.get("method") == "Log.entryAdded":
                entry = event["params"]["entry"]
                if entry["level"] == "error":
                    found.append(entry["text"])
            if event.get("sessionId") == self._session and event.get("method") == "Runtime.exceptionThrown":
                found.append(event["params"]["exceptionDetails"]["text"])
        return found

    def requests(self) -> list[str]:
        """Give the addresses that were asked for, the page's own left out."""
        self.run("0")
        sent = [e for e in self._browser.events if e.get("method") == "Network.requestWillBeSent"]
        urls = [e["params"]["request"]["url"] for e in sent if e.get("sessionId") == self._session]
        return [url for url in urls if not url.startswith((self.path.as_uri(), "about:blank"))]

    def axe(self, script: str) -> list[str]:
        """Give what axe-core finds wrong, one text a rule and element; in a tab that is `unguarded`."""
        self.run(script)
        told = self.run("axe.run({resultTypes: ['violations']}).then(found => found.violations)")
        return [f"{one['id']}: {node['target']}: {node['failureSummary']}" for one in told for node in one["nodes"]]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._browser.call("Target.closeTarget", targetId=self._target)
