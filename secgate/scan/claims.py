"""Claims in comments: what a tool was told not to hide is found again in the source, and kept as a suppression."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

from secgate.model import RawResult, Suppression
from secgate.suppression import is_about

MOST_LINES = 60
"""Of a result's lines only so many are searched."""
_COMMENT_ONLY = re.compile(rb"^\s*(?:#|//|/\*|<!--|--|;)")


def attach(results: Sequence[RawResult], pattern: str, read: Callable[[str], bytes]) -> tuple[RawResult, ...]:
    """Give the results, those with a comment that matches `pattern` on their lines carrying it as a suppression.

    One that names other rules only is none. A line before the result counts too when it holds nothing but a comment:
    that is how semgrep reads `nosemgrep`.
    """
    comment = re.compile(pattern.encode(), re.IGNORECASE)
    lines: dict[str, list[bytes]] = {}
    marked = []
    for result in results:
        if result.path not in lines:
            data = read(result.path)
            lines[result.path] = data.split(b"\n") if comment.search(data) else []
        found = _claim(result, lines[result.path], comment).decode("utf-8", "replace").strip()[:200]
        if found and not result.suppressions and is_about(found, (result.rule,)):
            claim = Suppression(kind="inSource", text=found)
            marked.append(msgspec.structs.replace(result, suppressions=(claim,)))
        else:
            marked.append(result)
    return tuple(marked)


def _claim(result: RawResult, lines: Sequence[bytes], comment: re.Pattern[bytes]) -> bytes:
    """Give the comment from where it matches to the end of its line, b"" for none."""
    first = result.region.start_line
    if not lines or first < 1:
        return b""
    last = min(max(result.region.end_line, first), first + MOST_LINES)
    nearby = list(lines[first - 1 : last])
    if first > 1 and _COMMENT_ONLY.match(lines[first - 2]):
        nearby.append(lines[first - 2])
    for line in nearby:
        found = comment.search(line)
        if found:
            return line[found.start() :]
    return b""
