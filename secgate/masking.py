"""Takes secrets out of whatever is stored or shown.

A `Masker` knows where secrets stand in each file and how they read. It is made once per run, is handed on in memory
and is never stored: its texts are the secrets themselves.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence

import msgspec

from secgate import secret_forms
from secgate.languages.source import Source
from secgate.model import Invocation, Region, Rule

MASK = "[secret]"
"""What stands in a secret's place: the same for all, so it tells neither length nor equality."""

_SHORTEST = 4
"""Shorter texts are only masked where they stand in quotes, else every message would be full of masks."""

_WORD = re.compile(r"[a-z]{4,8}")
"""A secret that reads as a word, as `secret` does, is masked in quotes and behind `=` or `:` only: else no sentence of
ours about it could be read. In source text it is masked by its place all the same."""

_TELLING = re.compile(r"(?=\S*[A-Za-z])(?=\S*\d)\S{8,}\Z")
"""A secret with letters and digits stands for nothing else, wherever it is quoted."""

_ALL, _FAR = "\0all", "\0far"
"""Keys of tables that belong to no file; no path has such a name."""

_FEW = 200
"""Up to so many beginnings of secrets, one pattern tells whether a text can hold any."""

_LONGEST = 20_000
_QUOTED = re.compile(r"([\"'`])(.{1,3}?|[a-z]{4,8})\1")
_ASSIGNED = re.compile(r"([=:] ?)([a-z]{4,8})\b(?!\]|[\"'`(.\[])")


class Masker:
    """Masks by place, in source text, and by text, in everything that speaks of a file."""

    def __init__(self) -> None:
        self._spans: dict[tuple[str, str], list[tuple[int, int]]] = {}
        self._regions: dict[tuple[str, str], list[Region]] = {}
        self._texts: dict[str, set[str]] = {}
        self._tables: dict[str, _Texts] = {}
        self._unsorted: set[tuple[str, str]] = set()
        self._telling: set[str] = set()

    def __repr__(self) -> str:
        return f"Masker({len(self._texts)} files)"

    def add(self, path: str, source: Source, spans: Iterable[tuple[int, int]], *, commit: str = "") -> None:
        """Note secrets of a file by offsets; their texts are from now on masked in all that speaks of `path`."""
        for start, end in spans:
            if start < end:
                self._spans.setdefault((path, commit), []).append((start, end))
                self._unsorted.add((path, commit))
                self._regions.setdefault((path, commit), []).append(source.region(start, end))
                self.add_text(path, source.text[start:end])

    def add_text(self, path: str, text: str) -> None:
        """Note how a secret of a file reads, with the forms in which a message may give it."""
        forms = self._texts.setdefault(path, set())
        found = {form for form in _forms(text[:_LONGEST]) if form.strip()}
        forms.update(found)
        if _TELLING.match(text):
            self._telling.update(found)
        self._tables.pop(path, None)
        self._tables.pop(_ALL, None)
        self._tables.pop(_FAR, None)

    def is_idle(self, path: str) -> bool:
        """Tell whether there is nothing to mask in what is shown of `path`."""
        return not self._telling and path not in self._texts

    def text(self, path: str, value: str) -> str:
        """Mask in what is shown of `path`: every secret of it, and those of other files that read like no word."""
        value = self.own(path, value)
        if not self._telling or not value:
            return value
        return self._replace(_FAR, self._telling, value)

    def own(self, path: str, value: str) -> str:
        """Mask every secret of `path` and no other: what identity rests on must not change with another file."""
        if path not in self._texts or not value:
            return value
        return self._replace(path, self._texts[path], value)

    def everywhere(self, value: str) -> str:
        """Mask every secret of every file: for notices and logs that belong to no file."""
        if not self._texts or not value:
            return value
        return self._replace(_ALL, set().union(*self._texts.values()) if _ALL not in self._tables else set(), value)

    def told(self, one: Invocation) -> Invocation:
        """Mask every secret in what a run of a tool says: its rules, which may quote one result, and its notices."""
        if not self._texts:
            return one
        return msgspec.structs.replace(
            one,
            reason=self.everywhere(one.reason),
            rule_pack=self.everywhere(one.rule_pack),
            notices=tuple(self.everywhere(notice) for notice in one.notices),
            rules=tuple(self._rule(rule) for rule in one.rules),
            files=tuple(
                msgspec.structs.replace(file, reason=self.everywhere(file.reason)) if file.reason else file
                for file in one.files
            ),
        )

    def _rule(self, rule: Rule) -> Rule:
        return msgspec.structs.replace(
            rule,
            id=self.everywhere(rule.id),
            name=self.everywhere(rule.name),
            short=self.everywhere(rule.short),
            full=self.everywhere(rule.full),
            help=self.everywhere(rule.help),
            help_uri=self.everywhere(rule.help_uri),
            remedy=self.everywhere(rule.remedy),
            tags=tuple(self.everywhere(tag) for tag in rule.tags),
        )

    def cut(self, path: str, source: Source, start: int, end: int, *, commit: str = "") -> str:
        """Give the source between two offsets, masked by place and by the texts of this file."""
        spans = self._sorted(path, commit)
        if not spans:
            return self.own(path, source.text[start:end])
        parts, at = [], start
        for first, last in spans[bisect_right(spans, start, key=lambda span: span[1]) :]:
            if first >= end:
                break
            parts += [source.text[at : max(at, first)], MASK]
            at = min(last, end)
        parts.append(source.text[at:end])
        return self.own(path, "".join(parts))

    def _sorted(self, path: str, commit: str) -> list[tuple[int, int]]:
        """Give a file's spans in order, those that overlap made one."""
        if not self._spans:
            return []
        key = (path, commit)
        if key in self._unsorted:
            merged: list[tuple[int, int]] = []
            for start, end in sorted(self._spans[key]):
                if merged and start < merged[-1][1]:
                    merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
                else:
                    merged.append((start, end))
            self._spans[key] = merged
            self._unsorted.discard(key)
        return self._spans.get(key, [])

    def lines(self, path: str, lines: Sequence[str], first_line: int, *, commit: str = "") -> tuple[str, ...]:
        """Mask an excerpt whose first line has the number `first_line`; lines come without their ends."""
        last_line = first_line + len(lines) - 1
        parts: dict[int, list[Region]] = {}
        for region in self._regions.get((path, commit), ()):
            for number in range(max(region.start_line, first_line), min(region.end_line, last_line) + 1):
                parts.setdefault(number, []).append(region)
        masked = (
            _mask_line(line, number, parts[number]) if number in parts else line
            for number, line in enumerate(lines, first_line)
        )
        return tuple(self.text(path, line) for line in masked)

    def _replace(self, key: str, texts: set[str], value: str) -> str:
        if key not in self._tables:
            self._tables[key] = _Texts(texts)
        return self._tables[key].mask(value)


