"""Section 9: when nobody looked, windows that no run covers, runs with errors, advisories that were too old."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from secgate.assertion_facts import FeedItem, ScanItem
from secgate.evidence import Examined
from secgate.evidence.ground import Ground
from secgate.evidence.scanning import scope_of_period
from secgate.masking import clean
from secgate.model import ScanStatus, Scope
from secgate.report.accounts import (
    EntryReference,
    OutageSection,
    SilentSpan,
    StaleFeed,
    TroubledRun,
    WindowGap,
)
from secgate.sla import many

_DAY_S = 86400
_WEEK_DAYS = 7
_DECIDED = ("pass", "fail")


def outages(examined: Examined) -> OutageSection:
    """Give what was not looked at in the period."""
    longest = _longest_s(examined)
    return OutageSection(
        longest_s=longest,
        silent=tuple(_silent(examined.ground, longest)),
        windows=tuple(_windows(examined)),
        runs=tuple(_troubled(examined.ground)),
        feeds=tuple(_feeds(examined)),
    )


def _longest_s(examined: Examined) -> int:
    """Give the shortest window that an assertion asks for, else a week."""
    asked = [one.params.get("window_days") for one in examined.mapping.assertions.values()]
    return min((day for day in asked if isinstance(day, int) and day > 0), default=_WEEK_DAYS) * _DAY_S


def _silent(ground: Ground, longest: int) -> Iterator[SilentSpan]:
    """Give the times without a complete run of a protected branch as a whole; a repository begins with its list's."""
    start, end = ground.period.from_epoch_s, ground.period.to_epoch_s
    complete: dict[str, list[int]] = {}
    first: dict[str, int] = {}
    until: dict[str, int] = {}
    for read in ground.ledgers:
        for one in read.chronicle.runs:
            run = one.run
            if run.scope is not Scope.PROTECTED or one.at_epoch_s >= end:
                continue
            first[run.repository] = min(first.get(run.repository, end), one.at_epoch_s)
            if run.complete and one.at_epoch_s >= start and run.is_whole:
                complete.setdefault(run.repository, []).append(one.at_epoch_s)
    for row in scope_of_period(ground):
        first[row.repository] = row.from_epoch_s
        until[row.repository] = min(row.until_epoch_s or end, end)
    for name in sorted(first):
        begin, stop = max(start, first[name]), until.get(name, end)
        times = sorted(at for at in complete.get(name, ()) if begin <= at < stop)
        for one_time, other in pairwise((begin, *times, stop)):
            if other - one_time > longest:
                yield SilentSpan(repository=name, from_epoch_s=one_time, to_epoch_s=other)


def _windows(examined: Examined) -> Iterator[WindowGap]:
    """Give windows of listed repositories in which a lane was not looked at as a whole, those side by side as one."""
    open_gaps: dict[tuple[str, str, str], WindowGap] = {}
    seen: set[str] = set()
    done: list[WindowGap] = []
    for population in examined.populations.values():
        for item in population.items:
            if not isinstance(item, ScanItem) or item.id in seen:
                continue
            seen.add(item.id)
            what = _missing(item)
            if not what:
                continue
            key = (item.repository, item.lane, what)
            before = open_gaps.get(key)
            start = item.from_epoch_s
            if before is not None and before.to_epoch_s == start:
                start = before.from_epoch_s
            elif before is not None:
                done.append(before)
            open_gaps[key] = WindowGap(
                repository=item.repository, lane=item.lane, from_epoch_s=start, to_epoch_s=item.to_epoch_s, what=what
            )
    yield from sorted(
        [*done, *open_gaps.values()], key=lambda one: (one.repository, one.lane, one.from_epoch_s, one.what)
    )


def _missing(item: ScanItem) -> str:
    if not item.runs:
        return "no run of the whole branch looked at it"
    if item.failed:
        return f"not completed: {', '.join(item.failed)}"
    return f"{many(item.gaps, 'gap')} in what was covered" if item.gaps else ""


def _troubled(ground: Ground) -> Iterator[TroubledRun]:
    for read in ground.ledgers:
        for one in read.chronicle.runs:
            run = one.run
            if run.scope is not Scope.PROTECTED or not ground.within(one.at_epoch_s):
                continue
            failed = tuple(
                sorted(
                    f"{tool.scanner} ({tool.status})" for tool in run.tools if tool.status is not ScanStatus.COMPLETED
                )
            )
            if failed or run.outcome not in _DECIDED:
                yield TroubledRun(
                    run_id=one.name,
                    repository=run.repository,
                    line=run.line,
                    at_epoch_s=one.at_epoch_s,
                    outcome=run.outcome,
                    failed=failed,
                    gaps=sum(lane.gaps for lane in run.coverage if lane.asked),
                    entry=EntryReference(ledger_id=read.chronicle.memory.ledger_id or "", sequence=one.sequence),
                )


def _feeds(examined: Examined) -> Iterator[StaleFeed]:
    """Give the uses of advisories that deviate or could not be told, by scanner and by what is wrong."""
    found: dict[tuple[str, str], list[int]] = {}
    for one in examined.found.assertions:
        items = {item.id: item for item in examined.populations[one.assertion].items if isinstance(item, FeedItem)}
        told = [(bad.item, bad.exception.replace("_", " ")) for bad in one.deviations]
        told += [(left.item, left.reason) for left in one.untested]
        for name, what in told:
            item = items.get(name)
            if item is not None:
                found.setdefault((item.scanner, clean(what)), []).append(item.evaluated_epoch_s)
    for (scanner, what), times in sorted(found.items()):
        yield StaleFeed(scanner=scanner, what=what, runs=len(times), first_epoch_s=min(times), last_epoch_s=max(times))
