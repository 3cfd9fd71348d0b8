"""Units of line-based files: requirement lists, ignore lists and everything that has no parser."""

from __future__ import annotations

import re

from secgate.languages.source import Source
from secgate.languages.spans import Span

_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def spans(source: Source) -> list[Span]:
    """Give every logical line of a requirement list: a line that ends in a backslash goes on in the next."""
    found: list[Span] = []
    number = 1
    while number <= source.line_count:
        start, end = source.line_bounds(number)
        while source.text[start:end].rstrip().endswith("\\") and number < source.line_count:
            number += 1
            end = source.line_bounds(number)[1]
        number += 1
        text = source.text[start:end]
        if text.strip() and not text.lstrip().startswith("#"):
            at = start + len(text) - len(text.lstrip())
            to = start + len(text.rstrip())
            match = _PACKAGE.match(source.text, at)
            name = match.group().lower() if match else ""
            found.append(Span(at, to, to, name, name))
    return found


def line_span(source: Source, offset: int, symbol: str) -> Span:
    """Give the line at `offset` without the white space around it: the unit where nothing better is known."""
    start, end = source.line_bounds(source.position(offset)[0])
    text = source.text[start:end]
    at = start + len(text) - len(text.lstrip())
    to = max(at, start + len(text.rstrip()))
    return Span(at, to, to, symbol, symbol)
