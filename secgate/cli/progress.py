"""What a person sees while a run goes on: one line a scanner on stderr, and on a terminal a line that is kept true."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from secgate.cli.options import columns, let_go, machine, obeys
from secgate.cli.signals import INTERRUPTS
from secgate.errors import UsageError
from secgate.escape import plain
from secgate.page import clipped

if TYPE_CHECKING:
    from secgate.model import RunDocument
    from secgate.pace import Course, Pace

TICK_S = 1.0
"""How often the line of a terminal is written anew."""


class Progress:
    """Observer that writes one line per scanner to stderr: rewritten in place on a terminal, at its end elsewhere.

    On a terminal it says how much time is left too, where the last run over about as many files tells. With `verbose`
    each stage and each child process has a line of its own, with the seconds since the start.
    """

    def __init__(self, *, quiet: bool, verbose: bool = False, tree: str = "") -> None:
        """`tree` is the path that is scanned, by which the last run is known.

        Raises UsageError where both are asked for.
        """
        if quiet and verbose:
            raise UsageError("--quiet and --verbose exclude each other", remedy="give one of them")
        self._lock = threading.Lock()
        self._quiet = quiet
        self._verbose = verbose
        self._live = obeys(sys.stderr) and not quiet
        self._tree = str(Path(tree).resolve())
        self._started = time.monotonic()
        self._known: Mapping[str, Pace] = _paces(self._tree) if self._live else {}
        self._course: Course | None = None
        self._over = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="secgate-progress", daemon=True)

    def stage(self, name: str, detail: str) -> None:
        """Hear that a stage begins; shown on terminals only. Raises SignalError where a signal came and was lost."""
        INTERRUPTS.check()
        with self._lock:
            self._course = None
            if self._verbose:
                self._told(f"{name}: {detail}" if detail else name)
            elif self._live:
                self._line(f"{name}: {detail}" if detail else name)

    def said(self, text: str) -> None:
        """Hear what is better known before the end of the run."""
        with self._lock:
            if not self._quiet:
                self._clear()
                self._say(f"secgate: {plain(text)}\n")

    def scanner(self, name: str, state: str, detail: str) -> None:
        """Hear how a scanner goes on."""
        with self._lock:
            course = self._course_of(name, state, detail)
            if state in ("done", "failed") and not self._quiet:
                self._clear()
                self._say(f"  {plain(name):<18} {state:<7} {plain(detail)}".rstrip() + "\n")
            elif self._verbose:
                self._told(f"{name} {state}: {detail}")
            if self._live:
                self._line(course.words(time.monotonic())) if course.running else self._clear()

    def close(self) -> None:
        """Leave the terminal clean."""
        self._over.set()
        if self._ticker.is_alive():
            self._ticker.join()
        with self._lock:
            self._clear()

    def keep(self, document: RunDocument) -> None:
        """Keep how long each scanner took, for who watches the next run of this tree."""
        if self._live:
            from secgate.preparation import keep_paces

            keep_paces(document.invocations, tree=self._tree, machine=machine())

    def _course_of(self, name: str, state: str, detail: str) -> Course:
        if self._course is None:
            from secgate.pace import Course

            self._course = Course(self._known, started=time.monotonic())
            if self._live and not self._ticker.is_alive() and not self._over.is_set():
                self._ticker.start()
        self._course.hear(name, state, detail)
        return self._course

    def _tick(self) -> None:
        while not self._over.wait(TICK_S):
            with self._lock:
                if self._course is not None and self._course.running:
                    self._line(self._course.words(time.monotonic()))

    def _told(self, text: str) -> None:
        self._clear()
        self._say(f"  {time.monotonic() - self._started:6.1f} s  {plain(text)}\n")

    def _line(self, text: str) -> None:
        self._say("\r\x1b[2K" + clipped(plain(text), columns(sys.stderr) - 1))

    def _clear(self) -> None:
        if self._live:
            self._say("\r\x1b[2K")

    def _say(self, text: str) -> None:
        """Write to stderr; where nobody reads it any more, the run goes on in silence."""
        try:
            click.echo(text, err=True, nl=False)
        except OSError:
            self._quiet, self._live, self._verbose = True, False, False
            let_go(sys.stderr)


def _paces(tree: str) -> Mapping[str, Pace]:
    from secgate.preparation import known_paces

    return known_paces(tree=tree, machine=machine())
