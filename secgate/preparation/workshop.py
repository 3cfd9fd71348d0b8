"""The private folder and the executor of one run or query; both go when it ends."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from secgate import registry
from secgate.config import Machine
from secgate.executors.local import LocalExecutor
from secgate.ports import Observer


class Workshop(Struct, frozen=True, kw_only=True):
    """What one run works with: a private folder that goes with it, the executor, the moment, who listens."""

    scratch: str
    executor: LocalExecutor
    machine: Machine
    now: datetime
    observer: Observer


@contextlib.contextmanager
def workshop(machine: Machine, *, now: datetime, observer: Observer) -> Iterator[Workshop]:
    """Give a workshop; at its end, however it comes, children are gone and so is the folder."""
    with tempfile.TemporaryDirectory(prefix="secgate-") as scratch:
        executor = registry.executor(machine, scratch=scratch, parallel=0)
        try:
            yield Workshop(scratch=scratch, executor=executor, machine=machine, now=now, observer=observer)
        except BaseException:
            executor.cancel()
            raise
