"""Who wrote which lines, as `git blame --porcelain` says."""

from __future__ import annotations

import re

from secgate.errors import TargetError
from secgate.model import Value

_HEAD = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) \d+ (\d+)(?: \d+)?")


class LineAuthor(Value, frozen=True, kw_only=True):
    """One line's last author: a name without the address, when, and in which commit."""

    line: int
    name: str
    written_epoch_s: int
    commit: str


def read_blame(data: bytes) -> tuple[LineAuthor, ...]:
    """Read `git blame --porcelain`, which tells of a commit only once; lines in their order.

    Raises TargetError for what is not of that form.
    """
    authors: dict[str, str] = {}
    times: dict[str, int] = {}
    lines: list[tuple[int, str]] = []
    commit = ""
    for row in data.split(b"\n"):
        head = _HEAD.fullmatch(row) if not row.startswith(b"\t") else None
        if head is not None:
            commit = head[1].decode("ascii")
            lines.append((int(head[2]), commit))
        elif row.startswith(b"author "):
            authors[commit] = row.removeprefix(b"author ").decode("utf-8", "backslashreplace")
        elif row.startswith(b"author-time "):
            times[commit] = max(int(row.removeprefix(b"author-time ")), 0)
    if any(name not in authors or name not in times for _, name in lines):
        raise TargetError("git's list of a file's authors cannot be read", remedy="run it again")
    return tuple(
        LineAuthor(line=line, name=authors[name], written_epoch_s=times[name], commit=name) for line, name in lines
    )
