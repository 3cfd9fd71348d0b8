"""Where a child works: private directories, the blobs that are laid out for it, the files that are taken back.

A scanner's directories are made for it and removed after it. What is asked by secgate itself, and left nothing in its
own, hands them on.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec

from secgate.errors import InternalError
from secgate.model import Job, Output, Tool

PARTS = ("home", "tmp", "work")


class Workplaces:
    """Private directories below `scratch`, an existing one; None for the system's. Safe for threads."""

    def __init__(self, scratch: str | None) -> None:
        self._scratch = scratch
        self._lock = threading.Lock()
        self._clean: list[Path] = []

    @contextlib.contextmanager
    def own(self) -> Iterator[Path]:
        """Make the directories of one call, for this user only, and remove them again."""
        place = self.make()
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)

    @contextlib.contextmanager
    def lent(self) -> Iterator[Path]:
        """Lend directories of one call, empty too, that an earlier call may have left so.

        For programs that are asked by secgate itself, git above all: making and removing takes longer than they do.
        """
        with self._lock:
            place = self._clean.pop() if self._clean else None
        place = place or self.make()
        try:
            yield place
        finally:
            # Without a scratch directory nobody removes them at the end.
            if self._scratch is not None and _is_untouched(place):
                with self._lock:
                    self._clean.append(place)
            else:
                shutil.rmtree(place, ignore_errors=True)

    def make(self) -> Path:
        """Make a directory with `PARTS`; whoever asks for it removes it."""
        place = Path(tempfile.mkdtemp(prefix="child-", dir=self._scratch))
        for part in PARTS:
            (place / part).mkdir(mode=0o700)
        return place


def _is_untouched(place: Path) -> bool:
    try:
        with os.scandir(place) as entries:
            if {(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries} != {(p, True) for p in PARTS}:
                return False
        for part in PARTS:
            if stat.S_IMODE((place / part).lstat().st_mode) != 0o700:
                return False
            with os.scandir(place / part) as left:
                if next(left, None) is not None:
                    return False
    except OSError:
        return False
    return True


def arguments(
    job: Job, tool: Tool | None, *, view: str, work: Path, python: str, rules: str, service: str
) -> list[str]:
    """Fill the slots of a job's arguments; `python` is secgate's own interpreter.

    Slots are objects, so no text in a file name or a setting can be taken for one.
    """
    places = {
        "view": view,
        "work": str(work),
        "tool": tool.path if tool else "",
        "python": (tool.interpreter if tool else "") or python,
        "service": service,
        "rules": rules,
    }
    return [part if isinstance(part, str) else places[part.name] + part.suffix for part in job.argv]


def plain(name: str) -> str:
    """Give a name that is one of a file in a folder, nothing else. Raises InternalError for any other."""
    if not name or "/" in name or "\0" in name or name in {".", ".."}:
        raise InternalError(f"a job names {name!r} as a file of its work directory")
    return name


def write_blob(work: Path, name: str, blob: bytes) -> None:
    """Write a new file of the work directory."""
    descriptor = os.open(work / plain(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(blob)


def with_files(output: Output, work: Path, job: Job) -> Output:
    """Add the job's output files: regular files only, no links followed, all of them together under the output cap."""
    files: dict[str, bytes] = {}
    room = job.limits.output_bytes
    for name in job.outputs:
        data = _read_plain(work / plain(name), room + 1)
        if data is None:
            continue  # the adapter's `read` says what a missing file means
        if len(data) > room:
            return msgspec.structs.replace(output, files=files, truncated=True)
        room -= len(data)
        files[name] = data
    return msgspec.structs.replace(output, files=files)


def _read_plain(path: Path, most: int) -> bytes | None:
    """Give at most `most` bytes of a regular file, or None when there is none at `path`."""
    try:
        # O_NONBLOCK: opening a pipe that nobody writes to must not wait.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read(most)
