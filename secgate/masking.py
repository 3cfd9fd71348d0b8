"""Takes secrets out of whatever is stored or shown.

A `Masker` knows where secrets stand in each file and how they read. It is made once per run, is handed on in memory
and is never stored: its texts are the secrets themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from secgate.languages.source import Source
from secgate.model import Region

MASK = "[secret]"
"""What stands in a secret's place: the same for all, so it tells neither length nor equality."""

_SHORTEST = 4
"""Shorter texts are only masked where they stand in quotes, else every message would be full of masks."""

_LONGEST = 20_000


class Masker:
    """Masks by place, in source text, and by text, in everything that speaks of a file."""

    def __init__(self) -> None:
        self._spans: dict[tuple[str, str], list[tuple[int, int]]] = {}
        self._regions: dict[tuple[str, str], list[Region]] = {}
        self._texts: dict[str, set[str]] = {}
        self._patterns: dict[str, re.Pattern[str]] = {}

    def __repr__(self) -> str:
        return f"Masker({len(self._texts)} files)"

    def add(self, path: str, source: Source, spans: Iterable[tuple[int, int]], *, commit: str = "") -> None:
        """Note secrets of a file by offsets; their texts are from now on masked in all that speaks of `path`."""
        for start, end in spans:
            if start < end:
                self._spans.setdefault((path, commit), []).append((start, end))
                self._regions.setdefault((path, commit), []).append(source.region(start, end))
                self.add_text(path, source.text[start:end])

    def add_text(self, path: str, text: str) -> None:
        """Note how a secret of a file reads, with the forms in which a message may give it."""
        forms = self._texts.setdefault(path, set())
        forms.update(form for form in _forms(text[:_LONGEST]) if form.strip())
        self._patterns.pop(path, None)
        self._patterns.pop("", None)

    def text(self, path: str, value: str) -> str:
        """Mask every secret of `path` in a message, a name or a snippet."""
        if path not in self._texts or not value:
            return value
        return self._replace(path, self._texts[path], value)

    def everywhere(self, value: str) -> str:
        """Mask every secret of every file: for notices and logs that belong to no file."""
        if not self._texts or not value:
            return value
        return self._replace("", set().union(*self._texts.values()), value)

    def cut(self, path: str, source: Source, start: int, end: int, *, commit: str = "") -> str:
        """Give the source between two offsets, masked by place and by text."""
        parts, at = [], start
        for first, last in sorted(self._spans.get((path, commit), ())):
            if last <= at or first >= end:
                continue
            parts += [source.text[at : max(at, first)], MASK]
            at = min(last, end)
        parts.append(source.text[at:end])
        return self.text(path, "".join(parts))

    def lines(self, path: str, lines: Sequence[str], first_line: int, *, commit: str = "") -> tuple[str, ...]:
        """Mask an excerpt whose first line has the number `first_line`; lines come without their ends."""
        masked = list(lines)
        regions = self._regions.get((path, commit), ())
        for region in sorted(regions, key=lambda one: (one.start_line, one.start_column), reverse=True):
            for number in range(
                max(region.start_line, first_line), min(region.end_line, first_line + len(lines) - 1) + 1
            ):
                masked[number - first_line] = _mask_line(masked[number - first_line], number, region)
        return tuple(self.text(path, line) for line in masked)

    def _replace(self, key: str, texts: set[str], value: str) -> str:
        if key not in self._patterns:
            self._patterns[key] = _pattern(texts)
        return self._patterns[key].sub(MASK, value)


def _forms(text: str) -> Iterable[str]:
    """The text, its lines, and both without their escapes and with them."""
    yield text
    if "\\" in text:
        yield re.sub(r"\\(.)", r"\1", text)
    yield from (ascii(text)[1:-1], text.strip())
    if "\n" in text or "\r" in text:
        yield from (line.strip() for line in re.split(r"[\r\n]+", text) if len(line.strip()) >= _SHORTEST)


def _pattern(texts: set[str]) -> re.Pattern[str]:
    """One pattern for all texts, the longest first; before them the mask itself, which stays as it is."""
    parts = [re.escape(MASK)]
    for text in sorted(texts - {MASK}, key=lambda one: (-len(one), one)):
        escaped = re.escape(text)
        parts.append(escaped if len(text) >= _SHORTEST else rf"(?<=[\"'`]){escaped}(?=[\"'`])")
    return re.compile("|".join(parts))


def _mask_line(line: str, number: int, region: Region) -> str:
    source = Source(line.encode("utf-8", "replace"))
    start = source.offset(1, region.start_column) if number == region.start_line else 0
    end = source.offset(1, region.end_column) if number == region.end_line else len(line)
    return line[:start] + MASK + line[end:] if start < end else line
