"""Text of one file with exact conversions between offsets, lines and the three ways in which tools count columns.

Offsets are code points of the decoded text. Lines count from 1 and end at LF, CRLF or CR; columns count from 1 in
UTF-16 code units unless said otherwise. Bytes that are not UTF-8 become U+FFFD, so a text is always there.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from itertools import accumulate
from typing import Literal

from secgate.model import Region

_LINE_END = re.compile(r"\r\n|\r|\n")

ColumnUnit = Literal["utf-8", "utf-16", "code-point"]


class Source:
    """One file's text. Every position given is clamped to the text, so nothing here raises for a hostile region."""

    def __init__(self, data: bytes) -> None:
        self.text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
        self._ascii = self.text.isascii()

    @cached_property
    def _narrow(self) -> bool:
        """Without characters beyond the first 65,536 a UTF-16 code unit is a code point, as in nearly every file."""
        return self._ascii or _units(self.text) == len(self.text)

    @cached_property
    def _lines(self) -> tuple[list[int], list[int]]:
        """Where each line starts and ends, worked out when it is first asked for: of most files only the text is."""
        return _bounds(self.text)

    @cached_property
    def line_count(self) -> int:
        """Number of lines; the empty text after a last line end counts as none."""
        starts = self._lines[0]
        return len(starts) - (len(starts) > 1 and starts[-1] == len(self.text))

    def line_bounds(self, line: int) -> tuple[int, int]:
        """Give start and end offset of `line`, its line end not included."""
        starts, ends = self._lines
        at = line - 1
        if not 0 <= at < len(starts):
            at = 0 if at < 0 else len(starts) - 1
        return starts[at], ends[at]

    def line(self, number: int) -> str:
        """Give one line's text without its end."""
        start, end = self.line_bounds(number)
        return self.text[start:end]

    def offset(self, line: int, column: int) -> int:
        """Give the offset of a position; column 0 means the line's first character that is not white space."""
        start, end = self.line_bounds(line)
        if self._narrow and column > 0:
            return min(start + column - 1, end)
        text = self.text[start:end]
        if column <= 0:
            return start + len(text) - len(text.lstrip())
        return start + _code_points(text, column - 1, "utf-16")

    def position(self, offset: int) -> tuple[int, int]:
        """Give line and UTF-16 column of an offset."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self._lines[0], offset)
        start = self._lines[0][line - 1]
        return line, 1 + (offset - start if self._narrow else _units(self.text[start:offset]))

    def utf16_column(self, line: int, column: int, unit: ColumnUnit) -> int:
        """Turn a tool's column into UTF-16 code units, clamped to the line; 0 stays 0."""
        if column <= 0:
            return 0
        if self._ascii or (self._narrow and unit != "utf-8"):
            start, end = self.line_bounds(line)
            return min(column, end - start + 1)
        text = self.line(line)
        if unit == "utf-16":
            return min(column, _units(text) + 1)
        return 1 + _units(text[: _code_points(text, column - 1, unit)])

    def region(self, start: int, end: int) -> Region:
        """Give the region from offset `start` up to `end`, which is not part of it."""
        start_line, start_column = self.position(start)
        end_line, end_column = self.position(max(start, end))
        return Region(start_line=start_line, start_column=start_column, end_line=end_line, end_column=end_column)

    def offsets(self, region: Region) -> tuple[int, int]:
        """Give start and end offset of a region; without an end column it reaches to the end of its last line."""
        start = self.offset(region.start_line, region.start_column)
        end_line = max(region.end_line, region.start_line)
        if region.end_column > 0:
            end = self.offset(end_line, region.end_column)
        else:
            end = self.line_bounds(end_line)[1]
        return start, max(start, end)

    @cached_property
    def encoded(self) -> bytes:
        """The text in UTF-8, as byte-based parsers get it."""
        return self.text.encode()

    @cached_property
    def _byte_starts(self) -> list[int]:
        starts, total, previous = [], 0, 0
        for start in self._lines[0]:
            total += len(self.text[previous:start].encode())
            starts.append(total)
            previous = start
        return starts

    def from_byte(self, byte: int) -> int:
        """Turn an offset into `encoded` into an offset of the text."""
        if self._ascii:
            return byte
        line = bisect_right(self._byte_starts, byte)
        start = self._byte_starts[line - 1]
        return self._lines[0][line - 1] + len(self.encoded[start:byte].decode("utf-8", "ignore"))

    def to_byte(self, offset: int) -> int:
        """Turn an offset of the text into one into `encoded`."""
        line, byte = self.line_byte(offset)
        return byte + (self._lines[0] if self._ascii else self._byte_starts)[line - 1]

    def from_line_byte(self, line: int, byte: int) -> int:
        """Turn a line and a byte column that counts from 0, as Python's `ast` gives them, into an offset."""
        start, end = self.line_bounds(line)
        if self._ascii:
            return min(end, start + byte)
        text = self.text[start:end]
        return start + (min(byte, len(text)) if text.isascii() else _code_points(text, byte, "utf-8"))

    def line_byte(self, offset: int) -> tuple[int, int]:
        """Give the line of an offset and its byte column from 0: the way back from `from_line_byte`."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self._lines[0], offset)
        start = self._lines[0][line - 1]
        return line, offset - start if self._ascii else len(self.text[start:offset].encode())


def _bounds(text: str) -> tuple[list[int], list[int]]:
    """Give the start of each line and its end, the characters that end it not included."""
    if "\r" in text:
        breaks = [match.span() for match in _LINE_END.finditer(text)]
        return [0, *(end for _, end in breaks)], [*(start for start, _ in breaks), len(text)]
    starts = list(accumulate([len(line) + 1 for line in text.split("\n")], initial=0))
    ends = [start - 1 for start in starts[1:]]
    starts.pop()
    return starts, ends


def _units(text: str) -> int:
    """Number of UTF-16 code units of a text."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _code_points(text: str, count: int, unit: ColumnUnit) -> int:
    """Number of code points in the first `count` units of a text; one that the units end in counts whole."""
    if count <= 0 or unit == "code-point" or text.isascii():
        return min(max(count, 0), len(text))
    if unit == "utf-8":
        encoded = text.encode("utf-8", "replace")
        is_inside = count < len(encoded) and encoded[count] & 0xC0 == 0x80
        return len(encoded[:count].decode("utf-8", "ignore")) + is_inside
    encoded = text.encode("utf-16-le", "surrogatepass")
    is_inside = 2 * count < len(encoded) and encoded[2 * count + 1] & 0xFC == 0xDC
    return len(encoded[: 2 * count].decode("utf-16-le", "ignore")) + is_inside
