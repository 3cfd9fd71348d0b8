"""A real OPA server on this machine, for the length of a test session."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
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
