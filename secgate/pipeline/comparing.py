"""What a run is compared with: the merge base or the last recorded run, and where this run looked as that one did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from secgate.correlate import Correlation, to_known
from secgate.discover import is_within
from secgate.model import Coverage, History, KnownFinding, KnownRun, Rename, ScanStatus, Scope
from secgate.pipeline.account import joined
from secgate.pipeline.imports import PREFIX as IMPORTED
from secgate.pipeline.looking import Base, Looked, Looker
from secgate.pipeline.renames import renames_since
from secgate.preparation import Prepared
from secgate.repository import Repository, escaped
from secgate.run_facts import tools_digest


def base_of(
    prepared: Prepared,
    looker: Looker,
    first: Correlation,
    looked: Sequence[Looked],
    history: History | None,
) -> Base | None:
    """Give what was there before under the same tools and packs: None where there is nothing to compare with."""
    target = prepared.target
    if target.changed is not None:
        if not target.base_commit or not first.findings:
            return Base()
        return looker.base(first, head=looked[0], at=target.base_commit)
    last = _last_run(prepared, history)
    if last is None or history is None:
        return None
    invocations = joined(looked)
    if last.tools_digest == tools_digest(invocations, table_digest=looker.tables.lanes.digest):
        return Base(history.open)
    # Other tools see other things in the same code: what they see in the last run's commit came with them.
    repository = prepared.repository
    if not first.findings or repository is None or not repository.resolve(last.commit):
        return Base(history.open)
    base = looker.base(first, head=looked[0], at=last.commit)
    return base._replace(known=(*base.known, *_imported_before(first, history, repository=repository, at=last.commit)))


def _imported_before(
    first: Correlation, history: History, *, repository: Repository, at: str
) -> Iterator[KnownFinding]:
    """Give what reports of other tools say of commit `at`, at which nobody can start these tools.

    In a file that is as it was they would have seen then what they see now. For others what is open stands in.
    """
    now = [one for one in first.findings if _is_imported(witness.scanner for witness in one.witnesses)]
    then = [one for one in history.open if _is_imported(one.scanners)]
    if not now:
        return
    changes = repository.work_tree_changes(at)
    touched = {*changes.present, *changes.deleted, *(one.old for one in changes.renames)}
    same = {escaped(path) for path in repository.tree_entries(at).keys() - touched}
    yield from to_known(one for one in now if one.location.path in same)
    yield from (one for one in then if one.path not in same)


def _is_imported(scanners: Iterable[str]) -> bool:
    return all(name.startswith(IMPORTED) for name in scanners)


def renames_of(prepared: Prepared, history: History | None, first: Correlation) -> tuple[Rename, ...]:
    """Give the change's renames; where there is no change, those since the runs that the ledger remembers."""
    target = prepared.target
    if target.changed is not None or history is None:
        return target.renames
    return renames_since(history, target=target, repository=prepared.repository, findings=first.findings)


def _last_run(prepared: Prepared, history: History | None) -> KnownRun | None:
    """Give the last run of this line that looked at the whole of a clean commit, for a protected run."""
    target = prepared.target
    if target.scope is not Scope.PROTECTED or history is None:
        return None
    runs = [
        run
        for run in history.runs
        if run.line == target.line and run.scope is Scope.PROTECTED and run.commit and run.complete and not run.dirty
    ]
    return runs[-1] if runs else None


class Reach:
    """Where a run looked, and with what."""

    def __init__(self, prepared: Prepared, coverage: Coverage, head: Looked) -> None:
        self._target = target = prepared.target
        self._lanes = {lane.lane: lane for lane in coverage.lanes}
        # An import that covers nothing shows what is there; that something is gone, it cannot say.
        self._completed = {
            part.scanner
            for part in (scan.invocation for scan in head.scans)
            if part.status is ScanStatus.COMPLETED and (part.files or not part.scanner.startswith(IMPORTED))
        }
        self._here = {file.path for file in target.files}
        # What a link within the tree leads to is looked at, or left out, under its own name.
        self._left_out = {one.path for one in target.left_out if one.reason != "link"}
        self._touched = {*(target.changed or ()), *target.deleted, *(rename.old for rename in target.renames)}

    def covers(self, known: KnownFinding) -> bool:
        """Tell whether this run looked where a known finding was, with everything that saw it: only then it is gone."""
        lane = self._lanes.get(known.lane)
        if lane is None or not lane.asked or self._target.changed is not None or self._is_outside(known.path):
            return False
        if any(gap.path in ("", known.path) for gap in lane.gaps):
            return False
        return known.path not in self._here or set(known.scanners) <= self._completed

    def misses(self, known: KnownFinding) -> bool:
        """Tell whether a known finding may be where it was, since nothing that saw it looked there.

        What a change does not touch is where it was; a file that is not there any more holds nothing.
        """
        if self._target.changed is not None:
            return known.path not in self._touched
        if self._is_outside(known.path):
            return True
        if known.path not in self._here:
            return False
        lane = self._lanes.get(known.lane)
        if lane is None or not lane.asked or any(gap.path == known.path for gap in lane.gaps):
            return True
        return self._completed.isdisjoint(known.scanners)

    def _is_outside(self, path: str) -> bool:
        """Tell whether a path is in no folder that was asked for, or left out, or in a folder that was."""
        if not is_within(self._target.prefix, path):
            return True
        if not self._left_out:
            return False
        place = PurePosixPath(path)
        return not self._left_out.isdisjoint(map(str, (place, *place.parents)))
