"""Coverage: for each lane the files offered, and which were looked at by every tool that the table requires.

Tools do not tell what they passed over, so the difference is made here: a file counts as covered only when each
required tool's invocation has a reading that says so, and, where that reading is inferred, our own parse agrees.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import NamedTuple

import msgspec

from secgate.languages.parse import MOST_BYTES
from secgate.model import (
    Coverage,
    EvidenceBasis,
    FileStatus,
    Gap,
    Invocation,
    Lane,
    LaneCoverage,
    LeftOut,
    ScanStatus,
    Source,
    SourceFile,
    Target,
    Value,
)
from secgate.scan.lanes import LaneTable, Need

GAP_REASONS = frozenset(
    {
        *("tool-missing", "tool-crashed", "tool-timed-out", "output-unreadable", "output-truncated", "not-selected"),
        *("not-listed", "parse-error", "too-large", "not-utf8", "unreadable", "unsupported", "unpinned"),
        *("skipped-by-tool", "advisories-missing", "advisories-too-old", "no-tool", "left-out", "excluded"),
    }
)
"""Codes of model.Gap. A file reading's reason is such a code, `: ` and words."""

_REMEDIES = {
    "tool-crashed": "see the scanner's own message with `secgate run --scanner NAME`, and report it if it stays",
    "tool-timed-out": "raise the scanner's time limit; exclude generated files by name, or waive the gap",
    "output-unreadable": "use a version of the tool in the tested range, see `secgate doctor`",
    "output-truncated": "raise the scanner's output limit, or give it fewer files",
    "not-selected": "run without --scanner, or name this scanner too",
    "not-listed": "exclude it by name, import a report of a tool that reads it, or waive the gap",
    "parse-error": "correct its syntax; a template, which has none to correct: exclude it by name, or waive the gap",
    "too-large": "split the file, raise max_file_bytes, or exclude it by name",
    "not-utf8": "store the file as UTF-8, with LF or CRLF at the end of lines",
    "unreadable": "give read permission, and have what a line refers to in the tree",
    "unsupported": "import a report of a tool that reads it, add a plug-in, or waive the gap",
    "unpinned": "pin what is named there in a lock, to a version from an index",
    "skipped-by-tool": "do what the tool says; what it cannot know (a package of your own) is for a waiver of the gap",
    "advisories-missing": "secgate advisories update; without a network: secgate advisories import DUMP",
    "advisories-too-old": "secgate advisories update",
    "no-tool": "install a plug-in for this lane, or change the lane table",
    "left-out": "have the file in the repository as a regular file, or waive the gap",
    "excluded": "exclude less, have the organisation exclude it in its enforced.toml, or waive the gap",
}
_PARSED_LANES = (Lane.SAST, Lane.IAC, Lane.WORKFLOWS)
"""Where looking at a file means parsing it; secrets are sought in any text, manifests are read by secgate itself."""
_LEFT_OUT_GAPS = {
    "unreadable": "unreadable",
    "not-utf8-name": "left-out",
    "too-deep": "left-out",
    "too-many": "left-out",
    "too-large": "too-large",
    "lfs-pointer": "left-out",
}
"""Paths that are not offered although they may hold what a lane looks for. Links and submodules are
listed beside the lanes only: what they point to is scanned on its own. So is what is excluded by name, unless a lane
has nothing else."""


class Held(NamedTuple):
    """What a file is held to: lanes that it is asked for in, tools that are done without, whose profile adds to it."""

    lanes: Collection[Lane]
    without_tools: Collection[str]
    profile: str = ""


class _Facts(Value, frozen=True, kw_only=True):
    """What every lane's account is made from."""

    target: Target
    invocations: dict[str, Invocation]
    readings: dict[str, dict[str, tuple[FileStatus, EvidenceBasis, str]]]
    table: LaneTable
    selected: frozenset[str] | None
    without_tools: frozenset[str]
    held: Callable[[str], Held]
    remedies: dict[str, str]
    is_parsed: Callable[[SourceFile], bool | None]
    misread: Callable[[SourceFile], str]
    kinds_of: Callable[[str, bytes], tuple[str, ...]]
    settled: frozenset[str]


