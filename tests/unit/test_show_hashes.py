"""What is stored of lines for GitHub: the hash of where each result begins, never of a text that holds a secret."""

from __future__ import annotations

import pytest

from secgate.languages.source import Source
from secgate.masking import Masker
from secgate.model import Location
from secgate.sarif import line_hashes as hashes_of
from secgate.show import line_hashes
from tests.factories import finding, location, result

DATA = b"first = 1\n\npassword = 'hunter2hunter2'\n" + b"later = 2\n" * 30


def stored(*places: Location, data: bytes | None = DATA, masker: Masker | None = None) -> dict[str, dict[str, str]]:
    """The hashes of findings with a result at each place."""
    findings = [finding(str(n), witnesses=(result(location=place),)) for n, place in enumerate(places)]
    return line_hashes(findings, lambda _: data, (masker or Masker()).cut)


def of(*lines: int) -> dict[str, dict[str, str]]:
    """What GitHub computes for these lines of DATA."""
    return {"a.py": {str(line): value for line, value in hashes_of(DATA, lines).items()}}


def test_the_line_of_each_result_has_its_hash() -> None:
    assert stored(location("a.py", 1), location("a.py", 4)) == of(1, 4)


@pytest.mark.parametrize(
    "place", [location("a.py", 0), location("a.py", 999), location("", 1), location("a.py", 1, commit="abc")]
)
def test_without_a_line_in_the_tree_there_is_none(place: Location) -> None:
    assert stored(place) == {}


@pytest.mark.parametrize("data", [None, b"\xff\xfe\n" * 9])
def test_without_text_there_is_none(data: bytes | None) -> None:
    assert stored(location("a.py", 1), data=data) == {}


def test_a_hash_that_covers_a_secret_is_left_out() -> None:
    masker = Masker()
    start = DATA.index(b"hunter2")
    masker.add("a.py", Source(DATA), [(start, start + 14)])
    # The hash of line 1 reaches over line 3, those from 4 on do not.
    assert stored(*(location("a.py", n) for n in (1, 3, 4, 5)), masker=masker) == of(4, 5)
