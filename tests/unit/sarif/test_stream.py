"""JSON in pieces: the same values as json gives, however the pieces fall; hostile texts refused within bounds."""

from __future__ import annotations

import io
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secgate.errors import UsageError
from secgate.sarif.stream import MAX_BYTES, MAX_KEYS, MAX_VALUE, Cursor


class Drip(io.BytesIO):
    """A stream that gives a few bytes at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        super().__init__(data)
        self._step = step

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(self._step, size if size and size > 0 else self._step))


class Endless(io.BytesIO):
    """A stream that has no end."""

    def __init__(self, head: bytes, fill: bytes) -> None:
        super().__init__(head)
        self._fill = fill

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size) or self._fill * 1_000_000


def walked(cursor: Cursor, path: str = "$") -> Any:
    """Build a document with the cursor's own walk of its containers."""
    match cursor.peek():
        case "{":
            return {key: walked(cursor, path) for key in cursor.keys(path)}
        case "[":
            return [walked(cursor, path) for _ in cursor.elements(path, most=1000)]
    return cursor.value(path)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(VALUES, st.integers(1, 9), st.sampled_from([None, 2]), st.booleans())
def test_pieces_give_what_the_whole_gives(value: Any, step: int, indent: int | None, ascii_only: bool) -> None:
    data = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    cursor = Cursor(Drip(data + b"\n ", step), name="f")
    assert walked(cursor) == value
    cursor.end()
    whole = Cursor(Drip(b"\xef\xbb\xbf" + data, step), name="f")
    assert whole.value("$") == value
    whole.end()


@settings(max_examples=150, deadline=None)
@given(VALUES, st.integers(0, 60), st.binary(max_size=3), st.integers(1, 9))
def test_broken_pieces_are_refused_as_the_whole_is(value: Any, cut: int, noise: bytes, step: int) -> None:
    data = json.dumps(value).encode()[:cut] + noise
    try:
        json.loads(data.decode(), parse_constant=int)
        is_json = True
    except ValueError:
        is_json = False
    try:
        cursor = Cursor(Drip(data, step), name="f")
        walked(cursor)
        cursor.end()
    except UsageError:
        assert not is_json
    else:
        assert is_json


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "a": 1}', "'a' is given twice"),
        ('{"b": {"a": 1, "a": 2}}', "'a' is given twice"),
        ('{"a": 1, "\\u0061": 2}', "'a' is given twice"),
        ('{"a": NaN}', "NaN"),
        ('{"a": -Infinity}', "Infinity"),
        ('{"a": 1} {}', "ended before"),
        ('{"a": 1,}', "a property was expected"),
        ('{"a": [1,]}', "not JSON"),
        ('{"a" 1}', "':' was expected"),
        ('{"a": 1 "b": 2}', "',' was expected"),
        ('{"a": "\n"}', "not JSON"),
        ('{"a": ' + "9" * 5000 + "}", "too many digits"),
        ('{"a": ' + "[" * 100_000, "nested too deeply"),
        ('{"a": ' + '{"a":' * 100_000, "nested too deeply"),
        ("", "ends here"),
    ],
)
def test_hostile_texts(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        read_flat(Cursor(text.encode(), name="f"))


def read_flat(cursor: Cursor) -> None:
    """Walk one object, its values decoded whole."""
    for key in cursor.keys("$"):
        cursor.value(f"$.{key}")
    cursor.end()


@pytest.mark.parametrize("data", [b'"\xff"', b'"\xed\xa0\x80"', b'"\xc3'])
def test_what_is_not_utf8_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError, match="not UTF-8"):
        Cursor(data, name="f").value("$")


def test_counts_are_bounded() -> None:
    many = ",".join(f'"{at}":0' for at in range(MAX_KEYS + 1))
    with pytest.raises(UsageError, match="properties"):
        Cursor(f"{{{many}}}".encode(), name="f").skip("$")
    cursor = Cursor(b"[1, 2, 3]", name="f")
    with pytest.raises(UsageError, match="more than 2 elements"):
        [cursor.value(path) for path in cursor.elements("$", most=2)]


@pytest.mark.parametrize(
    ("head", "fill", "reason"),
    [(b"", b" ", f"larger than {MAX_BYTES}"), (b'"', b"x", f"more than {MAX_VALUE} characters")],
)
def test_a_stream_without_end_ends(head: bytes, fill: bytes, reason: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(UsageError, match=reason):
            Cursor(Endless(head, fill), name="f").value("$")
        assert tracemalloc.get_traced_memory()[1] < 8 * MAX_VALUE
    finally:
        tracemalloc.stop()