class _Texts:
    """Finds any of many texts in time that grows with the text that is searched, not with their number."""

    def __init__(self, texts: set[str]) -> None:
        self._short = {text for text in texts if len(text) < _SHORTEST or _WORD.fullmatch(text)}
        self._by_start: dict[str, list[str]] = {}
        for text in sorted(texts - self._short - {MASK}, key=lambda one: (-len(one), one)):
            self._by_start.setdefault(text[:_SHORTEST], []).append(text)
        few = len(self._by_start) <= _FEW
        self._starts = re.compile("|".join(map(re.escape, sorted(self._by_start)))) if few and self._by_start else None

    def mask(self, value: str) -> str:
        """Replace the longest text at each place; a mask that is there already stays."""
        is_there = bool(self._by_start) and (self._starts is None or self._starts.search(value) is not None)
        masked = self._long(value) if is_there else value
        if not self._short:
            return masked
        return _ASSIGNED.sub(self._assigned, _QUOTED.sub(self._quoted, masked))

    def _long(self, value: str) -> str:
        starts = self._by_start
        parts: list[str] = []
        done = 0
        is_masked = MASK in value
        for at in [at for at in range(len(value) - _SHORTEST + 1) if value[at : at + _SHORTEST] in starts]:
            if at < done or (is_masked and value.rfind(MASK, max(done, at - len(MASK) + 1), at + len(MASK)) >= 0):
                continue
            fitting = (len(text) for text in starts[value[at : at + _SHORTEST]] if value.startswith(text, at))
            found = next(fitting, 0)
            if found:
                parts += [value[done:at], MASK]
                done = at + found
        return "".join([*parts, value[done:]]) if parts else value

    def _assigned(self, match: re.Match[str]) -> str:
        return match[1] + MASK if match[2] in self._short else match[0]

    def _quoted(self, match: re.Match[str]) -> str:
        return match[1] + MASK + match[1] if match[2] in self._short else match[0]


def _forms(text: str) -> Iterable[str]:
    """The text, its lines, and both without their escapes and with them."""
    yield text
    if "\\" in text:
        yield re.sub(r"\\(.)", r"\1", text)
    yield from (ascii(text)[1:-1], text.strip())
    if "\n" in text or "\r" in text:
        yield from (line.strip() for line in re.split(r"[\r\n]+", text) if len(line.strip()) >= _SHORTEST)


def clean(text: str) -> str:
    """Take out of a text that somebody wrote what looks like a credential; whoever shows it makes it inert."""
    return secret_forms.masked(text, secret_forms.found(text), MASK)


def _mask_line(line: str, number: int, regions: Sequence[Region]) -> str:
    """Mask what the regions cover of one line; they may overlap."""
    source = Source(line.encode("utf-8", "replace"))
    spans = sorted(
        (
            source.offset(1, region.start_column) if number == region.start_line else 0,
            source.offset(1, region.end_column) if number == region.end_line else len(line),
        )
        for region in regions
    )
    parts, at = [], 0
    for start, end in spans:
        if start < end and end > at:
            parts += [line[at:start], MASK] if start >= at else []
            at = end
    return "".join([*parts, line[at:]])
