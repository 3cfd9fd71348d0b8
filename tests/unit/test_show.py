"""Excerpts: the right lines, masked before they are cut, and none where there are none."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from secgate.languages.source import Source
from secgate.masking import Masker
from secgate.model import Location, Region
from secgate.reporters.text import TextReporter
from secgate.show import MAX_COLUMNS, MAX_FLAGGED, excerpts, show
from tests.factories import finding, run_document

TEN = b"".join(b"line %d\n" % n for n in range(1, 11))


def unmasked(path: str, lines: Sequence[str], first_line: int, *, commit: str = "") -> tuple[str, ...]:
    del path, first_line, commit
    return tuple(lines)


def excerpt(data: bytes | None, start: int, end: int = 0, column: int = 1) -> str | None:
    """The excerpt of one finding in a file of these bytes."""
    region = Region(start_line=start, start_column=column, end_line=end)
    one = finding(location=Location(path="a.py", region=region))
    return excerpts([one], lambda _: data, unmasked).get(one.fingerprint)


@pytest.mark.parametrize(
    ("start", "end", "first", "last"), [(5, 5, 2, 8), (1, 0, 1, 4), (10, 10, 7, 10), (4, 6, 1, 9), (9, 99, 6, 10)]
)
def test_three_lines_around(start: int, end: int, first: int, last: int) -> None:
    wanted = "\n".join(f"{n}\tline {n}" for n in range(first, last + 1))
    assert excerpt(TEN, start, end) == wanted


@pytest.mark.parametrize(("data", "start"), [(None, 3), (TEN, 0), (TEN, 11), (b"", 1)])
def test_no_lines_no_excerpt(data: bytes | None, start: int) -> None:
    assert excerpt(data, start) is None


def test_a_long_finding_is_shown_by_its_start() -> None:
    data = b"x\n" * 100
    text = excerpt(data, 10, 90)
    assert text
    assert len(text.split("\n")) == MAX_FLAGGED + 6


def test_a_long_line_is_cut_around_the_finding() -> None:
    text = excerpt(b"a" * 5000 + b"HERE" + b"b" * 5000, 1, column=5001)
    assert text
    assert "HERE" in text
    assert len(text) <= MAX_COLUMNS + len("1\t……")


def test_secrets_are_masked_before_a_line_is_cut() -> None:
    data = b"k = '" + b"s3cr3t" * 60 + b"'\nother\n"
    masker = Masker()
    masker.add("a.py", Source(data), [(5, 365)])
    one = finding(location=Location(path="a.py", region=Region(start_line=1, start_column=300, end_line=1)))
    text = excerpts([one], lambda _: data, masker.lines)[one.fingerprint]
    assert text == "1\tk = '[secret]'\n2\tother"


def test_a_line_has_one_number_whatever_is_in_it() -> None:
    assert excerpt(b"a\x0cb\x85c\xe2\x80\xa8d\xff\n", 1) == "1\ta\x0cb\ufffdc\u2028d\ufffd"


def test_each_file_is_read_once() -> None:
    asked: list[str] = []

    def read(place: Location) -> bytes:
        asked.append(place.path)
        return TEN

    places = [Location(path=path, region=Region(start_line=2)) for path in ("b", "a", "b", "a")]
    found = excerpts([finding(str(n), location=place) for n, place in enumerate(places)], read, unmasked)
    assert (asked, len(found)) == (["a", "b"], 4)


def test_show_gives_what_the_reporter_gives() -> None:
    shown = show(run_document(), TextReporter(), width=80, colour=False)
    assert shown.data.startswith(b"secgate: PASS\n")
