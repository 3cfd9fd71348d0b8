"""What a person sees on a terminal while a run goes on, and what a log gets instead."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.pages import too_wide
from tests.product import CLEAN, WEAK, Product
from tests.unit.conftest import Git


def watched(product: Product, *arguments: str, columns: int = 80, whole: bool = False, **env: str) -> tuple[int, str]:
    """Run the command line with a terminal for stderr, as a `whole` for stdout too, and give what it showed."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.set_blocking(ours, False)
    process = subprocess.Popen(
        [sys.executable, "-m", "secgate", *arguments],
        env={**product.env, "PYTHONPATH": str(Path(__file__).parents[2]), **env},
        stdin=subprocess.DEVNULL,
        stdout=theirs if whole else subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                shown += os.read(ours, 65536)
            except OSError:
                break
    os.close(ours)
    return process.wait(timeout=30), shown.decode()


def test_time_left_is_told_by_the_last_run_that_was_watched(product: Product, git: Git) -> None:
    git.commit({f"f{number}.py": CLEAN for number in range(4)})
    code, first = watched(product, "run", str(git.root))
    assert (code, "about" in first, "done: " in first) == (0, False, True)
    (kept,) = (product.state / "cache" / "paces").iterdir()
    slower = re.sub(rb'"seconds":[0-9.]+', b'"seconds":200.0', kept.read_bytes())
    kept.write_bytes(slower)
    _, second = watched(product, "run", str(git.root))
    assert re.search(r"scanning \d+ s, about 3 min left, \d of \d done: ", second)
    assert kept.read_bytes() != slower, "the newer run counts from then on"
    assert second.endswith("\r\x1b[2K"), "the terminal is left clean"


def test_a_terminal_that_knows_no_movements_gets_what_a_log_gets(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    code, shown = watched(product, "run", str(git.root), whole=True, TERM="dumb")
    assert (code, "\x1b" in shown, shown.startswith("  ")) == (0, False, True)
    _, shown = watched(product, "run", str(git.root), whole=True, TERM="xterm")
    assert ("\x1b[2K" in shown, "\x1b[1;32m" in shown) == (True, True)
    _, shown = watched(product, "run", str(git.root), whole=True, TERM="xterm", NO_COLOR="1")
    assert ("\x1b[2K" in shown, "\x1b[1;32m" in shown) == (True, False)


@pytest.mark.parametrize(("columns", "most"), [(40, 40), (20, 40), (80, 80), (0, 80), (300, 120)])
def test_no_line_is_wider_than_the_terminal_down_to_forty_columns(
    product: Product, git: Git, columns: int, most: int
) -> None:
    path = "a_name_that_is_longer_than_half_of_a_narrow_terminal/" * 2 + "app.py"
    git.commit({path: WEAK})
    _, shown = watched(
        product, "run", str(git.root), "--quiet", columns=columns, whole=True, NO_COLOR="1", TERM="xterm"
    )
    lines = shown.replace("\r", "").splitlines()
    assert most * 3 // 4 <= max(len(line) for line in lines if "/" not in line) <= most
    # A path runs over, so that it can be copied, and nothing else does.
    assert too_wide(shown.replace("\r", ""), most) == []
    assert any(path in line for line in lines)


def test_a_log_gets_a_line_a_scanner_and_keeps_nothing(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    ended = product.cli("run", str(git.root), "--format", "json")
    assert re.findall(r"^  (\S+) +done", ended.err, flags=re.MULTILINE) == [
        line.split()[0] for line in ended.err.splitlines()
    ]
    assert "\x1b" not in ended.err
    assert not (product.state / "cache" / "paces").exists()


def test_verbose_says_when_each_thing_happened(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    ended = product.cli("run", str(git.root), "--verbose")
    assert re.search(r"^ +\d+\.\d s  discover: ", ended.err, flags=re.MULTILINE)
    assert re.search(r"^ +\d+\.\d s  semgrep running: \S+ ended after \d+\.\d s", ended.err, flags=re.MULTILINE)
    assert re.search(r"^ +\d+\.\d s  judge: ", ended.err, flags=re.MULTILINE)


def test_quiet_and_verbose_exclude_each_other(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    assert product.cli("run", str(git.root), "--quiet").err == ""
    ended = product.cli("run", str(git.root), "--quiet", "--verbose")
    assert (ended.code, "--quiet and --verbose" in ended.err) == (2, True)


@pytest.mark.parametrize("columns", [40, 60])
def test_what_is_said_of_an_error_fits_a_narrow_terminal_and_breaks_no_path(
    product: Product, git: Git, columns: int
) -> None:
    gone = f"{git.root}/{'not-there-' * 5}/secgate.html"
    code, shown = watched(product, "run", str(git.root), "--format", f"html={gone}", columns=columns)
    lines = shown.replace("\r\n", "\n")
    assert (code, too_wide(lines, columns)) == (2, [])
    assert gone in lines, "a path can be copied"
    assert watched(product, "run", "--profile", "nope", str(git.root), columns=columns)[1].count("\n") > 2


def test_settings_and_their_sources_fit_a_narrow_terminal(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN, "secgate.toml": 'version = 1\nprofile = "release"\n'})
    code, shown = watched(product, "config", "show", str(git.root), columns=40, whole=True)
    lines = shown.replace("\r\n", "\n")
    assert (code, too_wide(lines, 40)) == (0, [])
    assert re.search(r'^profile = "release"\n {4}secgate\.toml', lines, re.MULTILINE)
    wide = watched(product, "config", "show", str(git.root), columns=80, whole=True)[1]
    assert re.search(r'^profile = "release" {41}secgate\.toml', wide, re.MULTILINE)
