"""How long scanners take, by how long they took the last time: an estimate, or none where the last time tells nothing.

Scanners share the processors, and the seconds of each are counted from the start of all: so the one that is expected
to end last tells when all have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from secgate.model import Invocation, ScanStatus, Value

ALIKE = 2.0
"""Files may be this many times more or less than the last time; else nothing is said."""
LONG_S = 5.0
"""What is expected to take less than this is not worth a word."""
_FILES = re.compile(r"(\d+) files")
_ROUND_S = 5


class Pace(Value, frozen=True, kw_only=True):
    """How long one scanner took for how many files, from the start of all scanners to its own end."""

    scanner: str
    files: int
    seconds: float


def paces(invocations: Iterable[Invocation]) -> tuple[Pace, ...]:
    """Give the pace of each scanner that came to its end and had files."""
    return tuple(
        Pace(scanner=one.scanner, files=len(one.files), seconds=one.duration_s)
        for one in invocations
        if one.status is ScanStatus.COMPLETED and one.files
    )


class Course:
    """Scanners of one view as they go on. Times are of one monotonic clock, in seconds."""

    def __init__(self, known: Mapping[str, Pace], *, started: float) -> None:
        self._known = known
        self._started = started
        self._files: dict[str, int] = {}
        self._done: set[str] = set()

    @property
    def running(self) -> tuple[str, ...]:
        """The scanners that are not at their end yet, by name."""
        return tuple(sorted(self._files.keys() - self._done))

    def hear(self, name: str, state: str, detail: str) -> None:
        """Hear of a scanner what an Observer hears."""
        if state == "waiting":
            counted = _FILES.fullmatch(detail)
            self._files[name] = int(counted[1]) if counted else 0
        elif state in ("done", "failed"):
            self._files.setdefault(name, 0)
            self._done.add(name)

    def left_s(self, now: float) -> float | None:
        """Give the seconds that are left, negative past what was expected; None where the last time does not tell."""
        expected = []
        for name in self.running:
            files, pace = self._files[name], self._known.get(name)
            if not files:
                continue
            if pace is None or not pace.files / ALIKE <= files <= pace.files * ALIKE:
                return None
            expected.append(pace.seconds * files / pace.files)
        if not expected or max(expected) < LONG_S:
            return None
        return max(expected) - (now - self._started)

    def words(self, now: float) -> str:
        """Give the whole in a line: time first, since a narrow terminal shows the beginning alone."""
        left = self.left_s(now)
        parts = [f"scanning {now - self._started:.0f} s"]
        if left is not None:
            parts.append(left_words(left))
        parts.append(f"{len(self._done)} of {len(self._files)} done")
        return ", ".join(parts) + ": " + ", ".join(self.running)


def left_words(left_s: float) -> str:
    """Say how much time is left, as exactly as an estimate can be."""
    if left_s <= 0:
        return "longer than the last time"
    if left_s < 120:
        return f"about {max(_ROUND_S, round(left_s / _ROUND_S) * _ROUND_S)} s left"
    return f"about {round(left_s / 60)} min left"
