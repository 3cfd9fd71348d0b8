"""Places in many files, found in children of this process while it does what comes after: parsing takes most of it.

A child is told texts and what points into them, and gives back numbers and names. Whatever it does not answer, and
whatever nobody has begun when this process has nothing else to do, is left to the process itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import msgspec
from msgspec import Struct

from secgate.languages.parse import MOST_BYTES, FileIndex
from secgate.languages.pointing import Pointed, Spot, spot
from secgate.languages.source import Source
from secgate.languages.spans import Unit
from secgate.model import Limits, Region
from secgate.ports import ProcessRunner

LARGE = 2 * 1024 * 1024
"""Bytes of text below which no child is worth its start."""
_PART = 1024 * 1024
"""Bytes of text from which on a child has enough to do."""
_LIMITS = Limits(time_s=60.0, memory_bytes=2 << 30)
_MARK = b"\xef\xbb\xbf"


class Question(Struct, frozen=True, array_like=True, gc=False):
    """One file, as it is to be parsed, and what points into it."""

    kind: str
    data: bytes
    pointed: list[Pointed]


class _Answer(Struct, frozen=True, array_like=True, gc=False):
    """A file's units, each as its region, its offsets and its symbol; and what each that points means.

    That is a region, None for the very one that was pointed at, its offsets, and its unit by number, -1 for none.
    """

    units: list[tuple[int, int, int, int, int, int, str]]
    spots: list[tuple[Region | None, int, int, int]]


class Asked(Struct, frozen=True, gc=False):
    """A file and what points into it. Its parts are let go of with it: a tree is large."""

    path: str
    index: FileIndex
    pointed: Sequence[Pointed]


_Waiting = tuple[list[Asked], Future[bytes]]


class Apart:
    """Asks children, two at a time."""

    def __init__(self, *, runner: ProcessRunner, python: str, directory: str, large: int = LARGE) -> None:
        """`python` is an interpreter that has secgate; `directory` an existing private one to start in."""
        self._runner, self._python, self._directory, self._large = runner, python, directory, large
        self._has_failed = False

    def each(self, files: list[Asked]) -> Iterator[tuple[str, Sequence[Spot] | None]]:
        """Give every file's path, once, with its spots, or None where they are to be found here.

        In whatever order they come to be known: children work while the caller does something about what it was given.
        `files` is emptied, and nothing is kept of a file that was given.
        """
        parts, near = _parts(files, self._large)
        files.clear()
        with ThreadPoolExecutor(max_workers=2, thread_name_prefix="secgate-places") as pool:
            waiting = deque((part, pool.submit(self._ask, part)) for part in parts)
            try:
                yield from ((path, None) for path in near)
                while waiting:
                    part, told = _next(waiting)
                    paths = [one.path for one in part]
                    found = _read(told, part) if told else None
                    self._has_failed = self._has_failed or (told is not None and found is None)
                    part.clear()
                    yield from zip(paths, found if found is not None else [None] * len(paths), strict=True)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _ask(self, files: Sequence[Asked]) -> bytes:
        """Give a child's answer, b"" where it has none, and after the first such one."""
        if self._has_failed:
            return b""
        # A mark is dropped when it is read: so a text that itself begins with one is read as it is.
        asked = [Question(one.index.kind, _MARK + one.index.source.text.encode(), [*one.pointed]) for one in files]
        output = self._runner.run(
            [self._python, "-I", "-m", "secgate.languages.child"],
            cwd=self._directory,
            stdin=msgspec.msgpack.encode(asked),
            limits=_LIMITS,
        )
        if output.exit_code != 0 or output.problem or output.timed_out or output.truncated:
            self._has_failed = True
            return b""
        return output.stdout


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


def _parts(files: Sequence[Asked], large: int) -> tuple[list[list[Asked]], list[str]]:
    """Give the files that children are asked about, in parts of about equal size, and the paths of all others.

    A text may be over the limit only since it holds what could not be decoded: it is parsed here.
    """
    parts: list[list[Asked]] = []
    near: list[str] = []
    total = room = 0
    for one in files:
        size = len(one.index.source.text.encode()) + len(_MARK)
        if not one.index.has_parser or size > MOST_BYTES:
            near.append(one.path)
            continue
        if room <= 0:
            parts.append([])
            room = _PART
        parts[-1].append(one)
        room -= size
        total += size
    return (parts, near) if total >= large else ([], [*near, *(one.path for part in parts for one in part)])


def answer(question: bytes) -> bytes:
    """Give a child's answer to what it is asked."""
    asked = msgspec.msgpack.decode(question, type=list[Question])
    return msgspec.msgpack.encode([_answered(one) for one in asked])


def _answered(question: Question) -> _Answer:
    index = FileIndex(question.kind, question.data)
    numbers: dict[int, int] = {}
    units: list[tuple[int, int, int, int, int, int, str]] = []
    spots: list[tuple[Region | None, int, int, int]] = []
    for pointed in question.pointed:
        found = spot(index, pointed)
        number = -1
        if (unit := found.unit) is not None:
            # The index keeps each unit, and gives it again.
            number = numbers.setdefault(id(unit), len(units))
            if number == len(units):
                lines = unit.start_line, unit.start_column, unit.end_line, unit.end_column
                units.append((*lines, unit.start, unit.end, unit.symbol))
        spots.append((None if found.region is pointed.region else found.region, found.start, found.end, number))
    return _Answer(units, spots)


def _read(data: bytes, files: Sequence[Asked]) -> list[list[Spot]] | None:
    """Give the spots of an answer, None where it does not fit what was asked."""
    try:
        told = msgspec.msgpack.decode(data, type=list[_Answer])
        return [_spots(answer, one.index.source, one.pointed) for answer, one in zip(told, files, strict=True)]
    except (msgspec.DecodeError, ValueError, IndexError):
        return None


def _spots(told: _Answer, source: Source, pointed: Sequence[Pointed]) -> list[Spot]:
    units = [
        Unit(
            start_line=start_line,
            start_column=start_column,
            end_line=end_line,
            end_column=end_column,
            start=start,
            end=end,
            symbol=symbol,
            text=source.text[start:end],
        )
        for start_line, start_column, end_line, end_column, start, end, symbol in told.units
    ]
    units_or_none = [*units, None]  # the number -1 is the last
    return [
        Spot(region or one.region, start, end, units_or_none[number])
        for (region, start, end, number), one in zip(told.spots, pointed, strict=True)
    ]
