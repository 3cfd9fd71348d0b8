"""Where a key stands in a TOML text: the standard reader does not tell."""

from __future__ import annotations

import re
from collections.abc import Sequence

_HEADER = re.compile(r"^\s*\[{1,2}\s*([^\]]+?)\s*\]{1,2}\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*=""")


def line_of(text: str, path: Sequence[str]) -> int:
    """Give the line (from 1) of the TOML key `path`, or of the closest enclosing key that is written out.

    0 when none is.

    List positions are digits in `path`. Good for messages: tomllib keeps no positions.
    """
    wanted = [part for part in path if not part.isdigit()]
    counts: dict[tuple[str, ...], int] = {}
    index_of = {
        tuple(p for p in path[:at] if not p.isdigit()): int(part) for at, part in enumerate(path) if part.isdigit()
    }
    table: list[str] = []
    skipped = False
    best, best_depth = 0, 0
    for number, line in enumerate(text.split("\n"), 1):
        header = _HEADER.match(line)
        if header and not _KEY.match(line):
            table = _split(header.group(1))
            key = tuple(table)
            if line.lstrip().startswith("[["):
                counts[key] = counts.get(key, -1) + 1
            skipped = key in index_of and counts.get(key, 0) != index_of[key]
            full = table
        else:
            match = _KEY.match(line)
            if not match:
                continue
            full = [*table, *_split(match.group(1))]
        if not skipped and full == wanted[: len(full)] and len(full) > best_depth:
            best, best_depth = number, len(full)
    return best


def _split(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in re.findall(r"""\s*("[^"]*"|'[^']*'|[^.]+)\s*""", dotted)]
