"""JSON of a hostile tree: the parsed document with the line of every object's key, within caps."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from secgate.manifests.manifest import MAX_BYTES, MAX_DEPTH, ManifestFault

_TOKEN = re.compile(r'(?P<string>"(?:[^"\\]|\\.)*+")|(?P<open>")|[{}\[\]:,\n]', re.DOTALL)


class Document:
    """A parsed JSON file whose top is an object. `line(keys)` gives the line that a key stands in."""

    def __init__(self, data: Mapping[str, object], lines: Mapping[tuple[str, ...], int]) -> None:
        self.data = data
        self._lines = lines

    def line(self, *key: str) -> int:
        """Give the line of the key at the end of the path `key`, or 0."""
        return self._lines.get(key, 0)


def parse(data: bytes) -> Document:
    """Parse bytes of a JSON file. Raises ManifestFault (`too-large`, `too-deep`, `not-utf8`, `syntax`, `shape`)."""
    if len(data) > MAX_BYTES:
        raise ManifestFault("too-large", f"{len(data)} bytes, the cap is {MAX_BYTES}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestFault("not-utf8", str(error.reason)) from error
    lines = _lines(text)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise ManifestFault("syntax", error.msg, error.lineno) from error
    except (RecursionError, ValueError) as error:
        raise ManifestFault("syntax", "not readable as JSON") from error
    if not isinstance(document, dict):
        raise ManifestFault("shape", "the document is not an object", 1)
    return Document(document, lines)


def _lines(text: str) -> dict[tuple[str, ...], int]:
    """Note the line of each key down to the third level; arrays count as a level of their own.

    Of a key that stands twice the last counts, as it does for the parser. Raises ManifestFault(`too-deep`).
    """
    lines: dict[tuple[str, ...], int] = {}
    path: list[str] = []
    last, last_line, line = "", 1, 1
    for found in _TOKEN.finditer(text):
        lexeme = found.group()
        if found.lastgroup == "open":
            raise ManifestFault("syntax", "a string is not closed", line)
        if lexeme == "\n":
            line += 1
        elif lexeme[0] == '"':
            last, last_line = lexeme, line
            line += lexeme.count("\n")
        elif lexeme == ":" and path:
            path[-1] = _text(last)
            if len(path) <= 3:
                lines[tuple(path)] = last_line
        elif lexeme in "{[":
            path.append("")
            if len(path) > MAX_DEPTH:
                raise ManifestFault("too-deep", f"nested deeper than {MAX_DEPTH}", line)
        elif lexeme in "}]" and path:
            path.pop()
    return lines


def _text(lexeme: str) -> str:
    try:
        return str(json.loads(lexeme))
    except ValueError:
        return ""
