"""Which files were renamed since the recorded runs, so that moving a weakness does not restart its clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from secgate.model import Finding, History, KnownFinding, KnownRun, Rename, Target
from secgate.repository import Repository, escaped

MOST_COMMITS = 20
"""Recorded commits that are compared with the tree, newest first, where open findings lie in files that are gone."""


def renames_since(
    history: History, *, target: Target, repository: Repository | None, findings: Sequence[Finding]
) -> tuple[Rename, ...]:
    """Give where the files of open findings that are gone went, sorted by old name.

    Git says so, as far as the recorded commits are in this clone. CI's clones mostly end at one commit: there a file
    that is gone and one other that holds the same text of the same weakness count as one.
    """
    gone = _gone(history.open, target)
    found: dict[str, str] = {}
    for run in _recent(history.runs, target) if repository is not None and gone else ():
        if repository is None or gone <= found.keys():
            break
        if repository.resolve(run.commit):
            for rename in repository.work_tree_changes(run.commit).renames:
                if escaped(rename.old) in gone:
                    found.setdefault(escaped(rename.old), escaped(rename.new))
    found |= _by_text([one for one in history.open if one.path in gone - found.keys()], history.open, findings)
    return tuple(Rename(old=old, new=found[old]) for old in sorted(found))


def _gone(known: Iterable[KnownFinding], target: Target) -> set[str]:
    """Paths that this run would offer and that are not there; what is left out on purpose is still there."""
    here = {file.path for file in target.files} | {one.path for one in target.left_out}
    prefix = f"{target.prefix}/" if target.prefix else ""
    return {one.path for one in known if one.path and one.path not in here and one.path.startswith(prefix)}


def _recent(runs: Sequence[KnownRun], target: Target) -> Iterator[KnownRun]:
    """Runs of this line on clean commits, the newest of each commit first."""
    mine = [run for run in reversed(runs) if run.line == target.line and run.commit and not run.dirty]
    newest = {run.commit: run for run in reversed(mine)}
    yield from [run for run in mine if newest[run.commit] is run][:MOST_COMMITS]


def _by_text(
    lost: Sequence[KnownFinding], known: Sequence[KnownFinding], findings: Sequence[Finding]
) -> dict[str, str]:
    taken = {one.path for one in known}
    places: dict[tuple[str, ...], set[str]] = {}
    for finding in findings:
        if finding.anchor and finding.location.path not in taken:
            key = (finding.lane, finding.weakness, finding.symbol, finding.anchor)
            places.setdefault(key, set()).add(finding.location.path)
    homes: dict[str, set[str]] = {}
    for one in lost:
        homes.setdefault(one.path, set()).update(places.get((one.lane, one.weakness, one.symbol, one.anchor), ()))
    return {old: next(iter(new)) for old, new in homes.items() if len(new) == 1}
