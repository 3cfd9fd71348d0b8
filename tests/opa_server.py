"""A real OPA server on this machine, for the length of a test session."""

from __future__ import annotations

import http.server
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest


def free_port() -> int:
    """Give a port of this machine that nobody listens on just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def running(folder: Path, *arguments: str, scheme: str = "http", files: Sequence[str] = ()) -> Iterator[str]:
    """Start `opa run --server`, wait until it listens, give its address. Skips where there is no opa."""
    opa = shutil.which("opa")
    if opa is None:
        pytest.skip("no opa on PATH")
    address = f"127.0.0.1:{free_port()}"
    log = folder / "opa.log"
    with log.open("wb") as errors:
        argv = [opa, "run", "--server", "--addr", address, "--log-level", "error", *arguments, *files]
        server = subprocess.Popen(argv, cwd=folder, stdout=errors, stderr=errors, env={"PATH": os.environ["PATH"]})
        try:
            _wait(address, server, log)
            yield f"{scheme}://{address}"
        finally:
            server.kill()
            server.wait()


def _wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    host, port = address.split(":")
    until = time.monotonic() + 30
    while time.monotonic() < until:
        assert server.poll() is None, log.read_text(encoding="utf-8")
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"opa did not listen: {log.read_text(encoding='utf-8')}")


def ids(address: str) -> bytes:
    """Give what the server holds, policies and data, as it answers it."""
    kept = b""
    for part in ("policies", "data"):
        with urllib.request.urlopen(f"{address}/v1/{part}", timeout=10) as answer:  # noqa: S310 - loopback
            kept += answer.read().strip()
    return kept


Reply = Callable[[http.server.BaseHTTPRequestHandler], None]


@contextmanager
def answering(reply: Reply) -> Iterator[str]:
    """Give the address of a server on this machine that is no OPA, and answers everything with `reply`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def _any(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            reply(self)

        do_GET = do_PUT = do_POST = do_DELETE = _any  # noqa: N815 - names of the standard library

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as one:
        one.daemon_threads = True
        threading.Thread(target=one.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{one.server_address[1]}"
        one.shutdown()


def replying(body: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    """Give a reply under which what is put and taken back succeeds, and the question alone is answered strangely."""

    def reply(handler: http.server.BaseHTTPRequestHandler) -> None:
        asked = handler.command == "POST"
        handler.send_response(status if asked else 204 if "/data/" in handler.path else 200)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body) if asked else 0))
        handler.end_headers()
        if asked:
            handler.wfile.write(body)

    return reply


def with_version(strange: Reply) -> Reply:
    """Give a reply that tells OPA's version when it is asked for it, and is strange otherwise."""
    known = replying(b'{"result": [{"x": "1.22.2"}]}')

    def reply(handler: http.server.BaseHTTPRequestHandler) -> None:
        (known if handler.path.startswith("/v1/query") else strange)(handler)

    return reply


def dripping(handler: http.server.BaseHTTPRequestHandler) -> None:
    """Answer a byte at a time, for ten seconds."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(100):
        try:
            handler.wfile.write(b" ")
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.1)
