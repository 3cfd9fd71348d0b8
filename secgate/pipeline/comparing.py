"""What a run is compared with: the merge base or the last recorded run, and where this run looked as that one did."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from secgate.correlate import Correlation
from secgate.model import Coverage, History, KnownFinding, KnownRun, Rename, ScanStatus, Scope
from secgate.pipeline.account import joined
from secgate.pipeline.imports import PREFIX as IMPORTED
from secgate.pipeline.looking import Base, Looked, Looker
from secgate.pipeline.renames import renames_since
from secgate.preparation import Prepared
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
    if not first.findings or prepared.repository is None or not prepared.repository.resolve(last.commit):
        return Base(history.open)
    return looker.base(first, head=looked[0], at=last.commit)


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


def comparable_with(prepared: Prepared, coverage: Coverage, head: Looked) -> Callable[[KnownFinding], bool]:
    """Give what tells whether this run looked where a known finding was, with everything that saw it."""
    target = prepared.target
    # An import that covers nothing shows what is there; that something is gone, it cannot say.
    completed = {
        part.scanner
        for part in (scan.invocation for scan in head.scans)
        if part.status is ScanStatus.COMPLETED and (part.files or not part.scanner.startswith(IMPORTED))
    }
    lanes = {lane.lane: lane for lane in coverage.lanes}

    def compare(known: KnownFinding) -> bool:
        lane = lanes.get(known.lane)
        if lane is None or not lane.asked or target.changed is not None:
            return False
        if target.prefix and not known.path.startswith(f"{target.prefix}/"):
            return False
        if any(gap.path in ("", known.path) for gap in lane.gaps):
            return False
        gone = known.path not in {file.path for file in target.files}
        excluded = any(one.path == known.path for one in target.left_out)
        return not excluded and (gone or set(known.scanners) <= completed)

    return compare
