"""SARIF files that the settings name join a run beside its scans; a file covers its lane only as threat rule 7 says."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

from secgate.config import SarifImport
from secgate.model import Coverage, Gap, Lane, RawResult, Reading, ScanStatus, SourceFile, Target
from secgate.ports import Observer
from secgate.preparation import Prepared
from secgate.scan import REASONS, LaneTable, ScanResult
from secgate.scanners.sarif_files import Import, read_import, unread_import
from secgate.sla import many
from secgate.tree import NotOfferedError, Tree

PREFIX = "sarif:"
"""Scanner names of imports begin so."""


def imported(
    prepared: Prepared, *, files: Sequence[SourceFile], table: LaneTable, now: datetime, observer: Observer
) -> tuple[ScanResult, ...]:
    """Read the files that the settings name, for the lanes that the profile asks for, sorted by name.

    `files` are those that the run offers. What cannot be read becomes the status of its part, never silence.
    """
    tracked = _tracked(prepared)
    commit = "" if prepared.target.dirty else prepared.target.commit
    found: dict[str, ScanResult] = {}
    # Covering imports first: the organisation's word on a file stands where a weaker layer names it too.
    for one in sorted(prepared.settings.sarif, key=lambda one: (not one.covers, one.file, one.lane)):
        if one.lane not in prepared.profile.lanes:
            continue
        wanted = Import(
            name=posixpath.basename(one.file) if one.file.startswith("/") else one.file,
            lane=one.lane,
            is_enforced=one.covers,
            is_tracked=_inside(one.file, prepared.target) in tracked,
        )
        name = f"{PREFIX}{wanted.name}"
        if name in found:
            continue
        mine = [file.path for file in files if table.need(one.lane, file) is not None]
        found[name] = _read(one, wanted, prepared, commit=commit, files=mine, now=now)
        part = found[name].invocation
        state = "done" if part.status is ScanStatus.COMPLETED else "failed"
        observer.scanner(name, state, part.reason or "; ".join(part.notices))
    return tuple(_offered(found[name], prepared.target, files) for name in sorted(found))


def with_failed_imports(account: Coverage, scans: Sequence[ScanResult]) -> Coverage:
    """Add a gap of its lane for every import that could not be read: what was to be judged was not."""
    gaps: dict[Lane, list[Gap]] = {}
    for scan in scans:
        part = scan.invocation
        if part.scanner.startswith(PREFIX) and part.status is not ScanStatus.COMPLETED:
            gap = Gap(
                lane=part.lane,
                path="",
                tool=part.scanner,
                reason=REASONS[part.status],
                detail=part.reason,
                remedy="make the file anew before this run, or take it out of `sarif` in the settings",
            )
            gaps.setdefault(part.lane, []).append(gap)
    lanes = tuple(
        msgspec.structs.replace(lane, gaps=(*lane.gaps, *gaps[lane.lane])) if lane.lane in gaps else lane
        for lane in account.lanes
    )
    return msgspec.structs.replace(account, lanes=lanes)


def _read(
    one: SarifImport, wanted: Import, prepared: Prepared, *, commit: str, files: Sequence[str], now: datetime
) -> ScanResult:
    epoch_s = int(now.timestamp())
    try:
        with _opened(one.file, prepared.target) as stream:
            invocation, reading = read_import(wanted, stream, commit=commit, files=files, now_epoch_s=epoch_s)
    except NotOfferedError as error:
        invocation = unread_import(wanted, error.detail or error.reason, now_epoch_s=epoch_s)
        return ScanResult(invocation=invocation)
    except OSError as error:
        return ScanResult(invocation=unread_import(wanted, error.strerror or "unreadable", now_epoch_s=epoch_s))
    if reading.status is not ScanStatus.COMPLETED:
        return ScanResult(invocation=invocation)
    return ScanResult(invocation=invocation, readings=(_at_home(reading, prepared.target),))


@contextmanager
def _opened(file: str, target: Target) -> Iterator[BinaryIO]:
    """Open a file of the settings. A relative path is one of the tree; no link is followed.

    The settings let only the enforced layer and the operator name an absolute path.
    """
    if file.startswith("/"):
        with Path(file).open("rb") as stream:
            yield stream
        return
    with (
        Tree(target.root) as tree,
        tree.opened(posixpath.normpath(file)) as (descriptor, _),
        os.fdopen(descriptor, "rb", closefd=False) as stream,
    ):
        yield stream


def _at_home(reading: Reading, target: Target) -> Reading:
    """Give results by paths of the tree where the tool named files by where the tree stands on this machine."""
    roots = tuple(f"{root.rstrip('/')}/" for root in dict.fromkeys((target.root, str(Path(target.root).resolve()))))
    results = tuple(_moved(one, roots) if one.path.startswith("/") else one for one in reading.results)
    return msgspec.structs.replace(reading, results=results)


def _moved(one: RawResult, roots: Sequence[str]) -> RawResult:
    package = one.package
    if package is not None:
        package = msgspec.structs.replace(package, manifest=_below(package.manifest, roots))
    return msgspec.structs.replace(one, path=_below(one.path, roots), package=package)


def _below(path: str, roots: Sequence[str]) -> str:
    return next((path.removeprefix(root) for root in roots if path.startswith(root)), path)


def _tracked(prepared: Prepared) -> frozenset[str]:
    repository = prepared.repository
    return frozenset(entry.path for entry in repository.tracked()) if repository is not None else frozenset()


def _inside(file: str, target: Target) -> str:
    """Give the path in the tree, through any link on the way, "" for one outside of it."""
    place = Path(target.root, file).resolve()
    root = Path(target.root).resolve()
    return place.relative_to(root).as_posix() if root in place.parents else ""


def _offered(scan: ScanResult, target: Target, files: Sequence[SourceFile]) -> ScanResult:
    """Pass over results in files of the tree that this run does not offer, and say how many they are.

    Results anywhere else stay: normalise refuses them aloud.
    """
    passed_over = {file.path for file in target.files} | {one.path for one in target.left_out}
    passed_over -= {file.path for file in files}
    count = 0
    readings = []
    for reading in scan.readings:
        kept = tuple(result for result in reading.results if result.path not in passed_over)
        count += len(reading.results) - len(kept)
        readings.append(msgspec.structs.replace(reading, results=kept))
    if not count:
        return scan
    notice = f"{many(count, 'result lies', 'results lie')} in files that this run does not look at"
    invocation = msgspec.structs.replace(scan.invocation, notices=(*scan.invocation.notices, notice))
    return ScanResult(invocation=invocation, readings=tuple(readings))
