"""Populations of what was looked at: windows of repositories, runs, advisories, and the records of runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

import msgspec

from secgate.assertion_facts import FeedItem, ProtectedRunItem, Record, RunItem, ScanItem
from secgate.assertions import Period, Population, Unmatched
from secgate.chronicle import RecordedRun
from secgate.controls import Assertion
from secgate.evidence.ground import Ground
from secgate.evidence.shipping import lacking, notes_of, rows_of
from secgate.model import Lane, ScanStatus, Scope
from secgate.population import RepositoryInScope
from secgate.sla import utc_words

_DAY_S = 86400
_DECLARED = (Lane.IAC, Lane.WORKFLOWS)
_EVERY = "every lane"


def repositories(ground: Ground, assertion: Assertion) -> Population:
    """Give each lane of each repository in scope in each window, with the best of its whole runs."""
    days = assertion.params.get("window_days")
    wanted = tuple(Lane(name) for name in assertion.params.get("lanes", ()))
    rows = cast("list[RepositoryInScope]", rows_of(ground, "repositories"))
    whole = _whole_runs(ground)
    items: list[ScanItem] = []
    facts: dict[str, dict[str, object]] = {}
    for row in rows:
        for window in windows(ground.period, days if isinstance(days, int) else 7):
            if not _in_scope(row, window):
                continue
            found = [one for one in whole.get(row.repository, ()) if _within(one, window)]
            for item, known in _looked(row, window, found, wanted):
                items.append(item)
                facts[item.id] = known
    listed = {row.repository for row in rows}
    ran = {
        one.run.repository
        for read in ground.ledgers
        for one in read.chronicle.runs
        if one.run.scope is Scope.PROTECTED and ground.within(one.at_epoch_s)
    }
    of_period = {row.repository for row in scope_of_period(ground)}
    return Population(
        tuple(items),
        reason=lacking(ground, "repositories"),
        item_facts=facts,
        unmatched=Unmatched(
            left="repositories",
            right="repositories with runs of protected branches",
            left_unmatched=tuple(sorted(of_period - ran)),
            right_unmatched=tuple(sorted(ran - listed)),
        ),
        notes=notes_of(ground, "repositories"),
    )


def scope_of_period(ground: Ground) -> list[RepositoryInScope]:
    """Give the rows of repositories that were in scope at any time of the period."""
    period = ground.period
    return [
        row
        for row in cast("list[RepositoryInScope]", rows_of(ground, "repositories"))
        if row.from_epoch_s < period.to_epoch_s and (not row.until_epoch_s or row.until_epoch_s > period.from_epoch_s)
    ]


def feed_uses(ground: Ground, assertion: Assertion) -> Population:
    """Give each use of advisories by a scanner that completed. What an index was asked for live has no date."""
    del assertion
    items: dict[str, FeedItem] = {}
    untested: dict[str, str] = {}
    for one in _protected(ground):
        for tool in one.run.tools:
            if Lane.DEPENDENCIES not in tool.lanes or tool.status is not ScanStatus.COMPLETED:
                continue
            item = FeedItem(
                id=f"{one.name}/{tool.scanner}",
                scanner=tool.scanner,
                evaluated_epoch_s=one.run.evaluated_epoch_s,
                data_epoch_s=tool.data_epoch_s,
            )
            items[item.id] = item
            if not tool.data_epoch_s and not tool.advisories_digest:
                untested[item.id] = "it asked an index, and nothing says how new that was"
    return Population(tuple(items.values()), untested=untested)


def protected_runs(ground: Ground, assertion: Assertion) -> Population:
    """Give each run of a protected branch."""
    del assertion
    return Population(
        tuple(ProtectedRunItem(id=one.name, mode=one.run.mode, outcome=one.run.outcome) for one in _protected(ground))
    )


def records(ground: Ground, assertion: Assertion) -> Population:
    """Give each run of the period, and whether its document is still there, whole."""
    del assertion
    items = []
    for read in ground.ledgers:
        there = set(read.ledger.blobs())
        runs = [one for one in read.chronicle.runs if ground.within(one.at_epoch_s)]
        found = read.ledger.whole_blobs(one.run.document_digest for one in runs)
        for one, data in zip(runs, found, strict=True):
            digest = one.run.document_digest
            record: Record = "whole" if data is not None else "differs" if digest in there else "missing"
            items.append(RunItem(id=one.name, record=record))
    return Population(tuple(items))


def windows(period: Period, days: int) -> tuple[Period, ...]:
    """Give a period in windows of so many days; what remains at its end belongs to the last one."""
    length = days * _DAY_S
    starts = list(range(period.from_epoch_s, max(period.from_epoch_s + 1, period.to_epoch_s - length + 1), length))
    ends = [*starts[1:], period.to_epoch_s]
    return tuple(Period(from_epoch_s=start, to_epoch_s=end) for start, end in zip(starts, ends, strict=True))


def _within(one: RecordedRun, window: Period) -> bool:
    return window.from_epoch_s <= one.at_epoch_s < window.to_epoch_s


def _in_scope(row: RepositoryInScope, window: Period) -> bool:
    """Tell whether a repository was in scope for all of a window."""
    return row.from_epoch_s <= window.from_epoch_s and (not row.until_epoch_s or row.until_epoch_s >= window.to_epoch_s)


def _protected(ground: Ground) -> Iterator[RecordedRun]:
    for read in ground.ledgers:
        for one in read.chronicle.runs:
            if one.run.scope is Scope.PROTECTED and ground.within(one.at_epoch_s):
                yield one


def _whole_runs(ground: Ground) -> dict[str, list[RecordedRun]]:
    found: dict[str, list[RecordedRun]] = {}
    for one in _protected(ground):
        if one.run.is_whole:
            found.setdefault(one.run.repository, []).append(one)
    return found


class _View(NamedTuple):
    """A lane as one run looked at it."""

    run: RecordedRun
    needed: bool
    failed: tuple[str, ...]
    gaps: int
    age: int
    """Of its rules, in days; -1 for none that is dated."""


def _looked(
    row: RepositoryInScope, window: Period, runs: Sequence[RecordedRun], wanted: Sequence[Lane]
) -> Iterator[tuple[ScanItem, dict[str, object]]]:
    """Give an item for each lane. A lane that no run of the window needed has nothing to be looked at."""

    def item(lane: str) -> ScanItem:
        return ScanItem(
            id=f"{row.repository}/{lane}/{utc_words(window.from_epoch_s)[:10]}",
            repository=row.repository,
            lane=lane,
            from_epoch_s=window.from_epoch_s,
            to_epoch_s=window.to_epoch_s,
        )

    if not runs:
        declared = [lane for lane in wanted if row.infrastructure or lane not in _DECLARED]
        for name in [one.value for one in declared] or ([] if wanted else [_EVERY]):
            yield item(name), {}
        return
    for lane in wanted or tuple(Lane):
        views = list(_views(runs, lane))
        if views and not any(view.needed for view in views):
            continue
        if not views:
            yield item(lane.value), {}
            continue
        needed = (view for view in views if view.needed)
        best = min(needed, key=lambda view: (len(view.failed), view.gaps, *_staleness(view.age), -view.run.sequence))
        age = best.age
        known: dict[str, object] = {"scanner.status": _status(best.run, lane)}
        if age >= 0:
            known["scanner.rule_age_days"] = age
        yield (
            msgspec.structs.replace(
                item(lane.value),
                runs=len(views),
                run_id=best.run.name,
                failed=best.failed,
                gaps=best.gaps,
                rule_age_days=age,
            ),
            known,
        )


def _views(runs: Sequence[RecordedRun], lane: Lane) -> Iterator[_View]:
    for one in runs:
        for account in one.run.coverage:
            if account.lane is lane and account.asked:
                failed = tuple(
                    sorted(
                        f"{tool.scanner} ({tool.status})"
                        for tool in one.run.tools
                        if lane in tool.lanes and tool.status is not ScanStatus.COMPLETED
                    )
                )
                yield _View(one, account.needed, failed, account.gaps, _rule_age_days(one, lane))


def _staleness(age: int) -> tuple[bool, int]:
    """Put first rules that are known to be new."""
    return age < 0, age


def _status(one: RecordedRun, lane: Lane) -> str:
    """Give `completed` where every scanner of the lane did and there was one, else how the first other one ended."""
    states = sorted({tool.status.value for tool in one.run.tools if lane in tool.lanes})
    others = [state for state in states if state != ScanStatus.COMPLETED]
    return others[0] if others else "completed" if states else "none"


def _rule_age_days(one: RecordedRun, lane: Lane) -> int:
    """Give the age of the oldest dated rules or advisories of a lane's scanners, in days begun; -1 for none dated."""
    dates = [
        tool.rule_pack_epoch_s or tool.data_epoch_s
        for tool in one.run.tools
        if lane in tool.lanes and (tool.rule_pack_epoch_s or tool.data_epoch_s)
    ]
    return max((-((date - one.run.evaluated_epoch_s) // _DAY_S) for date in dates), default=-1)
