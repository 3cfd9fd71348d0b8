"""Which lines of its findings a change brought: where a note stands in the difference that a reviewer reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from secgate.errors import IncompleteTargetError
from secgate.model import Finding, Region, Source, State, Target
from secgate.repository import Repository, Span
from secgate.summary import pinpoint, worst_first

MAX_FILES = 200
"""Files that are asked about, those of the most severe findings first: each is a process."""


def brought_lines(
    findings: Sequence[Finding], target: Target, repository: Repository | None
) -> dict[str, tuple[int, int]]:
    """Give, by fingerprint, the first and last of a finding's lines that the change brought; most have none.

    A finding that the change brought may stand on lines that were there before, and a commit's text that is gone at
    the end stands on none.
    """
    if repository is None or target.changed is None:
        return {}
    mine: dict[str, list[Finding]] = {}
    for one in sorted(findings, key=worst_first):
        if _may_stand(one):
            mine.setdefault(one.location.path, []).append(one)
    if not mine:
        return {}
    names = {rename.new: rename.old for rename in target.renames}
    untracked = frozenset(repository.untracked()) if target.source is Source.WORK_TREE else frozenset()
    found: dict[str, tuple[int, int]] = {}
    for path in list(mine)[:MAX_FILES]:
        spans = None
        if path not in untracked:
            spans = _spans(path, names.get(path, ""), target, repository)
        for one in mine[path]:
            found.update((one.fingerprint, part) for part in _first(one, spans))
    return dict(sorted(found.items()))


def _may_stand(one: Finding) -> bool:
    brought = one.touched and one.state in (State.NEW, State.UPDATED)
    return brought and not one.location.commit and pinpoint(one).region.start_line > 0


def _spans(path: str, before: str, target: Target, repository: Repository) -> tuple[Span, ...]:
    """Give what the change brought of a file; nothing where this clone lacks what it was before."""
    try:
        return repository.spans(target.base_commit, path, source=target.source, new=target.commit, before=before)
    except IncompleteTargetError:
        return ()


def _first(one: Finding, spans: Sequence[Span] | None) -> Iterator[Span]:
    """Give the first part of the finding that is new, `spans` None for a file of which every line is.

    The tightest place comes first, then the whole unit that identity rests on.
    """
    for region in (pinpoint(one).region, one.location.region):
        first, last = _ends(region)
        for start, end in [(first, last)] if spans is None else spans:
            if start <= last and first <= end:
                yield max(first, start), min(last, end)
                return


def _ends(region: Region) -> Span:
    return region.start_line, max(region.start_line, region.end_line)
