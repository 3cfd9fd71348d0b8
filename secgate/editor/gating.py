"""Gating one saved file: where it may lie, what is asked of it, and how a run of it is ended before its time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from secgate import pipeline
from secgate.config import Machine
from secgate.editor.ready import build_types
from secgate.editor.remarks import Remark, refusal, remarks
from secgate.errors import SecgateError
from secgate.model import Target, Value
from secgate.preparation import Kept, RunRequest
from secgate.repository import escaped


class Asked(Value, frozen=True, kw_only=True):
    """One file to be gated: its absolute path, and the workspace folder that it lies in."""

    path: str
    folder: str


class SupersededError(SecgateError):
    """Nobody waits for this run any more: the file was saved again or closed. Never shown."""


class Gate:
    """Gates files, in several threads at a time where need be.

    `clock` is the only clock; `request` says how, without what and where;
    `kept` is what it keeps from one file to the next; who made it closes it.
    """

    def __init__(self, request: RunRequest, *, machine: Machine, clock: Callable[[], datetime], kept: Kept) -> None:
        self._request = request
        self._machine = machine
        self._clock = clock
        self._kept = kept
        self._first = threading.Lock()
        self._is_ready = False

    def remarks(self, asked: Asked, stop: threading.Event) -> tuple[Remark, ...]:
        """Gate a file as it lies on the disk and give what is to be said of it; a refusal is a remark too.

        Raises SupersededError where `stop` was set meanwhile: children are gone then.
        """
        with self._first:
            if not self._is_ready:
                build_types()
                self._is_ready = True
        request = msgspec.structs.replace(self._request, path=asked.folder, named=(asked.path,), saved=True)
        try:
            done = pipeline.run(
                request,
                machine=self._machine,
                now=self._clock(),
                observer=_Watch(stop),
                cancelled=stop,
                kept=self._kept.of(asked.path),
            )
        except SecgateError as error:
            # What an ended child leaves behind reads like any failure.
            if stop.is_set():
                raise SupersededError("superseded") from error
            return (refusal(error),)
        if stop.is_set():
            raise SupersededError("superseded")
        return remarks(done, _path(done.target, asked.path))

    def expect(self, path: str) -> None:
        """Have the scanners of a file that was gated get ready for the next time, and those of no other file."""
        self._kept.standby.prepare(path)

    def rest(self) -> None:
        """End the scanners that wait."""
        self._kept.standby.end()


def _path(target: Target, name: str) -> str:
    """Give the path in the repository of the one file that was named, "" for none.

    It is what the run judged, else what it left out: discover refuses a name that is neither.
    """
    if target.changed:
        return target.changed[0]
    left_out = [one.path for one in target.left_out if escaped(name).endswith(f"/{one.path}")]
    return max(left_out, key=len, default="")


class _Watch:
    """Observer that ends a run at its next stage once nobody waits for it."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def stage(self, name: str, detail: str) -> None:
        """Raise SupersededError where the run is not wanted any more."""
        del name, detail
        if self._stop.is_set():
            raise SupersededError("superseded")

    def scanner(self, name: str, state: str, detail: str) -> None:
        """Hear how a scanner goes on, and tell nobody."""


def folder_of(path: str, folders: Sequence[str]) -> str:
    """Give the innermost of the workspace's folders that a file lies in, "" for none.

    Links above the file are followed, so that a link in a folder leads nobody out of it.
    """
    above, _, _ = os.path.normpath(path).rpartition("/")
    here = Path(os.path.realpath(above or "/"))
    holding = [one for one in folders if here.is_relative_to(os.path.realpath(one))]
    return max(holding, key=lambda one: len(os.path.realpath(one)), default="")
