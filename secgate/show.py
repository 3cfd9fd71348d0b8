"""Stage 9, show: a stored run to bytes, and what is stored of the source for it.

That is a few lines around each finding, and the hashes by which GitHub knows lines. Source lines come masked: an
excerpt is part of the record, and a record holds no secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from secgate import sarif
from secgate.languages.source import Source
from secgate.model import Finding, Location, RunDocument
from secgate.ports import PartialReporter, Rendered, Reporter
from secgate.summary import pinpoint, worst_first

AROUND = 3
"""Lines before and after the finding."""
MAX_FLAGGED = 12
"""Lines of the finding itself; a longer one is shown by its first ones."""
MAX_COLUMNS = 240
"""Characters of one line; of a longer one the part around the finding is kept."""
MAX_LINE_HASHES = 50_000
"""Results whose line is hashed, the most severe first."""
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
    chosen = sorted(findings, key=worst_first)[:MAX_EXCERPTS]
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


class Cut(Protocol):
    """Gives a part of a file's text without its secrets; `masking.Masker.cut` is one."""

    def __call__(self, path: str, source: Source, start: int, end: int) -> str:
        """Give the text of `source` between two offsets, masked."""
        ...


def line_hashes(
    findings: Iterable[Finding], read: Callable[[Location], bytes | None], cut: Cut
) -> dict[str, dict[str, str]]:
    """Give, by path and line (in digits), the `primaryLocationLineHash` of the lines that results begin in.

    A hash whose text holds a secret is left out: from the rest of the text and the hash, the secret could be guessed.
    """
    chosen = sorted(findings, key=worst_first)
    places = [one.location for finding in chosen for one in finding.witnesses if not one.location.commit]
    wanted: dict[str, set[int]] = {}
    for place in places[:MAX_LINE_HASHES]:
        if place.path and place.region.start_line > 0:
            wanted.setdefault(place.path, set()).add(place.region.start_line)
    found: dict[str, dict[str, str]] = {}
    for path, lines in sorted(wanted.items()):
        data = read(Location(path=path))
        hashes = sarif.line_hashes(data, lines) if data is not None else {}
        if data is not None and hashes:
            source = Source(data)
            found[path] = {str(line): value for line, value in hashes.items() if _is_open(path, source, line, cut)}
    return {path: hashes for path, hashes in found.items() if hashes}


def _is_open(path: str, source: Source, line: int, cut: Cut) -> bool:
    """Tell whether nothing of what the hash of a line covers is masked."""
    start, _ = source.line_bounds(line)
    end = sarif.covered(source.text, start)
    return cut(path, source, start, end) == source.text[start:end]


def show(document: RunDocument, reporter: Reporter, *, width: int, colour: bool) -> Rendered:
    """Give the run as `reporter` renders it. Equal documents give equal bytes."""
    if isinstance(reporter, PartialReporter):
        return reporter.rendered(document)
    return Rendered(reporter.render(document, width=width, colour=colour))


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
