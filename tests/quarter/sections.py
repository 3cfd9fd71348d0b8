"""What a report's other sections must say of a made period: deadlines by severity, silence, waivers, break-glass."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.quarter.oracle import OVERRIDE, RANKS, WAIVER, WINDOW, Oracle
from tests.quarter.plan import Exemption, InScope, Plan, Run


@dataclass(frozen=True)
class Sections:
    """Facts of sections 7 to 10, by the plan's names. `silent` are (repository, from, to)."""

    severities: dict[str, dict[str, int]]
    not_due: frozenset[str]
    dismissed: frozenset[tuple[str, str]]
    silent: frozenset[tuple[str, int, int]]
    troubled: frozenset[str]
    overrides: frozenset[str]
    active: frozenset[str]
    revoked: frozenset[str]
    counts: dict[str, int]


def sections(plan: Plan) -> Sections:
    """Give what they must say."""
    oracle = Oracle(plan)
    end = plan.end
    asked = [one for one in plan.exemptions if oracle.is_asked(one) and one.requested < end]
    ended = {one.name: _until(oracle, one) for one in asked}
    given = {one.name: when if (when := oracle.approved(one)) < end else 0 for one in asked}
    revoked = {one.name for one in asked if 0 < one.revoked < end}
    known = {one.name for one in asked if ended[one.name] > plan.start or one.requested >= plan.start}
    active = {name for name in known - revoked if given[name] and ended[name] > end}
    return Sections(
        severities=_severities(oracle),
        not_due=frozenset(
            oracle.key(one) for one in oracle.known() if oracle.due(one) >= end and not oracle.closed(one)
        ),
        dismissed=oracle.dismissed(),
        silent=frozenset(_silent(oracle)),
        troubled=frozenset(
            run.name
            for run in plan.runs
            if run.scope == "protected"
            and oracle.within(run.at)
            and (not _completed(run) or run.outcome not in ("pass", "fail"))
        ),
        overrides=frozenset(
            f"override:{one.name}"
            for one in plan.overrides
            if oracle.is_given(one)
            and one.given < end
            and max(one.given, min(one.until, one.given + OVERRIDE)) >= plan.start
        ),
        active=frozenset(f"exemption:{name}" for name in active),
        revoked=frozenset(f"exemption:{name}" for name in known & revoked),
        counts={
            "opened": sum(oracle.within(one.requested) for one in asked),
            "approved": sum(oracle.within(given[name]) for name in known),
            "active": len(active),
            "renewed": sum(oracle.within(given[one.name]) and _renews(one, asked, given) for one in asked),
            "revoked": sum(oracle.within(one.revoked) for one in asked if one.name in known),
        },
    )


def _renews(one: Exemption, asked: Sequence[Exemption], given: Mapping[str, int]) -> bool:
    """Tell whether one that was approved was asked for before, for the same thing."""

    def subject(other: Exemption) -> tuple[object, ...]:
        return (bool(other.lowered_to), other.repository, other.finding, other.advisory, other.package)

    before = (other for other in asked if other.requested < one.requested)
    return any(given[other.name] and subject(other) == subject(one) for other in before)


def _until(oracle: Oracle, one: Exemption) -> int:
    given = oracle.approved(one)
    ends = [one.expires]
    if 0 < given < oracle.plan.end:
        ends.append(given + WAIVER)
    if 0 < one.revoked < oracle.plan.end:
        ends.append(one.revoked)
    return min(ends)


def _severities(oracle: Oracle) -> dict[str, dict[str, int]]:
    found = {}
    for severity in RANKS:
        mine = oracle.deadlines(lambda one, severity=severity: oracle.severity(one) == severity)  # type: ignore[misc]
        if mine.population:
            found[severity] = mine.metrics
    return found


def _completed(run: Run) -> bool:
    return all(tool.status == "completed" for tool in run.tools)


def _silent(oracle: Oracle) -> list[tuple[str, int, int]]:
    """Give the times of more than a week without a complete run of a protected branch."""
    plan = oracle.plan
    spans: dict[str, tuple[int, int]] = {}
    for run in plan.runs:
        if run.scope == "protected" and run.at < plan.end:
            spans[run.repository] = (min(run.at, spans.get(run.repository, (run.at, 0))[0]), plan.end)
    for row in oracle.rows("repositories"):
        if isinstance(row, InScope) and row.start < plan.end and (not row.until or row.until > plan.start):
            spans[row.repository] = (row.start, min(row.until or plan.end, plan.end))
    found = []
    for name, (first, last) in spans.items():
        start = max(first, plan.start)
        times = [
            run.at
            for run in plan.runs
            if run.repository == name
            and run.scope == "protected"
            and start <= run.at < last
            and _completed(run)
            and not (run.dirty or run.partial or run.folder)
        ]
        marks = [start, *sorted(times), last]
        found += [(name, one, other) for one, other in itertools.pairwise(marks) if other - one > WINDOW]
    return found
