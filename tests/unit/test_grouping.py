"""Groups of large files: what is looked up is what looking at everything gives, in time that grows with the results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hypothesis import example, given
from hypothesis import strategies as st

from secgate.fingerprint import Located, Place, digest
from secgate.grouping import _apart, _end, _nearest, _start, group
from secgate.model import Confidence, Lane, Location, Region, Result, Severity
from tests.work import calls_of


class Seen(NamedTuple):
    """A made result: a tool, the lines of its region, and the last line of the unit that it begins in."""

    tool: str
    first: int
    last: int
    unit_last: int


def _located(one: Seen) -> Located:
    location = Location(
        path="a.py", region=Region(start_line=one.first, start_column=1, end_line=one.last, end_column=9)
    )
    result = Result(
        scanner=one.tool,
        lane=Lane.SAST,
        rule="r",
        message="m",
        location=location,
        severity=Severity.HIGH,
        score=8.0,
        severity_basis="made",
        confidence=Confidence.HIGH,
        weakness="w",
    )
    unit = Region(start_line=one.first, start_column=1, end_line=one.unit_last, end_column=5)
    return Located(result=result, place=Place(region=unit, symbol=f"f{one.first}", anchored=digest(str(one.first))))


def _homes(units: dict[int, list[Seen]]) -> Iterator[tuple[int, int]]:
    """Give wide units with the first narrow one inside that only other tools speak of, each pair looked at."""
    wide = {line for line, found in units.items() if all(one.unit_last < one.last for one in found)}
    for line in sorted(wide):
        tools, last = {one.tool for one in units[line]}, min(one.last for one in units[line])
        for other in sorted(set(units) - wide):
            is_inside = other >= line and units[other][0].unit_last <= last
            if is_inside and tools.isdisjoint(one.tool for one in units[other]):
                yield line, other
                break


@st.composite
def _seen(draw: st.DrawFn) -> list[Seen]:
    found = []
    for line in range(1, 40, 3):
        unit_last = line + draw(st.integers(0, 2))
        for tool in draw(st.lists(st.sampled_from("abc"), unique=True, max_size=2)):
            found += [Seen(tool, line, unit_last + draw(st.sampled_from([0, 0, 3, 9, 30])), unit_last)]
    return found


@given(_seen())
@example([Seen("a", 1, 5, 1), Seen("b", 1, 20, 1), Seen("c", 7, 7, 7)])
def test_a_wide_region_joins_the_first_unit_inside_that_others_speak_of(seen: list[Seen]) -> None:
    units: dict[int, list[Seen]] = {}
    for one in seen:
        units.setdefault(one.first, []).append(one)
    homes = dict(_homes(units))
    expected = {
        line: sorted([line, *(wide for wide, home in homes.items() if home == line)])
        for line in units
        if line not in homes
    }
    groups = tuple(group([_located(one) for one in seen]))
    lines = {one.members[0].place.region.start_line: one.members for one in groups}
    assert {line: sorted({one.place.region.start_line for one in found}) for line, found in lines.items()} == expected
    assert sum(len(found) for found in lines.values()) == len(seen)


_POINTS = st.tuples(st.integers(1, 6), st.integers(0, 9))


def _nearest_of_all(seeds: Sequence[Region], line: int, column: int) -> int:
    holding = [at for at, seed in enumerate(seeds) if _start(seed) <= (line, column) < _end(seed)]
    away = [(abs(one.start_line - line), abs(one.start_column - column), at) for at, one in enumerate(seeds)]
    return holding[0] if holding else min(away)[2]


@given(st.lists(st.tuples(_POINTS, _POINTS), min_size=1, max_size=12), _POINTS)
def test_the_nearest_seed_is_the_nearest_of_all(
    ends: list[tuple[tuple[int, int], tuple[int, int]]], at: tuple[int, int]
) -> None:
    regions = [
        Region(start_line=start[0], start_column=start[1], end_line=end[0], end_column=end[1])
        for start, end in map(sorted, ends)
    ]
    seeds = _apart(regions)
    assert _nearest([_start(one) for one in seeds], [_end(one) for one in seeds], at) == _nearest_of_all(seeds, *at)


def test_growth_is_linear_in_wide_regions_and_in_places_of_one_unit() -> None:
    """Ten times as many of both in one file take about ten times the calls."""

    def spent(count: int) -> int:
        wide = [Seen("a", line, line + 4, line) for line in range(1, 5 * count, 5)]
        narrow = [Seen("b", line + 2, line + 2, line + 2) for line in range(1, 5 * count, 5)]
        found = [_located(one) for one in (*wide, *narrow)]
        table = Place(
            region=Region(start_line=1, start_column=1, end_line=9 * count, end_column=1), anchored=digest("t")
        )
        inside = [
            Located(result=_located(Seen("c", line, line, line)).result, place=table) for line in range(1, count, 2)
        ]
        return calls_of(lambda: list(group([*found, *inside])))

    assert spent(3_000) < 13 * spent(300)
