"""The private folder and the executor of one run or query; both go when it ends."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from secgate import registry
from secgate.config import Machine
from secgate.executors.local import LocalExecutor
from secgate.ports import Observer
from secgate.preparation.kept import Kept


class Workshop(Struct, frozen=True, kw_only=True):
    """What one run works with: a private folder that goes with it, the executor, the moment, who listens."""

    scratch: str
    executor: LocalExecutor
    parallel: int
    """Child processes at a time."""
    machine: Machine
    now: datetime
    observer: Observer
    stack: contextlib.ExitStack
    """Closes what is opened for the run."""
    kept: Kept | None = None


@contextlib.contextmanager
def workshop(
    machine: Machine,
    *,
    now: datetime,
    observer: Observer,
    jobs: int = 0,
    cancelled: threading.Event | None = None,
    kept: Kept | None = None,
) -> Iterator[Workshop]:
    """Give a workshop; at its end, however it comes, children are gone and so is the folder.

    `jobs` is the number of child processes at a time, 0 for as many as there are processors. Setting `cancelled` ends
    the children at once, from any thread. `kept` is what a server keeps between runs.
    """
    parallel = jobs or len(os.sched_getaffinity(0))
    with contextlib.ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="secgate-"))
        executor = registry.executor(
            machine,
            scratch=scratch,
            parallel=parallel,
            cancelled=cancelled,
            standby=kept.standby if kept is not None else None,
            standby_for=kept.name if kept is not None else "",
        )
        try:
            yield Workshop(
                scratch=scratch,
                executor=executor,
                parallel=parallel,
                machine=machine,
                now=now,
                observer=observer,
                stack=stack,
                kept=kept,
            )
        except BaseException:
            executor.cancel()
            raise
