"""What the adapters share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secgate.scanners.outputs import argument, chunks, cwes_of, decode, longest_suffix, view_path

NAMES = st.text(min_size=1).filter(lambda name: not name.startswith(("/", "./")))


@given(NAMES)
def test_a_path_survives_its_spelling_as_an_argument(path: str) -> None:
    assert view_path(argument(path)) == path
    assert not argument(path).startswith("-")


@given(st.lists(st.text(min_size=1, max_size=300)), st.integers(1, 50))
def test_parts_hold_every_name_in_order(paths: list[str], most: int) -> None:
    parts = list(chunks(paths, most))
    assert [path for part in parts for path in part] == paths
    assert all(0 < len(part) <= most for part in parts)


@pytest.mark.parametrize(
    ("place", "expected"),
    [("/v/b/a.py", "b/a.py"), ("/v/a.py", "a.py"), ("a.py", "a.py"), ("/v/xa.py", ""), ("", "")],
)
def test_the_longest_fitting_path_is_meant(place: str, expected: str) -> None:
    assert longest_suffix(place, {"a.py", "b/a.py"}) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [("CWE-79: x", (79,)), (["cwe-89", "CWE-20"], (20, 89)), (None, ()), ([1, "x"], ())]
)
def test_cwe_numbers_are_found_in_texts(value: object, expected: tuple[int, ...]) -> None:
    assert cwes_of(value) == expected


def test_a_byte_that_is_no_text_voids_no_report() -> None:
    assert decode(b'["a\xff.js", "b.js"]', list[str], tool="x") == ["a\ufffd.js", "b.js"]
