"""Fixes: replacements of text in one file, bound to the bytes that they were made for.

A tool's edit is a stranger's word about a file. It can speak only of the file of its result, it has no path of its own;
what does not fit that text exactly is dropped, and what is kept is the least that changes. Whoever makes the edit holds
the digest against what is there: other bytes, no edit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import pairwise

import msgspec

from secgate.languages.source import ColumnUnit, Source
from secgate.model import Digest, Edit, Fix, Package, RawResult
from secgate.upgrades import fixed_version

MOST_FIXES = 3
"""Of one result."""
MOST_EDITS = 20
LONGEST_TEXT = 2_000
LONGEST_TITLE = 200
_PINNING_KINDS = frozenset({"pip-requirements", "pip-constraints", "pyproject", "setup-cfg", "setup-py", "pipfile"})
"""Manifests that people write. A lock holds hashes, and what it names hangs together: its tool makes it anew."""
_UNREADABLE = "\ufffd"


def offered(
    raw: RawResult, source: Source, kinds: Collection[str], digest: Digest, masked: Callable[[str], str]
) -> tuple[Fix, ...]:
    """Give the fixes of a result that fit the text of its file: the tool's own, and the upgrade of its dependency.

    One that `masked` would change is none: it would write the mask into the file.
    """
    made = [bound(fix, source, unit=raw.column_unit, digest=digest) for fix in raw.fixes[:MOST_FIXES]]
    if raw.package is not None and raw.package.manifest == raw.path:
        made.append(upgrade(raw.package, source, kinds=kinds, digest=digest))
    return tuple(
        msgspec.structs.replace(fix, title=masked(fix.title))
        for fix in made
        if fix is not None and all(masked(edit.text) == edit.text for edit in fix.edits)
    )


def bound(fix: Fix, source: Source, *, unit: ColumnUnit, digest: Digest) -> Fix | None:
    """Give a tool's fix for this text, bound to the digest of its bytes; None where it does not fit or changes nothing.

    Its columns come in `unit` and go in UTF-16. Refused are positions outside of the text or within a character, edits
    that overlap, too many or too long ones, and text with characters that do not show.
    """
    if not 0 < len(fix.edits) <= MOST_EDITS or _UNREADABLE in source.text or not digest:
        return None
    spans = []
    for edit in fix.edits:
        start = _offset(source, edit.region.start_line, edit.region.start_column, unit)
        end = _offset(source, edit.region.end_line, edit.region.end_column, unit)
        if start is None or end is None or end < start or not _is_plain(edit.text):
            return None
        spans.append((start, end, edit.text))
    spans.sort(key=lambda span: span[:2])
    if any(one[1] > other[0] for one, other in pairwise(spans)):
        return None
    edits = [_least(source, *span) for span in spans]
    kept = tuple(edit for edit in edits if edit is not None)
    if not kept or sum(len(edit.text) for edit in kept) > LONGEST_TEXT:
        return None
    return Fix(title=fix.title[:LONGEST_TITLE], edits=kept, digest=digest)


def upgrade(package: Package, source: Source, *, kinds: Collection[str], digest: Digest) -> Fix | None:
    """Give the fixed version in place of the one in use, where a manifest that people write names it in its line."""
    if not package.fixed_versions or not 0 < package.line <= source.line_count or _PINNING_KINDS.isdisjoint(kinds):
        return None
    line, version = source.line(package.line), fixed_version(package)
    # A hash pins the version too, and a version that stands there twice could be either.
    if not package.version or line.count(package.version) != 1 or "--hash" in line or line.rstrip().endswith("\\"):
        return None
    start = source.line_bounds(package.line)[0] + line.index(package.version)
    region = source.region(start, start + len(package.version))
    edit = Edit(region=region, text=version)
    fix = Fix(title=f"Upgrade {package.name} to {version}", edits=(edit,))
    return bound(fix, source, unit="utf-16", digest=digest)


def _offset(source: Source, line: int, column: int, unit: ColumnUnit) -> int | None:
    if not 1 <= line <= max(source.line_count, 1) or column < 1:
        return None
    start, end = source.line_bounds(line)
    text = source.text[start:end]
    try:
        if unit == "code-point":
            before = text[: column - 1]
            return start + len(before) if len(before) == column - 1 else None
        size, name = (1, "utf-8") if unit == "utf-8" else (2, "utf-16-le")
        before = text.encode(name)[: size * (column - 1)].decode(name)
    except UnicodeError:
        return None
    return start + len(before) if len(before.encode(name)) == size * (column - 1) else None


def _is_plain(text: str) -> bool:
    return all(character.isprintable() or character in "\n\r\t" for character in text)


def _least(source: Source, start: int, end: int, text: str) -> Edit | None:
    """Give the edit without what it leaves as it was, None for one that changes nothing."""
    old = source.text[start:end]
    if old == text:
        return None
    head = 0
    while head < min(len(old), len(text)) and old[head] == text[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(text)) - head and old[-1 - tail] == text[-1 - tail]:
        tail += 1
    return Edit(region=source.region(start + head, end - tail), text=text[head : len(text) - tail])
