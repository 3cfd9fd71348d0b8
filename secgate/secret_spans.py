"""Where in a file the secret is that a result speaks of, and which key it is assigned to.

Tools differ: one names the text, one the span, one only the line. What cannot be told more exactly is masked
more widely.
"""

from __future__ import annotations

import hashlib
import re

from secgate.languages.parse import FileIndex
from secgate.languages.source import Source
from secgate.languages.tokens import MOST_CHARACTERS, literals
from secgate.model import Lane, RawResult

SECRET_CWES = frozenset({259, 321, 798})
"""Hard-coded password, cryptographic key, credentials: what such a rule points at is masked like any secret."""

_SHORTEST = 4
_LONGEST_LINE = 20_000
_MOST_MARKS = 12
_LONGEST_NAMED_BESIDE = 240
_DELIMITERS = frozenset("\"'`=:,;@/<>()[]{}|&?! \t\r\n")
_ASSIGN = re.compile(r"=>|:=|[=:]")
_BLOCK = re.compile(r'\s*\w+(?:\s+(?:\w+|"[^"\n]*")){1,3}\s*\{\s*$')
_KEY_OF_LITERAL = re.compile(
    r"([A-Za-z_][\w.\-]*)[\"'`\]]*\s*(?::\s*[\w.\[\], |]{1,60}(?==))?"
    r"(?:=>|:=|==|!=|[=:])\s*(?:[A-Za-z]{0,2}[\"'`]{1,3})?$"
)
_KEY_OF_LINE = re.compile(
    r"^\s*(?:-\s+)?(?:export\s+|ENV\s+|ARG\s+|set\s+)?[\"']?([A-Za-z_][\w.\-]*)[\"']?\s*(?:=>|:=|[=:])"
)

_NAMED_BESIDE = re.compile(r'"(?:name|alg|algorithm)"\s*:\s*"([^"\n\\]{1,80})"\s*,\s*"(?:value|content)"\s*:\s*"$')
"""In JSON, before a text: its name stands in a member of its own, as for variables of a container or sums of a file."""

Offsets = tuple[int, int]


def secret_spans(
    index: FileIndex, raw: RawResult, region: Offsets, *, lane: Lane, is_rule: bool
) -> tuple[Offsets, ...]:
    """Give the offsets of the secrets that a result names or, by its lane or its rule, must be about.

    `region` are the result's own offsets; `is_rule` says that its rule is about hard-coded secrets. () for all others.
    """
    source = index.source
    exact = _by_digest(index, raw) if raw.secret_sha1 else ()
    if exact:
        return tuple(_around(index, span) for span in exact)
    found = {span for span in (_raw_span(index, raw, at) for at in range(len(raw.secret_spans))) if span[0] < span[1]}
    if not found:
        found = {span for text in raw.secrets for span in _occurrences(source, raw, text)}
    if found or not (is_rule or lane is Lane.SECRETS):
        return tuple(sorted(found))
    if lane is Lane.SECRETS and raw.region.end_column > 0:
        return (region,) if region[0] < region[1] else ()
    return _by_position(index, raw.region.start_line, region)


def quoted_secrets(raw: RawResult) -> tuple[str, ...]:
    """Give what may be the secret in the snippet of a result about one whose file is not at hand.

    The string literals of the snippet, else what is assigned in it, else all of it: what is said of the result may
    quote it.
    """
    text = raw.snippet[:MOST_CHARACTERS]
    bodies = tuple(text[start:end] for start, end in literals("text", text) if end - start >= _SHORTEST)
    if bodies or not text.strip():
        return bodies
    match = _ASSIGN.search(text)
    value = text[match.end() :].strip() if match else ""
    return (value or text.strip(),)


def secret_text(index: FileIndex, raw: RawResult) -> tuple[int, str, str]:
    """Give the one text a result is about, after its offset and before the key it stands under, or is named by.

    "" for both where it names none or several.
    """
    if raw.secret_sha1:
        exact = _by_digest(index, raw)
    else:
        exact = tuple(_occurrences(index.source, raw, raw.secrets[0])) if len(raw.secrets) == 1 else ()
    if not exact:
        return 0, "", ""
    start, end = exact[0]
    beside = _NAMED_BESIDE.search(index.source.text[max(0, start - _LONGEST_NAMED_BESIDE) : start])
    return start, index.source.text[start:end], beside.group(1) if beside else secret_key(index, exact[0])


