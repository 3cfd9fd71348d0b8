"""Children that stand by: started before they are wanted, waiting at a gate for the files that they are to look at.

Starting a scanner takes longer than looking at one file. A job that says how (`Job.standby`) is started ahead of its
turn and reads a pipe once it is ready; when its turn comes its files are laid out, the pipe ends, and it goes on. It
is a child like any other: it looks at one set of bytes, once, in directories of its own, and is thrown away. What
differs is when it was started, so everything but the files must be as it was then, or another one is started in the
usual way.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from secgate.executors.child import Child, start_child
from secgate.executors.environment import SYSTEM_PATH, child_environment
from secgate.executors.workplace import Workplaces, arguments, with_files, write_blob
from secgate.model import STANDBY_GATE, Job, Output, Tool, View

MOST_FILES = 20
MOST_SETS = 32
"""Sets of jobs that are remembered; the one not asked for longest is forgotten first."""


class _Wanted(NamedTuple):
    job: Job
    tool: Tool | None
    rules_root: str


def _may_wait(wanted: _Wanted) -> bool:
    job, tool = wanted.job, wanted.tool
    # What a version that was not tested reads before it comes to the gate, nobody has looked at.
    is_known = tool is None or tool.tested
    return bool(job.standby) and is_known and not job.service and not job.network and len(job.files) <= MOST_FILES


class Waiting:
    """One child that waits, and what was made for it."""

    def __init__(self, child: Child, job: Job, place: Path, gate: int) -> None:
        self._child = child
        self._job = job
        self._place = place
        self._gate = gate

    @property
    def view(self) -> Path:
        """The folder that its files are laid out in."""
        return self._place / "view"

    @property
    def process_id(self) -> int:
        """Number of its process."""
        return self._child.process_id

    def is_there(self) -> bool:
        """Tell whether it still waits."""
        return not self._child.has_exited()

    def finish(self, view: View, *, is_cancelled: Callable[[], bool]) -> Output:
        """Lay out the job's files as they are in `view`, let it go on, and give what came of it."""
        since = time.monotonic()
        try:
            for path in self._job.files:
                # Under a new name first: whoever looks sees the empty file or all of this one.
                fresh = self._place / "fresh"
                shutil.copyfile(f"{view.root}/{path}", fresh, follow_symlinks=False)
                fresh.replace(self.view / path)
            self._open()
            output = self._child.finish(is_cancelled, since=since)
            return with_files(output, self._place / "work", self._job)
        finally:
            self.end()

    def _open(self) -> None:
        """End the pipe, for a child that reads it and for one that comes to it later, which finds an empty file."""
        gate, empty = self._place / "work" / STANDBY_GATE, self._place / "empty"
        empty.touch(mode=0o600)
        empty.replace(gate)
        os.close(self._gate)
        self._gate = -1

    def end(self) -> None:
        """Leave nothing behind."""
        self._child.end()
        if self._gate >= 0:
            os.close(self._gate)
            self._gate = -1
        shutil.rmtree(self._place, ignore_errors=True)


class Standby:
    """Jobs by what they were for, and the children that wait for the next of them. Safe for threads."""

    def __init__(self, *, environment: Mapping[str, str], python: str, path: str = SYSTEM_PATH) -> None:
        """See LocalExecutor; nothing is started before `prepare`."""
        self._environment = dict(environment)
        self._python = python
        self._path = path
        self._lock = threading.Lock()
        self._scratch = ""
        self._sets: dict[str, dict[str, tuple[bytes, _Wanted]]] = {}
        self._waiting: dict[bytes, Waiting] = {}

    def take(self, job: Job, tool: Tool | None, *, rules_root: str, name: str) -> Waiting | None:
        """Give a child that waits for this very job, None for none.

        It is remembered either way as one of `name`, in place of the one that `name` had by the job's name.
        """
        wanted = _Wanted(job, tool, rules_root)
        # Names need not be UTF-8, so no encoder of documents will do.
        key = hashlib.sha256(repr(wanted).encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            mine = self._sets[name] = self._sets.pop(name, {})
            while len(self._sets) > MOST_SETS:
                del self._sets[next(iter(self._sets))]
            if not _may_wait(wanted):
                mine.pop(job.name, None)
                return None
            mine[job.name] = (key, wanted)
            found = self._waiting.pop(key, None)
        if found is not None and not found.is_there():
            found.end()
            return None
        return found

    def prepare(self, name: str) -> None:
        """Have a child wait for each job of `name`, and none for any other."""
        with self._lock:
            wanted = dict(self._sets.get(name, {}).values())
            for key in [key for key in self._waiting if key not in wanted]:
                self._waiting.pop(key).end()
            for key, one in wanted.items():
                if key not in self._waiting and (made := self._started(one)) is not None:
                    self._waiting[key] = made

    def end(self) -> None:
        """End every child that waits; `prepare` may be called again."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            scratch, self._scratch = self._scratch, ""
        for one in waiting.values():
            one.end()
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)

    def _started(self, wanted: _Wanted) -> Waiting | None:
        job = wanted.job
        self._scratch = self._scratch or tempfile.mkdtemp(prefix="secgate-")
        place = Workplaces(self._scratch).make()
        work, view = place / "work", place / "view"
        view.mkdir(mode=0o700)
        for path in job.files:
            (view / path).parent.mkdir(parents=True, exist_ok=True)
            (view / path).touch(mode=0o600)
        for name, blob in job.blobs.items():
            write_blob(work, name, blob)
        os.mkfifo(work / STANDBY_GATE, 0o600)
        # Open for writing too, so that neither side waits for the other to come, and that the pipe ends with us.
        gate = os.open(work / STANDBY_GATE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        child = start_child(
            arguments(
                msgspec.structs.replace(job, argv=job.standby),
                wanted.tool,
                view=str(view),
                work=work,
                python=self._python,
                rules=wanted.rules_root,
                service="",
            ),
            cwd=str(work) if job.cwd == "work" else str(view),
            stdin=b"",
            env=child_environment(
                self._environment,
                path=self._path,
                home=str(place / "home"),
                temporary=str(place / "tmp"),
                extra=job.env,
                network=False,
            ),
            limits=job.limits,
        )
        if isinstance(child, Output):
            # In its turn it is started in the usual way, and says why it cannot be.
            os.close(gate)
            shutil.rmtree(place, ignore_errors=True)
            return None
        return Waiting(child, job, place, gate)
