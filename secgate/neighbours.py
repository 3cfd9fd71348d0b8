"""Between which neighbours a line stands: what tells of a statement in no definition whether it is where it was."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence

from secgate.model import KnownFinding


class Neighbours:
    """Between which paired findings of its file a line stands, then and now, and how far behind the first of them."""

    def __init__(
        self,
        pairs: Iterable[tuple[int, int]],
        now: Sequence[KnownFinding],
        then: Sequence[KnownFinding],
        moved: Callable[[KnownFinding], str],
    ) -> None:
        found = [(now[one], then[other]) for one, other in pairs]
        paths = {one.path for one, _ in found if not one.symbol}
        lines: dict[str, set[tuple[int, int]]] = {}
        for one, other in found:
            if one.path in paths and moved(other) == one.path:
                lines.setdefault(one.path, set()).add((one.start_line, other.start_line))
        self._now: dict[str, list[int]] = {}
        self._then: dict[str, list[int]] = {}
        self._moved = moved
        for path, sides in lines.items():
            # Only those in the same order on both sides say where something lies between them.
            kept = _rising(sorted(sides))
            self._now[path], self._then[path] = [one for one, _ in kept], [other for _, other in kept]

    def now(self, one: KnownFinding) -> tuple[int, int]:
        """Give the gap's number in its file and the lines since the neighbour before it."""
        return _gap(self._now.get(one.path, ()), one.start_line)

    def then(self, one: KnownFinding) -> tuple[int, int]:
        """Give the same for a finding of then, whose file may have another name now."""
        return _gap(self._then.get(self._moved(one), ()), one.start_line)


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Give a longest part of `pairs`, sorted by their first, in which the second rises too."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for at, (_, other) in enumerate(pairs):
        place = bisect_left(tails, other)
        tails[place : place + 1] = [other]
        ends[place : place + 1] = [at]
        before.append(ends[place - 1] if place else -1)
    found = []
    at = ends[-1] if ends else -1
    while at >= 0:
        found.append(pairs[at])
        at = before[at]
    return found[::-1]


def _gap(lines: Sequence[int], line: int) -> tuple[int, int]:
    number = bisect_left(lines, line)
    return number, line - (lines[number - 1] if number else 0)
