"""Nested stretches of a file that can be a unit, and the search for the smallest one at a position.

Each language gives a list of `Span`; everything else is the same for all of them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from secgate.model import Region


class Span(NamedTuple):
    """A statement, definition, resource, step, instruction or entry, as offsets.

    It reaches from `start` to `end`; what identity rests on ends at `head`: for a compound statement the end of its
    header, else equal to `end`. `symbol` is the dotted name inside of which it stands; `inner` the name inside of which
    its contents stand.
    """

    start: int
    end: int
    head: int
    symbol: str
    inner: str


class Unit(Struct, frozen=True, array_like=True, gc=False):
    """The smallest enclosing statement (of a compound one the header), resource, step or entry, found from a position.

    `region` counts columns in UTF-16 and stops before its end; `start` and `end` are the same as offsets.
    """

    region: Region
    start: int
    end: int
    symbol: str


class SpanTree:
    """Answers which span is the smallest at an offset, in logarithmic time plus depth."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = sorted(spans, key=lambda span: (span.start, -span.end))
        self._starts = [span.start for span in self._spans]
        self._parents: list[int] = []
        open_spans: list[int] = []
        for index, span in enumerate(self._spans):
            while open_spans and self._spans[open_spans[-1]].end < span.end:
                open_spans.pop()
            self._parents.append(open_spans[-1] if open_spans else -1)
            open_spans.append(index)

    @property
    def symbols(self) -> frozenset[str]:
        """Every name inside of which something stands."""
        return frozenset(name for span in self._spans for name in (span.symbol, span.inner) if name)

    def next_start(self, offset: int) -> int | None:
        """Give where the first span begins that begins at `offset` or later; None behind the last one."""
        index = bisect_left(self._starts, offset)
        return self._starts[index] if index < len(self._starts) else None

    def at(self, offset: int) -> Span | None:
        """Give the smallest span that contains `offset`, its end included; None outside of all."""
        index = bisect_right(self._starts, offset) - 1
        while index >= 0:
            span = self._spans[index]
            if span.start <= offset < max(span.end, span.start + 1):
                return span
            index = self._parents[index]
        return None
