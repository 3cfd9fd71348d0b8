"""`primaryLocationLineHash` of lines of a file, exactly as GitHub's upload action computes it.

GitHub tells alerts of one rule apart by this value alone, and warns where a file brings another than it computes. It is
a hash of the hundred characters from the start of a line on, blanks left out, so it says something of the lines below
as well: it is no identity of ours.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from operator import mul

WINDOW = 100
_BASE = 37
_MODULUS = 1 << 64
_POWERS = [pow(_BASE, WINDOW - 1 - at, _MODULUS) for at in range(WINDOW)]
_LINE_END = re.compile(r"\r\n?")
_END_OF_FILE = "\uffff"
_COVERED = re.compile(r"(?:[ \t]*(?:\r\n|[^ \t])){0,100}")


def line_hashes(data: bytes, lines: Iterable[int]) -> dict[int, str]:
    """Give the hash of each of `lines` (from 1) that the file has, as `HASH:N`: the N-th line with that hash.

    Nothing for a file that is not UTF-8: how its bytes are decoded then depends on where the reader cuts it.
    """
    wanted = sorted({line for line in lines if line > 0})
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return {}
    if not wanted:
        return {}
    units = _units(_LINE_END.sub("\n", text).replace(" ", "").replace("\t", "") + _END_OF_FILE)
    found: dict[int, str] = {}
    counts: dict[str, int] = {}
    start, number = 0, 0
    for want in wanted:
        window = ""
        while number < want and start >= 0:
            number += 1
            window = units[start : start + WINDOW]
            counts[window] = counts.get(window, 0) + 1
            # The end-of-file unit begins a line of its own after a last line end.
            start = units.find("\n", start) + 1 or -1
        if number < want:
            break
        found[want] = f"{_hash(window):x}:{counts[window]}"
    return found


def covered(text: str, start: int) -> int:
    """Give the end of what the hash of the line that begins at offset `start` of a file's text covers, or later."""
    match = _COVERED.match(text, start)
    return match.end() if match else start


def _units(text: str) -> str:
    """Give the text with one character a UTF-16 code unit."""
    if text.isascii() or max(text) <= "\uffff":
        return text
    return "".join(map(chr, array("H", text.encode("utf-16-le"))))


def _hash(window: str) -> int:
    total: int = sum(map(mul, map(ord, window), _POWERS))
    return total % _MODULUS
