"""Columns in the three units, and regions that lie outside of the text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secgate.languages.source import ColumnUnit, Source
from secgate.model import Region


@pytest.mark.parametrize(
    ("column", "unit", "expected"),
    [(1, "utf-8", 1), (3, "utf-8", 2), (7, "utf-8", 4), (3, "code-point", 4), (3, "utf-16", 3), (0, "utf-8", 0)],
)
def test_utf16_column(column: int, unit: ColumnUnit, expected: int) -> None:
    assert Source("é😀x".encode()).utf16_column(1, column, unit) == expected


def test_column_behind_the_line_is_clamped() -> None:
    assert Source(b"abc\n").utf16_column(1, 99, "utf-8") == 4
    assert Source("é\n".encode()).utf16_column(1, 99, "utf-16") == 2


def test_lines_end_in_three_ways() -> None:
    source = Source(b"a\r\nb\rc\nd")
    assert [source.line(number) for number in range(1, 6)] == ["a", "b", "c", "d", "d"]
    assert source.line_count == 4


def test_bytes_that_are_not_utf8_are_replaced() -> None:
    assert Source(b"a\xff").text == "a\ufffd"


@settings(deadline=None)
@given(st.text(alphabet="aé😀\n\r ", max_size=30), st.integers(0, 40))
def test_offsets_come_back(text: str, offset: int) -> None:
    source = Source(text.encode())
    at = min(offset, len(text))
    if source.text[at - 1 : at + 1] != "\r\n" or at == 0:
        assert source.offset(*source.position(at)) in (at, source.line_bounds(source.position(at)[0])[1])
    assert source.from_byte(len(text[:at].encode())) == at


@settings(deadline=None)
@given(st.text(max_size=30), st.tuples(*[st.integers(-5, 50)] * 4))
def test_hostile_region_is_clamped(text: str, numbers: tuple[int, int, int, int]) -> None:
    source = Source(text.encode("utf-8", "replace"))
    start_line, start_column, end_line, end_column = numbers
    region = Region(start_line=start_line, start_column=start_column, end_line=end_line, end_column=end_column)
    start, end = source.offsets(region)
    assert 0 <= start <= end <= len(source.text)


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@settings(deadline=None)
@given(st.text(alphabet="aé😀ß\u2028\n\r ", max_size=30), st.integers(1, 12), st.integers(1, 40))
def test_columns_and_offsets_are_those_that_counting_gives(text: str, line: int, column: int) -> None:
    source = Source(text.encode())
    lines = re.split(r"\r\n|\r|\n", text)
    here = lines[min(line, len(lines)) - 1]
    start = source.line_bounds(line)[0]
    assert source.line(line) == here
    assert source.utf16_column(line, column, "utf-16") == min(column, _utf16(here) + 1)
    assert source.utf16_column(line, column, "code-point") == _utf16(here[: column - 1]) + 1
    before = next((at for at in range(len(here) + 1) if _utf16(here[:at]) >= column - 1), len(here))
    assert source.offset(line, column) == start + before
    assert source.position(start + before) == (min(line, len(lines)), _utf16(here[:before]) + 1)