def cover(
    invocations: Sequence[Invocation],
    *,
    target: Target,
    files: Sequence[SourceFile],
    left_out: Sequence[LeftOut],
    table: LaneTable,
    asked: Collection[Lane],
    selected: Collection[str] | None,
    without_tools: Collection[str],
    remedies: dict[str, str],
    read: Callable[[str], bytes],
    parse_ok: Callable[[tuple[str, ...], str, bytes], bool | None],
    misreading: Callable[[str, bytes], str],
    kinds_of: Callable[[str, bytes], tuple[str, ...]],
    settled: Collection[str],
    held: Callable[[str], Held] | None = None,
) -> Coverage:
    """Give every lane's account, lanes and gaps in a fixed order.

    `selected` are the scanners named on the command line, None for all: leaving one out narrows nothing.
    `without_tools` are those the profile does without: they do. `remedies` tell how to install a tool, by name.
    `parse_ok(kinds, path, bytes)` is None where there is no parser of ours; `misreading(kind, bytes)` says
    why a tool that tells nothing may have read another text, "" where not. `settled` are the patterns by which the
    organisation itself excludes. `held` tells what each file is held to,
    where not all are asked for the same: then `asked` are the lanes of any, and `without_tools` those of all.
    """
    parsed: dict[str, bool | None] = {}
    everything = Held(tuple(Lane), without_tools)

    def is_parsed(file: SourceFile) -> bool | None:
        """Parse once per file."""
        if file.path not in parsed:
            parsed[file.path] = parse_ok(file.kinds, file.path, read(file.path))
        return parsed[file.path]

    @cache
    def misread(file: SourceFile) -> str:
        data = read(file.path)
        return next((why for kind in file.kinds if (why := misreading(kind, data))), "")

    facts = _Facts(
        target=target,
        invocations={invocation.scanner: invocation for invocation in invocations},
        readings={
            invocation.scanner: {one.path: (one.status, one.basis, one.reason) for one in invocation.files}
            for invocation in invocations
        },
        table=table,
        selected=frozenset(selected) if selected is not None else None,
        without_tools=frozenset(without_tools),
        held=held or (lambda _: everything),
        remedies=remedies,
        is_parsed=is_parsed,
        misread=misread,
        kinds_of=kinds_of,
        settled=frozenset(settled),
    )
    ordered = sorted(files, key=lambda file: file.path)
    outside = tuple(sorted({*left_out}, key=lambda one: (one.path, one.reason, one.detail)))
    return Coverage(
        lanes=tuple(_lane(lane, ordered, outside, facts, asked=lane in asked) for lane in Lane),
        left_out=outside,
        table_digest=table.digest,
    )


def _lane(
    lane: Lane, files: Sequence[SourceFile], outside: Sequence[LeftOut], facts: _Facts, *, asked: bool
) -> LaneCoverage:
    needs = [
        (file, need)
        for file in files
        if (need := facts.table.need(lane, file)) is not None and not (asked and _is_spared(lane, file.path, facts))
    ]
    gaps: list[Gap] = []
    covered = unsupported = 0
    for file, need in needs:
        found = _file_gaps(lane, file, need, facts)
        covered += not found
        unsupported += any(gap.reason == "unsupported" for gap in found)
        gaps += found
    mine = [
        (one, reason)
        for one in outside
        if (reason := _left_out_reason(lane, one, facts)) is not None
        and not (asked and _is_spared(lane, one.path, facts))
    ]
    gaps += [_gap(facts, lane, one.path, reason=reason, detail=_detail(one)) for one, reason in mine]
    gaps += [] if needs else _all_excluded(lane, outside, facts, asked=asked)
    ran, broken = _tools(lane, needs, facts)
    return LaneCoverage(
        lane=lane,
        asked=asked,
        needed=bool(needs or gaps),
        offered=len(needs),
        covered=covered,
        failed=len(needs) - covered - unsupported,
        unsupported=unsupported,
        tools_ran=ran,
        tools_failed=broken,
        gaps=tuple(sorted(_joined(gaps, needs), key=lambda gap: (gap.path, gap.tool, gap.reason))),
        not_looked=tuple(one for one, _ in mine),
    )


def _is_spared(lane: Lane, path: str, facts: _Facts) -> bool:
    """Tell whether a lane that another folder asks for is not asked for here."""
    return lane not in facts.held(path).lanes


def _file_gaps(lane: Lane, file: SourceFile, need: Need, facts: _Facts) -> list[Gap]:
    """Give what keeps one file from being covered; an import that covers the file stands for the required tools."""
    if any(name.startswith("sarif:") and _covers(facts, name, lane, file.path) for name in facts.invocations):
        return []
    gaps = [_gap(facts, lane, file.path, reason="unsupported", detail=need.unsupported)] if need.unsupported else []
    required = [tool for tool in need.tools if tool not in facts.held(file.path).without_tools]
    if not required and not gaps:
        return [
            _gap(facts, lane, file.path, reason="no-tool", detail="the profile does without every tool of this kind")
        ]
    for tool in required:
        reason, detail = _tool_reason(lane, file, tool, facts)
        if reason:
            gaps.append(_gap(facts, lane, file.path, tool=tool, reason=reason, detail=detail))
    return gaps


def _covers(facts: _Facts, scanner: str, lane: Lane, path: str) -> bool:
    invocation = facts.invocations[scanner]
    status = facts.readings[scanner].get(path, (None, None, ""))[0]
    return (
        lane in (invocation.lanes or (invocation.lane,))
        and invocation.status is ScanStatus.COMPLETED
        and status is FileStatus.COVERED
    )


