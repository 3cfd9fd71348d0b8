"""The hash of a line as GitHub computes it, held against a slow implementation that works as the description reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secgate.sarif.line_hash import covered, line_hashes

TEXTS = st.text(st.sampled_from("ab \t\r\n\U0001f600é\uffff\ufeff\0x"), max_size=60) | st.text(max_size=150)


def slow(data: bytes) -> dict[int, str]:
    """Every line's hash, one character after the other through a window of one hundred."""
    units: list[int] = []
    encoded = data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n").encode("utf-16-be")
    for at in range(0, len(encoded), 2):
        unit = encoded[at] * 256 + encoded[at + 1]
        if unit not in (ord(" "), ord("\t")):
            units.append(unit)
    units.append(65535)
    starts = [0] + [at + 1 for at, unit in enumerate(units) if unit == ord("\n")]
    units += [0] * 100
    seen: dict[int, int] = {}
    found = {}
    for line, start in enumerate(starts, 1):
        value = 0
        for unit in units[start : start + 100]:
            value = (value * 37 + unit) % 2**64
        seen[value] = seen.get(value, 0) + 1
        found[line] = f"{value:x}:{seen[value]}"
    return found


@given(TEXTS)
def test_equals_the_slow_implementation(text: str) -> None:
    data = text.encode()
    wanted = slow(data)
    assert line_hashes(data, range(1, len(wanted) + 3)) == wanted


@given(TEXTS, st.sets(st.integers(0, 40)))
def test_one_line_alone_is_as_among_all(text: str, lines: set[int]) -> None:
    wanted = slow(text.encode())
    assert line_hashes(text.encode(), lines) == {line: wanted[line] for line in lines if line in wanted}


def value_of(units: list[int]) -> str:
    """A window's hash as one sum."""
    return f"{sum(unit * 37 ** (99 - at) for at, unit in enumerate(units)) % 2**64:x}"


@pytest.mark.parametrize(
    ("data", "hashes"),
    [
        (b"", [f"{value_of([65535])}:1"]),
        (b"a", [f"{value_of([97, 65535])}:1"]),
        (b" \ta ", [f"{value_of([97, 65535])}:1"]),
        (b"a\r\n", [f"{value_of([97, 10, 65535])}:1", f"{value_of([65535])}:1"]),
        (b"\r \n", [f"{value_of([10, 10, 65535])}:1", f"{value_of([10, 65535])}:1", f"{value_of([65535])}:1"]),
        (b"x\n" * 60, [f"{value_of([120, 10] * 50)}:1", f"{value_of([120, 10] * 50)}:2"]),
        (b"\xf0\x9f\x98\x80", [f"{value_of([0xD83D, 0xDE00, 65535])}:1"]),
        (b"\xef\xbb\xbfa", [f"{value_of([0xFEFF, 97, 65535])}:1"]),
    ],
)
def test_vectors(data: bytes, hashes: list[str]) -> None:
    found = line_hashes(data, range(1, len(hashes) + 1))
    assert list(found.values()) == hashes


def test_the_empty_file_as_a_number() -> None:
    # 65535 * 37^99 mod 2^64, worked out apart.
    assert line_hashes(b"", [1]) == {1: "c129715d7a2bc9a3:1"}


def test_a_file_that_is_not_text_has_none() -> None:
    assert line_hashes(b"a\xff\n", [1]) == {}


@given(st.text(st.sampled_from("ab \t\n\r\U0001f600"), max_size=40), st.text(st.sampled_from("c \n"), max_size=20))
def test_text_after_what_is_covered_does_not_count(head: str, tail: str) -> None:
    text = head + "x" * 100
    end = covered(text, 0)
    assert line_hashes((text[:end] + tail).encode(), [1]) == line_hashes(text[:end].encode(), [1])
