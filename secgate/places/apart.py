"""Places in many files, found in children of this process while it does what comes before and after.

A child is told texts and what points into them, and gives back numbers, names and digests. Whatever it does not answer,
and whatever nobody has begun when this process has nothing else to do, is left to the process itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import msgspec
from msgspec import Struct

from secgate.languages.parse import MOST_BYTES, FileIndex
from secgate.model import Limits
from secgate.places.answers import MARK, Answer, Question
from secgate.places.pointing import Pointed, Spot
from secgate.ports import ProcessRunner

LARGE = 2 * 1024 * 1024
"""Bytes of text below which no child is worth its start."""
_PART = 512 * 1024
"""Bytes of text from which on a child has enough to do."""
_MOST = 2 * 1024 * 1024
_CHILDREN = 2
_LIMITS = Limits(time_s=60.0, memory_bytes=2 << 30)


class Asked(Struct, frozen=True, gc=False):
    """A file and what points into it; no index for one that is not to be asked about.

    Its parts are let go of with it: a tree is large.
    """

    path: str
    index: FileIndex | None
    pointed: Sequence[Pointed]


_Sized = tuple[int, Asked]
_Waiting = tuple[list[Asked], Future[bytes]]


class Apart:
    """Asks children, two at a time."""

    def __init__(self, *, runner: ProcessRunner, python: str, directory: str, large: int = LARGE) -> None:
        """`python` is an interpreter that has secgate; `directory` an existing private one to start in."""
        self._runner, self._python, self._directory, self._large = runner, python, directory, large
        self._has_failed = False

    def each(self, files: Iterable[Asked]) -> Iterator[tuple[str, Sequence[Spot] | None]]:
        """Give every file's path, once, with its spots, or None where they are to be found here.

        All files are taken before the first is given, and children begin with those that came while others are taken.
        They are given in whatever order they come to be known: children work while the caller does something about
        what it was given. Nothing is kept of a file that was given.
        """
        near: list[str] = []
        held: list[_Sized] = []
        size = total = 0
        enough = _PART
        waiting: deque[_Waiting] = deque()
        with ThreadPoolExecutor(max_workers=_CHILDREN, thread_name_prefix="secgate-places") as pool:

            def ask(least: int, most: int) -> None:
                for part in _parts(held, least, most):
                    waiting.append((part, pool.submit(self._ask, part)))
                held.clear()

            try:
                for one in files:
                    weight = _weight(one)
                    if not weight:
                        near.append(one.path)
                        continue
                    held.append((weight, one))
                    size, total = size + weight, total + weight
                    if size >= enough and total >= self._large:
                        idle = _CHILDREN - sum(not future.done() for _, future in waiting)
                        if idle > 0 or size >= _MOST:
                            ask(size // max(idle, 1), _MOST)
                            size = 0
                        enough = size + _PART
                if total < self._large:
                    near += [one.path for _, one in held]
                    held.clear()
                ask(_PART, _MOST)
                yield from ((path, None) for path in near)
                while waiting:
                    yield from self._told(*_next(waiting))
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _told(self, part: list[Asked], told: bytes | None) -> Iterator[tuple[str, Sequence[Spot] | None]]:
        paths = [one.path for one in part]
        found = _read(told, part) if told else None
        self._has_failed = self._has_failed or (told is not None and found is None)
        part.clear()
        yield from zip(paths, found if found is not None else [None] * len(paths), strict=True)

    def _ask(self, files: Sequence[Asked]) -> bytes:
        """Give a child's answer, b"" where it has none, and after the first such one."""
        if self._has_failed:
            return b""
        asked = [
            Question(one.index.kind, MARK + one.index.source.text.encode(), [*one.pointed])
            for one in files
            if one.index is not None
        ]
        output = self._runner.run(
            [self._python, "-I", "-m", "secgate.places.child"],
            cwd=self._directory,
            stdin=msgspec.msgpack.encode(asked),
            limits=_LIMITS,
        )
        if output.exit_code != 0 or output.problem or output.timed_out or output.truncated:
            self._has_failed = True
            return b""
        return output.stdout


def _weight(one: Asked) -> int:
    """Give the bytes that a child is to parse, 0 for what is parsed here.

    A text may be over the limit only since it holds what could not be decoded: it is parsed here too.
    """
    if one.index is None or not one.index.has_parser:
        return 0
    text = one.index.source.text
    size = (len(text) if text.isascii() else len(text.encode())) + len(MARK)
    return size if size <= MOST_BYTES else 0


def _parts(files: Sequence[_Sized], least: int, most: int) -> Iterator[list[Asked]]:
    """Share files out, each time a third of what is left: few children are started, and all are ready at one time.

    That is within limits of bytes; a part ends behind the file that fills it, and the last one may be smaller.
    """
    left = sum(size for size, _ in files)
    part: list[Asked] = []
    room = 0
    for size, one in files:
        room = room if part else min(max(left // (_CHILDREN + 1), least), most)
        part.append(one)
        left, room = left - size, room - size
        if room <= 0:
            yield part
            part = []
    if part:
        yield part


def _next(waiting: deque[_Waiting]) -> tuple[list[Asked], bytes | None]:
    """Take out a part: the first with its answer, else the last, which no child has begun, else wait for one."""
    while True:
        at = next((at for at, (_, future) in enumerate(waiting) if future.done()), None)
        if at is not None:
            part, future = waiting[at]
            del waiting[at]
            return part, future.result()
        if waiting[-1][1].cancel():
            return waiting.pop()[0], None
        wait([future for _, future in waiting], return_when=FIRST_COMPLETED)


def _read(data: bytes, files: Sequence[Asked]) -> list[list[Spot]] | None:
    """Give the spots of an answer, None where it does not fit what was asked."""
    try:
        told = msgspec.msgpack.decode(data, type=list[Answer])
        return [answer.spots_of(one.pointed) for answer, one in zip(told, files, strict=True)]
    except (msgspec.DecodeError, ValueError, IndexError):
        return None