def _tool_reason(lane: Lane, file: SourceFile, tool: str, facts: _Facts) -> tuple[str, str]:
    """Give the code and the words of why `tool` does not cover `file`, ("", "") when it does."""
    if tool not in facts.invocations:
        if facts.selected is not None and tool not in facts.selected:
            return "not-selected", "left out by --scanner"
        return "no-tool", f"no scanner called {tool} took part"
    unsaid = (FileStatus.FAILED, EvidenceBasis.NONE, "not-listed: the scanner was not offered this file")
    status, basis, reason = facts.readings[tool].get(file.path, unsaid)
    if status is not FileStatus.COVERED:
        code, _, words = reason.partition(": ")
        return (code, words) if code in GAP_REASONS else ("skipped-by-tool", reason)
    if basis is EvidenceBasis.INFERRED and lane in _PARSED_LANES:
        if why := facts.misread(file):
            return "not-utf8", f"{why}, and the tool reads no such text right"
        if facts.is_parsed(file) is False:
            return _unparsed(file)
    return ("not-listed", "covered without evidence") if basis is EvidenceBasis.NONE else ("", "")


def _unparsed(file: SourceFile) -> tuple[str, str]:
    if file.size_bytes > MOST_BYTES:
        return "too-large", f"the tool does not tell, and our own parser takes {MOST_BYTES:,} bytes at the most"
    return "parse-error", "the tool does not tell, and our own parser cannot read it"


def _gap(facts: _Facts, lane: Lane, path: str, *, reason: str, detail: str, tool: str = "") -> Gap:
    remedy = facts.remedies.get(tool, "") if reason == "tool-missing" else _REMEDIES.get(reason, "")
    return Gap(
        lane=lane,
        path=path,
        tool=tool,
        reason=reason,
        detail=detail,
        remedy=remedy,
        touched=facts.target.is_touched(path),
        profile=facts.held(path).profile,
    )


def _joined(gaps: Sequence[Gap], needs: Sequence[tuple[SourceFile, Need]]) -> list[Gap]:
    """Make one gap of the whole lane where a tool failed every one of its files for the same reason."""
    whole: dict[tuple[str, str, str, str, str], list[Gap]] = {}
    for gap in gaps:
        whole.setdefault((gap.tool, gap.reason, gap.detail, gap.remedy, gap.profile), []).append(gap)
    joined: list[Gap] = []
    for (tool, _, detail, _, _), some in whole.items():
        everything = sum(tool in need.tools for _, need in needs)
        if tool and len(some) == everything and len(some) > 1:
            touched = any(gap.touched for gap in some)
            text = f"{detail} ({len(some)} files)" if detail else f"{len(some)} files"
            joined.append(msgspec.structs.replace(some[0], path="", detail=text, touched=touched))
        else:
            joined += some
    return joined


def _left_out_reason(lane: Lane, one: LeftOut, facts: _Facts) -> str | None:
    """Give the gap's code when a path left out may be one of this lane's files, going by its name."""
    reason = _LEFT_OUT_GAPS.get(one.reason)
    if reason is None or (one.reason == "lfs-pointer" and lane is Lane.SECRETS):
        return None  # large files are media by intent; code among them still is a gap of its own lane
    file = SourceFile(path=one.path, size_bytes=0, kinds=facts.kinds_of(one.path, b""))
    return reason if facts.table.need(lane, file) is not None else None


def _all_excluded(lane: Lane, outside: Sequence[LeftOut], facts: _Facts, *, asked: bool) -> list[Gap]:
    """Give the gap of a lane that would have files, had the tree not excluded every one; [] for any other.

    It is there before any change, so no change touches it. A run of named files has others that it does not list.
    """
    if facts.target.named or facts.target.source is Source.INDEX:
        return []
    mine = [
        one
        for one in outside
        if one.reason == "excluded"
        and one.detail not in facts.settled
        and facts.table.need(lane, SourceFile(path=one.path, size_bytes=0, kinds=facts.kinds_of(one.path, b"")))
        and not (asked and _is_spared(lane, one.path, facts))
    ]
    if not mine:
        return []
    patterns = sorted({one.detail for one in mine})
    count = "its only file is" if len(mine) == 1 else f"all of its {len(mine):,} files are"
    gap = _gap(facts, lane, "", reason="excluded", detail=f"{count} excluded by {', '.join(patterns)}")
    return [msgspec.structs.replace(gap, touched=False)]


def _detail(one: LeftOut) -> str:
    return f"{one.reason}: {one.detail}" if one.detail else one.reason


def _tools(
    lane: Lane, needs: Sequence[tuple[SourceFile, Need]], facts: _Facts
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the tools of this lane that completed, and those that were needed and did not."""
    wanted = {tool for _, need in needs for tool in need.tools} - facts.without_tools
    wanted |= {name for name, one in facts.invocations.items() if name.startswith("sarif:") and lane in one.lanes}
    ran = {
        tool for tool in wanted if tool in facts.invocations and facts.invocations[tool].status is ScanStatus.COMPLETED
    }
    return tuple(sorted(ran)), tuple(sorted(wanted - ran))
