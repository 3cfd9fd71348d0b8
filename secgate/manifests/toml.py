"""TOML of a hostile tree: the parsed document with the line of every value, within caps.

`tomllib` gives no positions and is recursive, so the text is walked once more by an iterative lexer: before parsing
for the depth, after parsing for lines. The walk may rely on valid TOML the second time.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

from secgate.manifests.manifest import MAX_BYTES, MAX_DEPTH, ManifestFault

Key = tuple[str | int, ...]
MAX_KEY_PARTS = 32
MAX_VALUES = 2_000_000

# Comments, the four kinds of strings, brackets, and the rest a character at a time.
_TOKEN = re.compile(
    r"(?P<comment>\#[^\n]*)"
    r'|(?P<string>"""(?:[^"\\]|\\[\s\S]|"(?!""))*+"{3,5}'
    r"|'''(?:[^']|'(?!''))*+'{3,5}"
    r'|(?!""")"(?:[^"\\\n]|\\.)*+"'
    r"|(?!''')'[^'\n]*+')"
    # A quote that nothing closes ends the reading at once: trying on would cost a pass over the rest each time.
    r"|(?P<open>[\"'])"
    r"|(?P<punct>[\[\]{}=,.\n])"
    r'|(?P<bare>[^\s\#"\'\[\]{}=,.\n]+)'
    r"|(?P<space>[^\S\n]+)"
    r"|(?P<other>.)"
)


class Document:
    """A parsed TOML file. `data` is the document, `line(key path)` the line a value starts at."""

    def __init__(self, data: Mapping[str, object], lines: Mapping[Key, int]) -> None:
        self.data = data
        self._lines = lines

    def line(self, *key: str | int) -> int:
        """Give the line of the value at `key`, else of its nearest parent that has one, else 0."""
        while key:
            if key in self._lines:
                return self._lines[key]
            key = key[:-1]
        return 0


def parse(data: bytes) -> Document:
    """Parse bytes of a TOML file. Raises ManifestFault (`too-large`, `too-deep`, `not-utf8`, `syntax`)."""
    if len(data) > MAX_BYTES:
        raise ManifestFault("too-large", f"{len(data)} bytes, the cap is {MAX_BYTES}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ManifestFault("not-utf8", str(error.reason), line) from error
    text = text.replace("\r\n", "\n")
    _check_depth(text)
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        found = re.search(r"at line (\d+)", str(error))
        raise ManifestFault("syntax", str(error), int(found.group(1)) if found else 0) from error
    return Document(document, _Walk(text).lines)


def _check_depth(text: str) -> None:
    depth, line, parts = 0, 1, 0
    for found in _TOKEN.finditer(text):
        lexeme = found.group()
        kind = found.lastgroup
        if kind == "open":
            raise ManifestFault("syntax", "a string is not closed", line)
        if kind == "punct":
            depth += (lexeme in "[{") - (lexeme in "]}")
            parts = parts + 1 if lexeme == "." else 0 if lexeme in "\n=," else parts
            if depth > MAX_DEPTH or parts > MAX_KEY_PARTS:
                raise ManifestFault("too-deep", f"nested deeper than {MAX_DEPTH}", line)
        line += lexeme.count("\n")


class _Walk:
    """Walks valid TOML and notes the line of each value by its key path."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Key, int] = {}
        self._table: Key = ()
        self._counts: dict[Key, int] = {}
        self._stack: list[tuple[str, Key, int]] = []
        self._key: list[str] = []
        self._target: Key | None = None
        self._walk(text)

    def _walk(self, text: str) -> None:
        line = 1
        header: list[str] | None = None
        depth_of_header = 0
        at_line_start = True
        for found in _TOKEN.finditer(text):
            kind, lexeme = found.lastgroup, found.group()
            if kind in ("space", "comment"):
                continue
            if header is not None:
                if lexeme == "\n":
                    self._enter(header, depth_of_header, line)
                    header = None
                elif lexeme == "[":
                    depth_of_header += 1
                elif kind in ("bare", "string"):
                    header.append(_plain(lexeme))
            elif lexeme == "[" and at_line_start and not self._stack and self._target is None:
                header, depth_of_header = [], 1
            else:
                self._value_part(kind or "", lexeme, line)
            at_line_start = lexeme == "\n" and kind == "punct"
            line += lexeme.count("\n")
        if header is not None:
            self._enter(header, depth_of_header, line)

    def _enter(self, parts: list[str], depth: int, line: int) -> None:
        """Make the table of a header the current one: `[a.b]`, or `[[a.b]]` which appends to an array."""
        key: Key = ()
        for part in parts[:-1]:
            key = self._last((*key, part))
        key = (*key, parts[-1])
        if depth > 1:
            number = self._counts.get(key, -1) + 1
            self._counts[key] = number
            key = (*key, number)
        else:
            key = self._last(key)
        self._table = key
        self.lines.setdefault(key, line)

    def _last(self, key: Key) -> Key:
        """Follow an array of tables to its newest element."""
        return (*key, self._counts[key]) if key in self._counts else key

    def _value_part(self, kind: str, lexeme: str, line: int) -> None:
        if self._target is None:
            self._key_part(kind, lexeme)
            return
        if lexeme in "[{" and kind == "punct":
            self._note(self._target, line)
            self._stack.append((lexeme, self._target, 0))
            self._target = (*self._target, 0) if lexeme == "[" else None
            self._key = []
        elif lexeme in "]}" and kind == "punct":
            self._close()
        elif lexeme == "," and kind == "punct":
            self._next()
        elif lexeme == "\n" and kind == "punct":
            if not self._stack:
                self._target = None
                self._key = []
        else:
            self._note(self._target, line)

    def _key_part(self, kind: str, lexeme: str) -> None:
        if kind in ("bare", "string"):
            self._key.append(_plain(lexeme))
        elif lexeme == "=":
            base = self._stack[-1][1] if self._stack else self._table
            self._target = (*base, *self._key)
            self._key = []
        elif lexeme == "}":
            self._close()
        elif lexeme == "," and self._stack:
            self._next()

    def _note(self, key: Key, line: int) -> None:
        if len(self.lines) > MAX_VALUES:
            raise ManifestFault("too-many", f"more than {MAX_VALUES} values", line)
        self.lines.setdefault(key, line)

    def _next(self) -> None:
        """Go on to the next element of the innermost array or the next key of the innermost inline table."""
        if not self._stack:
            return
        bracket, key, number = self._stack[-1]
        self._stack[-1] = (bracket, key, number + 1)
        self._target = (*key, number + 1) if bracket == "[" else None
        self._key = []

    def _close(self) -> None:
        if self._stack:
            self._target = self._stack.pop()[1]
            self._key = []


def _plain(lexeme: str) -> str:
    """Give the text of a key: quoted keys without quotes, escapes resolved."""
    if lexeme[:1] == "'":
        return lexeme[1:-1]
    if lexeme[:1] == '"':
        parsed = tomllib.loads(f"k = {lexeme}")["k"]
        return str(parsed)
    return lexeme
