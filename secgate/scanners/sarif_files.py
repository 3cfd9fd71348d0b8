"""Import `sarif`: reports that other tools wrote, in SARIF or a JSON form of their own, named in the configuration.

An import brings results; it covers a lane only under the conditions of `coverage_refusal`, since a committed, clean
file would otherwise turn every lane green. A claim of success is not believed; a claim of failure is.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from secgate import sarif
from secgate.errors import UsageError
from secgate.model import EvidenceBasis, Invocation, Lane, RawResult, Reading, ScanStatus, Value
from secgate.scanners.outputs import covered
from secgate.scanners.reports import read_report


class Import(Value, frozen=True, kw_only=True):
    """One configured file and what is known of it besides its content.

    `is_enforced`: the enforced layer names it. `is_tracked`: git tracks it, so whoever made the change wrote it.
    """

    name: str
    lane: Lane
    is_enforced: bool
    is_tracked: bool


def coverage_refusal(wanted: Import, runs: Sequence[sarif.ForeignRun], *, commit: str) -> str:
    """Say why an import may not cover its lane, "" when it may. `commit` is the one judged, "" for a dirty tree."""
    if not wanted.is_enforced:
        return "the enforced layer does not name it"
    if wanted.is_tracked:
        return "git tracks it"
    if not commit:
        return "the tree is not a clean commit"
    if any(run.revision != commit for run in runs):
        return "it does not say that it was made from this commit"
    if any(run.errors for run in runs):
        return "its tool reports errors of its own"
    return ""


def read_import(
    wanted: Import, data: bytes | sarif.Readable, *, commit: str, files: Sequence[str], now_epoch_s: int
) -> tuple[Invocation, Reading]:
    """Read one file; `files` are those of its lane. What is no report gives an unreadable reading.

    Raises OSError as the stream does.
    """
    try:
        runs = read_report(data, name=wanted.name, files=files)
    except UsageError as error:
        reading = Reading(status=ScanStatus.UNREADABLE, reason=f"{error.place}: {error.what}")
        return _invocation(wanted, reading, (), now_epoch_s), reading
    if not runs:
        reading = Reading(status=ScanStatus.UNREADABLE, reason="it holds no run, so no tool looked at anything")
        return _invocation(wanted, reading, (), now_epoch_s), reading
    if any(run.claimed_success is False for run in runs):
        reading = Reading(status=ScanStatus.CRASHED, reason="the file says that its tool did not succeed")
        return _invocation(wanted, reading, runs, now_epoch_s), reading
    refusal = coverage_refusal(wanted, runs, commit=commit)
    reading = Reading(
        status=ScanStatus.COMPLETED,
        results=tuple(_in_lane(result, wanted.lane) for run in runs for result in run.results),
        rules=tuple({rule.id: rule for run in runs for rule in run.rules}.values()),
        files=() if refusal else tuple(covered(files, EvidenceBasis.INFERRED)),
        notices=_notices(runs, refusal),
    )
    return _invocation(wanted, reading, runs, now_epoch_s), reading


def unread_import(wanted: Import, why: str, *, now_epoch_s: int) -> Invocation:
    """Give the part of a file that is not there or cannot be opened; `why` in a few words."""
    reading = Reading(status=ScanStatus.MISSING, reason=f"{wanted.name}: {why}")
    return _invocation(wanted, reading, (), now_epoch_s)


def _notices(runs: Sequence[sarif.ForeignRun], refusal: str) -> tuple[str, ...]:
    remarks = tuple(remark for run in runs for remark in run.remarks())
    return (f"claims no coverage: {refusal}", *remarks) if refusal else remarks


def _in_lane(result: RawResult, lane: Lane) -> RawResult:
    return result if result.lane else msgspec.structs.replace(result, lane=lane)


def _invocation(wanted: Import, reading: Reading, runs: Sequence[sarif.ForeignRun], now_epoch_s: int) -> Invocation:
    return Invocation(
        scanner=f"sarif:{wanted.name}",
        lane=wanted.lane,
        lanes=(wanted.lane,),
        tool=None,
        status=reading.status,
        reason=reading.reason,
        rule_pack=", ".join(f"{run.tool} {run.version}".strip() for run in runs),
        started_epoch_s=now_epoch_s,
        files=reading.files,
        notices=reading.notices,
        rules=reading.rules,
    )
