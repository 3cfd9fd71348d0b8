"""Signals: children are gone, the exit code says which one it was, and the ledger is whole whatever happens."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from secgate.cli.signals import SIGNALS, Interrupts, SignalError
from secgate.ledgers.sqlite import SqliteLedger
from tests.product import CLEAN, WEAK, Product
from tests.unit.conftest import Git


def alive(product: Product) -> list[str]:
    """Give the command lines of processes that run a stand-in of this machine."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(product.state / "tools") in command:
                found.append(command.decode(errors="replace"))
    return found


def wait_until(product: Product, process: subprocess.Popen[bytes], name: str) -> None:
    """Wait until a stand-in was started."""
    deadline = time.monotonic() + 60
    while not product.calls(name):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)


def runs(git: Git) -> int:
    """Verify the whole ledger and count its runs; no ledger holds none."""
    ledger = SqliteLedger(str(git.root / ".git" / "secgate" / "ledger.sqlite"))
    return sum(entry.type == "run" for entry in ledger.read()) if ledger.exists() else 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run(product: Product, git: Git, number: signal.Signals, code: int) -> None:
    git.commit({"app.py": WEAK})
    product.tool("semgrep", "hang")
    process = product.start("run", str(git.root))
    wait_until(product, process, "semgrep")
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, b"")
    assert b"before an answer was given" in err
    assert b"Traceback" not in err
    assert (alive(product), runs(git)) == ([], 0)
    assert list((product.home / "tmp").iterdir()) == []


def test_an_impatient_person_presses_twice(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    product.tool("semgrep", "hang")
    process = product.start("run", str(git.root))
    wait_until(product, process, "semgrep")
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, b"Traceback" in err, alive(product)) == (130, False, [])


def test_a_signal_that_somebody_swallows_still_ends_the_run() -> None:
    interrupts = Interrupts()
    interrupts.install()
    try:
        with contextlib.suppress(SignalError):
            os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(SignalError):
            interrupts.check()
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


@pytest.mark.parametrize("after_s", [0.06, 0.12, 0.18, 0.3])
def test_a_signal_while_starting_ends_the_run(product: Product, git: Git, after_s: float) -> None:
    git.commit({"app.py": CLEAN})
    product.tool("semgrep", "hang")
    process = product.start("run", str(git.root))
    time.sleep(after_s)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode in (143, -signal.SIGTERM)
    assert alive(product) == []


def test_killed_at_any_moment_the_ledger_is_whole(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    begin = time.monotonic()
    assert product.cli("run", str(git.root), "--scope", "protected").code == 0
    whole_s = time.monotonic() - begin
    for part in (0.4, 0.8, 0.9, 1.0):
        process = product.start("run", str(git.root), "--scope", "protected")
        time.sleep(whole_s * part)
        process.kill()
        process.communicate()
        assert runs(git) >= 1
    before = runs(git)
    assert product.cli("run", str(git.root), "--scope", "protected").code == 0
    assert runs(git) == before + 1


def test_two_runs_at_once_are_both_recorded(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    started = [product.start("run", str(git.root), "--scope", "protected", "--quiet") for _ in range(2)]
    ended = [process.communicate(timeout=60) for process in started]
    assert [process.returncode for process in started] == [0, 0], ended
    assert runs(git) == 2
