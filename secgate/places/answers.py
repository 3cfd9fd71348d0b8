"""What a child is asked of a file, and what it says: regions, offsets, units, and the wording of each unit."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from secgate.languages.parse import FileIndex
from secgate.languages.spans import Unit
from secgate.languages.tokens import Words
from secgate.model import Region
from secgate.places.pointing import Pointed, Spot, spot
from secgate.places.wording import Wording, worded

MARK = b"\xef\xbb\xbf"
"""Stands before a question's text: a mark is dropped when it is read, and the text may itself begin with one."""


class Question(Struct, frozen=True, array_like=True, gc=False):
    """One file, as it is to be parsed, and what points into it."""

    kind: str
    data: bytes
    pointed: list[Pointed]


class Answer(Struct, frozen=True, array_like=True, gc=False):
    """A file's units and their wordings; and what each that points means.

    That is a region, None for the very one that was pointed at, its offsets, and its unit by number, -1 for none.
    """

    units: list[Unit]
    wordings: list[Wording]
    spots: list[tuple[Region | None, int, int, int]]

    def spots_of(self, pointed: Sequence[Pointed]) -> list[Spot]:
        """Give what each means. Raises ValueError or IndexError where this is no answer to that."""
        units, wordings = [*self.units, None], [*self.wordings, None]  # the number -1 is the last
        if len(units) != len(wordings):
            raise ValueError("units without a wording")
        return [
            Spot(region or one.region, start, end, units[number], wordings[number])
            for (region, start, end, number), one in zip(self.spots, pointed, strict=True)
        ]


def answer(question: bytes) -> bytes:
    """Give a child's answer to what it is asked."""
    asked = msgspec.msgpack.decode(question, type=list[Question])
    words = Words()
    return msgspec.msgpack.encode([_answered(one, words) for one in asked])


def _answered(question: Question, words: Words) -> Answer:
    index = FileIndex(question.kind, question.data)
    numbers: dict[int, int] = {}
    units: list[Unit] = []
    wordings: list[Wording] = []
    spots: list[tuple[Region | None, int, int, int]] = []
    for pointed in question.pointed:
        found = spot(index, pointed)
        number = -1
        if (unit := found.unit) is not None:
            # The index keeps each unit, and gives it again.
            number = numbers.setdefault(id(unit), len(units))
            if number == len(units):
                units.append(unit)
                wordings.append(worded(question.kind, index.source.text[unit.start : unit.end], words))
        spots.append((None if found.region is pointed.region else found.region, found.start, found.end, number))
    return Answer(units, wordings, spots)
