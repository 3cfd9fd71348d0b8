"""One account of what was looked at, over the end of a change and its commits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec

from secgate.languages import kinds_of
from secgate.languages.parse import misreading, parse_ok
from secgate.model import (
    Coverage,
    FileReading,
    Gap,
    Invocation,
    Lane,
    LaneCoverage,
    ScanStatus,
    View,
)
from secgate.pipeline.imports import with_failed_imports
from secgate.pipeline.looking import Looked, Tables
from secgate.preparation import Prepared
from secgate.scan import Held, cover


def covered(
    looked: Sequence[Looked], *, prepared: Prepared, tables: Tables, only: Sequence[str], remedies: Mapping[str, str]
) -> Coverage:
    """Give every lane's account. Files of a change's commits count in the secrets lane, under their commit."""
    head = _cover(looked[0], prepared=prepared, tables=tables, only=only, remedies=remedies, whole=True)
    head = with_failed_imports(head, looked[0].scans)
    account = msgspec.structs.replace(
        head,
        lanes=tuple(_with_refused(lane, looked) for lane in head.lanes),
    )
    for part in looked[1:]:
        past = _cover(part, prepared=prepared, tables=tables, only=only, remedies=remedies, whole=False)
        account = msgspec.structs.replace(
            account,
            lanes=tuple(
                _with_past(lane, other, part.view) if lane.lane is Lane.SECRETS else lane
                for lane, other in zip(account.lanes, past.lanes, strict=True)
            ),
        )
    return account


def joined(looked: Sequence[Looked]) -> tuple[Invocation, ...]:
    """Give one invocation a scanner, over all views, sorted by lane and name."""
    found: dict[str, Invocation] = {}
    for part in looked:
        for scan in part.scans:
            one = _renamed(scan.invocation, part.view)
            found[one.scanner] = _both(found[one.scanner], one) if one.scanner in found else one
    return tuple(sorted(found.values(), key=lambda one: (one.lane, one.scanner)))


def _cover(
    part: Looked,
    *,
    prepared: Prepared,
    tables: Tables,
    only: Sequence[str],
    remedies: Mapping[str, str],
    whole: bool,
) -> Coverage:
    return cover(
        [scan.invocation for scan in part.scans],
        target=prepared.target,
        files=part.files,
        left_out=(*part.view.left_out, *prepared.target.left_out) if whole else part.view.left_out,
        table=tables.lanes,
        asked=prepared.profile.lanes,
        selected=only or None,
        without_tools=prepared.profile.without_tools,
        remedies=dict(remedies),
        read=lambda path: (Path(part.view.root) / path).read_bytes(),
        parse_ok=parse_ok,
        misreading=misreading,
        kinds_of=kinds_of,
        settled=prepared.settled,
        held=_held(part.view, prepared) if prepared.asking.folders else None,
    )


def _held(view: View, prepared: Prepared) -> Callable[[str], Held]:
    """Give what tells of a path of the view what its folder and the run ask for."""

    @cache
    def held(path: str) -> Held:
        origin = view.origins.get(path)
        known = origin.path if origin is not None else path
        asked, folder = prepared.asking.of(known), prepared.asking.folder(known)
        return Held(asked.lanes, asked.without_tools, folder.name if folder is not None else "")

    return held


def _with_refused(lane: LaneCoverage, looked: Sequence[Looked]) -> LaneCoverage:
    """A result that points out of the tree was not understood: its lane was not told all."""
    gaps = [
        Gap(
            lane=lane.lane,
            path="",
            tool=one.scanner,
            reason="output-unreadable",
            detail=f"a result of {one.rule} was refused: {one.reason}",
            remedy="report it to the scanner's authors with the file it was run on",
        )
        for part in looked
        for one in part.normalised.refused
        if one.lane is lane.lane
    ]
    return msgspec.structs.replace(lane, gaps=(*lane.gaps, *dict.fromkeys(gaps))) if gaps else lane


def _with_past(lane: LaneCoverage, past: LaneCoverage, view: View) -> LaneCoverage:
    return msgspec.structs.replace(
        lane,
        needed=lane.needed or past.needed,
        offered=lane.offered + past.offered,
        covered=lane.covered + past.covered,
        failed=lane.failed + past.failed,
        unsupported=lane.unsupported + past.unsupported,
        tools_ran=tuple(sorted({*lane.tools_ran, *past.tools_ran} - {*lane.tools_failed, *past.tools_failed})),
        tools_failed=tuple(sorted({*lane.tools_failed, *past.tools_failed})),
        gaps=(
            *lane.gaps,
            *(msgspec.structs.replace(gap, path=_named(gap.path, view), touched=True) for gap in past.gaps),
        ),
    )


def _named(path: str, view: View) -> str:
    origin = view.origins.get(path)
    return f"{origin.path}@{origin.commit[:12]}" if origin is not None and origin.commit else path


def _renamed(one: Invocation, view: View) -> Invocation:
    if not view.origins:
        return one
    files = tuple(msgspec.structs.replace(file, path=_named(file.path, view)) for file in one.files)
    return msgspec.structs.replace(one, files=files)


def _both(one: Invocation, other: Invocation) -> Invocation:
    worst = other if one.status is ScanStatus.COMPLETED else one
    files: tuple[FileReading, ...] = (*one.files, *other.files)
    return msgspec.structs.replace(
        one,
        status=worst.status,
        reason=worst.reason,
        exit_codes=(*one.exit_codes, *other.exit_codes),
        duration_s=round(one.duration_s + other.duration_s, 3),
        executed=one.executed + other.executed,
        reused=one.reused + other.reused,
        files=files,
        notices=tuple(sorted({*one.notices, *other.notices})),
        rules=tuple({rule.id: rule for rule in (*one.rules, *other.rules)}.values()),
    )
