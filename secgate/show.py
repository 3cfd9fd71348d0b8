"""Stage 9, show: a stored run to bytes, and the few source lines that are stored with each finding.

Source lines come masked: an excerpt is part of the record, and a record holds no secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from secgate.languages.source import Source
from secgate.model import Finding, Location, RunDocument
from secgate.ports import Reporter
from secgate.summary import pinpoint

AROUND = 3
"""Lines before and after the finding."""
MAX_FLAGGED = 12
"""Lines of the finding itself; a longer one is shown by its first ones."""
MAX_COLUMNS = 240
"""Characters of one line; of a longer one the part around the finding is kept."""
MAX_EXCERPTS = 5_000
"""Findings with an excerpt; the rest has its place only, so that a record stays small."""


class Mask(Protocol):
    """Masks the secrets in lines of one file; `masking.Masker.lines` is one."""

    def __call__(self, path: str, lines: Sequence[str], first_line: int, *, commit: str = "") -> tuple[str, ...]:
        """Give `lines`, which begin at `first_line` of `path`, without their secrets, as many as came."""
        ...


def excerpts(findings: Iterable[Finding], read: Callable[[Location], bytes | None], mask: Mask) -> dict[str, str]:
    """Give, by fingerprint, the masked lines around each finding as `NUMBER<TAB>TEXT`, line ends between them.

    `read` gives the bytes that a location speaks of, or None where they are not to be had; such a finding, and one
    without a line or beyond the end of its file, has no excerpt. The most severe findings come first where not all
    get one.
    """
    chosen = sorted(findings, key=lambda one: (-one.score, one.location.path, one.fingerprint))[:MAX_EXCERPTS]
    # File by file, so that each is read and split into lines once and no two are held at a time.
    chosen.sort(key=lambda one: (one.location.path, one.location.commit, one.fingerprint))
    found: dict[str, str] = {}
    held: tuple[str, str] | None = None
    source: Source | None = None
    for finding in chosen:
        place = pinpoint(finding)
        if (place.path, place.commit) != held:
            data = read(place)
            source = None if data is None else Source(data)
            held = (place.path, place.commit)
        if source is not None:
            text = _excerpt(source, place, mask)
            if text:
                found[finding.fingerprint] = text
    return dict(sorted(found.items()))


def show(document: RunDocument, reporter: Reporter, *, width: int, colour: bool) -> bytes:
    """Give the run as `reporter` renders it. Equal documents give equal bytes."""
    return reporter.render(document, width=width, colour=colour)


def _excerpt(source: Source, place: Location, mask: Mask) -> str:
    start = place.region.start_line
    if not source.text or not 1 <= start <= source.line_count:
        return ""
    end = min(max(place.region.end_line, start), start + MAX_FLAGGED - 1)
    first, last = max(start - AROUND, 1), min(end + AROUND, source.line_count)
    lines = mask(place.path, [source.line(n) for n in range(first, last + 1)], first, commit=place.commit)
    return "\n".join(
        f"{number}\t{_clip(line, place.region.start_column if number == start else 1)}"
        for number, line in enumerate(lines, first)
    )


def _clip(line: str, column: int) -> str:
    """Cut a long line to the part around `column`, after masking: a cut before could leave half a secret unseen."""
    # A mask may hold a line end of its own making only by a fault; an excerpt's lines must stay countable.
    line = line.replace("\r", " ").replace("\n", " ")
    if len(line) <= MAX_COLUMNS:
        return line
    start = min(max(column - 1 - MAX_COLUMNS // 4, 0), len(line) - MAX_COLUMNS)
    end = start + MAX_COLUMNS
    return ("…" if start else "") + line[start:end] + ("…" if end < len(line) else "")
