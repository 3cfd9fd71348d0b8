"""Elements of a list read many at a time: what a cursor would give of them, sooner, or nothing."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

_T = TypeVar("_T")


class Several(Generic[_T]):
    """Reads whole elements as parts of one kind. What it does not give, the cursor reads, or refuses at its place."""

    def __init__(self, kind: type[_T]) -> None:
        self._parts = msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]  # a list of what the caller names
        self._plain = msgspec.json.Decoder()
        self._encoder = msgspec.json.Encoder()

    def read(self, text: str) -> list[_T]:
        """Give the elements that `text` is, with the commas between them; none where it is anything else.

        None either where one is no such part, holds a property twice or a number past all use, or is written in a way
        that only the cursor knows, such as `3.0` for a line.
        """
        data = f"[{text}]".encode()
        try:
            parts: list[_T] = self._parts.decode(data)
            again = self._encoder.encode(self._plain.decode(data))
        except (msgspec.DecodeError, RecursionError):
            return []
        # Decoded, a property that was given twice is there once: written again, there are fewer texts.
        return parts if _quotes(again) == _quotes(data) else []


def _quotes(data: bytes) -> int:
    """Count the marks around texts in JSON; one within a text stands behind a backslash."""
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    return data.count(b'"')