def secret_key(index: FileIndex, span: Offsets) -> str:
    """Give the name that a secret is assigned to, as far as its own line tells; else ""."""
    source = index.source
    start, end = source.line_bounds(source.position(span[0])[0])
    around = (body for body in index.literals(start, end) if body[0] <= span[0] <= body[1])
    literal = next(around, None)
    if literal is not None:
        match = _KEY_OF_LITERAL.search(source.text[max(start, literal[0] - 400) : literal[0]])
    else:
        match = _KEY_OF_LINE.match(source.text[start : span[0]])
    return match.group(1) if match else ""


def _raw_span(index: FileIndex, raw: RawResult, at: int) -> Offsets:
    region, source = raw.secret_spans[at], index.source
    end_line = max(region.end_line, region.start_line)
    start = source.offset(
        region.start_line, source.utf16_column(region.start_line, region.start_column, raw.column_unit)
    )
    if region.end_column <= 0:
        return start, source.line_bounds(end_line)[1]
    return start, source.offset(end_line, source.utf16_column(end_line, region.end_column, raw.column_unit))


def _by_digest(index: FileIndex, raw: RawResult) -> tuple[Offsets, ...]:
    """Find the text on the result's line whose SHA-1 the tool gave.

    It is a whole string literal or line, with or without dashes around it, or stands between characters that end a word
    in most forms. The number of texts tried is bounded: a line may be a whole file.
    """
    start, end = index.source.line_bounds(raw.region.start_line)
    end = min(end, start + _LONGEST_LINE)
    for begin, to in (*index.literals(start, end), (start, end)):
        text = index.source.text[begin:to]
        inner = text.strip("- \t\r\n")
        at = begin + text.find(inner)
        for span in ((begin, to), (at, at + len(inner))):
            if _has_digest(index.source.text[slice(*span)], raw):
                return (span,)
    line = index.source.text[start:end]
    marks = [at for at, character in enumerate(line) if character in _DELIMITERS]
    ends = [*marks, len(line)]
    for number, begin in enumerate([0, *(at + 1 for at in marks)]):
        for to in ends[number : number + _MOST_MARKS]:
            if _has_digest(line[begin:to], raw):
                return ((start + begin, start + to),)
    return ()


def _has_digest(text: str, raw: RawResult) -> bool:
    data = text.encode("utf-8", "replace")
    return bool(data) and hashlib.sha1(data, usedforsecurity=False).hexdigest() == raw.secret_sha1


def _around(index: FileIndex, span: Offsets) -> Offsets:
    """Widen a text that a pattern cut out to its literal, else to the end of its line: a pattern may end too early."""
    start, end = index.source.line_bounds(index.source.position(span[0])[0])
    within = (body for body in index.literals(start, end) if body[0] <= span[0] and span[1] <= body[1])
    return next(within, (span[0], max(span[1], end)))


def _occurrences(source: Source, raw: RawResult, secret: str) -> list[Offsets]:
    """Where a named secret stands: on the result's lines, else where it first is in the file.

    Its other places are masked by text; so is a very short one, which could stand anywhere.
    """
    if len(secret) < _SHORTEST:
        return []
    at = -1
    if raw.region.start_line > 0:
        last_line = max(raw.region.end_line, raw.region.start_line)
        start, end = source.line_bounds(raw.region.start_line)[0], source.line_bounds(last_line)[1]
        at = source.text.find(secret, start, max(end, start + len(secret)))
    if at < 0:
        at = source.text.find(secret)
    return [(at, at + len(secret))] if at >= 0 else []


def _values(source: Source, literals: tuple[Offsets, ...]) -> tuple[Offsets, ...]:
    """Leave out the labels of a block, as in `resource "aws_instance" "web" {`: names, and no one's secret."""
    kept = []
    for one in literals:
        line = source.text[slice(*source.line_bounds(source.position(one[0])[0]))]
        if not _BLOCK.match(line):
            kept.append(one)
    return tuple(kept)


def _by_position(index: FileIndex, line: int, region: Offsets) -> tuple[Offsets, ...]:
    """Take the literals in the region, else those of the unit, else what is assigned on the line, else the line."""
    source = index.source
    if line <= 0:
        return ()
    unit = index.unit_at(region[0])
    first, last = unit.start, max(unit.end, region[1])
    if last - first > MOST_CHARACTERS:
        # Too long to be read by token: all that the result points at is masked.
        return (region,) if region[0] < region[1] else ((first, last),)
    literals = _values(source, index.literals(first, last))
    inside = tuple(span for span in literals if span[0] <= region[1] and span[1] >= region[0])
    if inside or literals:
        return inside or literals
    start, end = source.line_bounds(line)
    match = _ASSIGN.search(source.text, start, end)
    value = source.text[match.end() if match else start : end]
    span = (end - len(value.lstrip()), end) if value.strip() else (start, end)
    return (span,) if span[0] < span[1] else ()
