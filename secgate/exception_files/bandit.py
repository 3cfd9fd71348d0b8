"""A bandit baseline (`bandit -b`): an earlier JSON report. It gives no reasons.

bandit itself compares file, test and text, and never the line. Here the line's code must be the same as well: with the
report's file and test alone, a new weakness would be let pass for an old one.
"""

from __future__ import annotations

import re

import msgspec

from secgate.exception_files.entry import Entry, decode, path_in_tree
from secgate.exception_files.words import name

CALLED = "a bandit baseline"
_NUMBERED = re.compile(r"(\d{1,9})(?: (.*))?")


class _Result(msgspec.Struct):
    filename: str
    test_id: str
    line_number: int
    issue_text: str = ""
    code: str = ""


class _Report(msgspec.Struct):
    results: list[_Result]


def read(data: bytes, *, file: str, under: str) -> tuple[Entry, ...]:
    """Give an entry for each result. Raises UsageError for another form."""
    report = decode(data, _Report, file=file, called=CALLED)
    entries = []
    for at, one in enumerate(report.results):
        path, refused = path_in_tree(one.filename, under=under)
        entries.append(
            Entry(
                place=f"$.results[{at}]",
                shown=f"{name(one.test_id)} in {path or name(one.filename)}:{one.line_number}",
                tool="bandit",
                rule=name(one.test_id),
                path=path,
                line=max(one.line_number, 0),
                code=_code(one),
                refused=refused,
            )
        )
    return tuple(entries)


def _code(one: _Result) -> str:
    """Give the line that the result is about, from the numbered lines that the report quotes."""
    for text in one.code.split("\n"):
        numbered = _NUMBERED.fullmatch(text)
        if numbered and int(numbered[1]) == one.line_number:
            return (numbered[2] or "").strip()[:1_000]
    return ""
