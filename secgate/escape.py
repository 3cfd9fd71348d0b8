"""Text from a scanned tree or a scanner, made inert for the place it is shown in; templates escape HTML themselves."""

from __future__ import annotations

import unicodedata

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_KEPT_FORMAT = frozenset("\u200d\u200c")


def plain(text: str) -> str:
    """Give one line without control, bidirectional and unprintable characters: each becomes its escaped code point."""
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character.isprintable() and character not in _BIDI:
        return character
    if unicodedata.category(character) == "Cf" and character in _KEPT_FORMAT:
        return character
    code = ord(character)
    if character in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": " "}[character]
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


def inert(text: str) -> str:
    """Give text for a data document that people open in terminals: lines kept, other control characters shown."""
    return "\n".join(plain(line) for line in text.split("\n"))
