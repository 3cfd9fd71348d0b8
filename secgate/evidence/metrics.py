"""Numbers of one or many ledgers as of a moment, for dashboards. Where nothing was counted there is no number.

Adherence is what the assertion `vuln.sla` says of the window before, by the same module and the same arithmetic as a
period's evidence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Annotated, Literal, NamedTuple, TypeAlias

from msgspec import Meta

from secgate import sla
from secgate.assertion_facts import EpisodeItem
from secgate.assertions import Deviation, Period
from secgate.chronicle import Episode, RecordedRun
from secgate.config import Machine
from secgate.errors import UsageError
from secgate.evidence import weaknesses
from secgate.evidence.checking import assertion_modules, deviations_of, evidence_ledgers
from secgate.evidence.covering import Covers
from secgate.evidence.ground import Ground, Read, read_ground
from secgate.model import Lane, Scope, Severity, Value
from secgate.preparation import Place, RunRequest, Silence, prepare, workshop

FORMAT_VERSION = 1
SLA = "vuln.sla"
MAX_REPOSITORIES = 1_000
OTHERS = "(others)"
"""Repositories beyond the most that are told apart are counted under this name."""

Count: TypeAlias = Annotated[int, Meta(ge=0)]
Age: TypeAlias = Literal["under-1d", "1d-to-7d", "7d-to-30d", "30d-to-90d", "over-90d"]
AGES: tuple[tuple[Age, int], ...] = (
    ("under-1d", 1),
    ("1d-to-7d", 7),
    ("7d-to-30d", 30),
    ("30d-to-90d", 90),
    ("over-90d", 0),
)
"""With the days below which an open finding is of an age; the last has no end."""
WaiverState: TypeAlias = Literal["pending", "active", "expired", "revoked"]
_DAY_S = 86400


class MetricsWish(Value, frozen=True, kw_only=True):
    """As of when (an aware time), over how many days before, from which ledgers (() for the tree's)."""

    at: datetime
    window_days: Annotated[int, Meta(ge=1, le=3_660)] = 90
    ledgers: tuple[str, ...] = ()


class LedgerMetrics(Value, frozen=True, kw_only=True):
    """A ledger, verified whole; `entries` are those until then. `reason` says why nobody's signature counts."""

    address: str
    ledger_id: str
    entries: Count
    last_epoch_s: Count
    reason: str


class OpenCount(Value, frozen=True, kw_only=True):
    """Findings that are open, by severity and by how long ago they were first seen."""

    severity: Severity
    age: Age
    count: Count


class OverdueCount(Value, frozen=True, kw_only=True):
    """Open findings that passed their time; `waived` are those that waivers cover from then on without a gap."""

    severity: Severity
    overdue: Count
    waived: Count


class SlaCount(Value, frozen=True, kw_only=True):
    """What was due in the window, or overdue at any time in it. Adherence is met / due, None where nothing was due."""

    due: Count = 0
    met: Count = 0
    excepted: Count = 0
    missed: Count = 0
    overdue_open: Count = 0
    dismissed: Count = 0
    """Beside due, which is the sum of the four before."""
    adherence_per_mille: Count | None = None


class SeveritySla(SlaCount, frozen=True, kw_only=True):
    """Of one severity."""

    severity: Severity


class Remediation(Value, frozen=True, kw_only=True):
    """Findings that were closed in the window, and the mean time from opening to closing; None where none was."""

    severity: Severity
    closed: Count
    mean_s: Count | None


class LaneMetrics(Value, frozen=True, kw_only=True):
    """A lane that the last whole run of a protected branch asked for: files and gaps."""

    lane: Lane
    offered: Count
    covered: Count
    failed: Count
    unsupported: Count
    gaps: Count


class RunCount(Value, frozen=True, kw_only=True):
    """Runs since the ledger's beginning. `outcome` is `undecided` for one that ended before a decision."""

    scope: Scope
    mode: str
    outcome: str
    count: Count


class RepositoryMetrics(Value, frozen=True, kw_only=True):
    """The numbers of a repository. `last_protected_run_epoch_s` is 0 for never: its lanes are then ()."""

    repository: str
    open: tuple[OpenCount, ...]
    overdue: tuple[OverdueCount, ...]
    sla: SlaCount
    sla_by_severity: tuple[SeveritySla, ...]
    remediation: tuple[Remediation, ...]
    last_protected_run_epoch_s: Count
    lanes: tuple[LaneMetrics, ...]
    runs: tuple[RunCount, ...]
    overrides: Count


class WaiverCount(Value, frozen=True, kw_only=True):
    """Waivers by kind and how they stand. What counts for nothing is not among them."""

    kind: str
    state: WaiverState
    count: Count


class Metrics(Value, frozen=True, kw_only=True):
    """Everything. `waivers` is None where there are statements and nobody's signature counts.

    `notes` name each repository that several ledgers hold, and these: what each holds is counted.
    """

    version: int = FORMAT_VERSION
    as_of_epoch_s: Count
    window_s: Count
    ledgers: tuple[LedgerMetrics, ...]
    sla: SlaCount
    repositories: tuple[RepositoryMetrics, ...]
    waivers: tuple[WaiverCount, ...] | None
    notes: tuple[str, ...] = ()


class _Part(NamedTuple):
    """What one repository is counted from."""

    episodes: list[tuple[Read, Episode]]
    runs: list[RecordedRun]


def metrics_of(wish: MetricsWish, *, place: Place, machine: Machine, now: datetime) -> Metrics:
    """Count. Raises UsageError for a time to come, LedgerError for a ledger that is not there or does not verify."""
    if wish.at > now:
        raise UsageError("that time is still to come", place="--at", remedy="nothing is known of it")
    at = int(wish.at.timestamp())
    period = Period(from_epoch_s=at - wish.window_days * _DAY_S, to_epoch_s=at + 1)
    with workshop(machine, now=now, observer=Silence()) as shop:
        request = RunRequest(path=place.path, config=place.config, enforced=place.enforced)
        prepared = prepare(request, machine=machine, runner=shop.executor, scratch=shop.scratch)
        ledgers = evidence_ledgers(wish.ledgers, prepared, shop)
        ground = read_ground(ledgers, period=period, prepared=prepared, shop=shop, kept=(), known_until_epoch_s=at)
        assertion = prepared.mapping.assertions[SLA]
        population = weaknesses.opened_or_due(ground, assertion)
        modules = assertion_modules(prepared, prepared.mapping, shop)
        deviations = deviations_of(assertion, population, ground, modules, prepared)
    counted = _Deadlines(weaknesses.as_episodes(population.items), deviations, period)
    parts = _parts(ground)
    return Metrics(
        as_of_epoch_s=at,
        window_s=wish.window_days * _DAY_S,
        ledgers=tuple(_ledger(one) for one in ground.ledgers),
        sla=counted.of(counted.items),
        repositories=tuple(_repository(name, parts[name], counted, ground, at) for name in sorted(parts)),
        waivers=_waivers(ground, at),
        notes=ground.overlaps(),
    )


class _Deadlines:
    """Deadlines of the window, as the assertion judged them."""

    def __init__(self, items: Sequence[EpisodeItem], deviations: Sequence[Deviation], period: Period) -> None:
        self.items = items
        self._period = period
        self._by_key = {item.id: item for item in items}
        self._bad: dict[str, list[Deviation]] = {}
        for one in deviations:
            self._bad.setdefault(one.item, []).append(one)

    def among(self, episodes: Iterable[tuple[Read, Episode]]) -> list[EpisodeItem]:
        """Give those of a repository's episodes that are of the window."""
        keys = (read.key_of(one) for read, one in episodes)
        return [self._by_key[key] for key in keys if key in self._by_key]

    def of(self, items: Sequence[EpisodeItem]) -> SlaCount:
        """Count some of them."""
        bad = [one for item in items for one in self._bad.get(item.id, ())]
        numbers = weaknesses.sla_metrics(items, bad, self._period)
        fields = ("due", "met", "excepted", "missed", "overdue_open", "dismissed", "adherence_per_mille")
        return SlaCount(**{name: numbers[name] for name in fields if name in numbers})


def _ledger(read: Read) -> LedgerMetrics:
    memory = read.chronicle.memory
    return LedgerMetrics(
        address=read.chronicle.address,
        ledger_id=memory.ledger_id or "",
        entries=memory.head.size,
        last_epoch_s=memory.last_epoch_s,
        reason=read.said.reason,
    )


def _parts(ground: Ground) -> dict[str, _Part]:
    """Give runs and episodes by repository, what is beyond the most that are told apart together."""
    names = {one.run.repository for read in ground.ledgers for one in read.chronicle.runs}
    names |= {one.repository for read in ground.ledgers for one in read.episodes}
    apart = set(sorted(names)[:MAX_REPOSITORIES])
    parts = {name if name in apart else OTHERS: _Part([], []) for name in names}
    for read in ground.ledgers:
        for run in read.chronicle.runs:
            parts[run.run.repository if run.run.repository in apart else OTHERS].runs.append(run)
        for one in read.episodes:
            parts[one.repository if one.repository in apart else OTHERS].episodes.append((read, one))
    return parts


def _repository(name: str, part: _Part, counted: _Deadlines, ground: Ground, at: int) -> RepositoryMetrics:
    episodes = [one for _, one in part.episodes]
    items = counted.among(part.episodes)
    whole = [one for one in part.runs if one.run.scope is Scope.PROTECTED and one.run.is_whole]
    last = max(whole, key=lambda one: (one.at_epoch_s, one.sequence), default=None) if name != OTHERS else None
    given = [
        one for read in ground.ledgers for one in read.said.overrides if not one.void and one.said.repository == name
    ]
    return RepositoryMetrics(
        repository=name,
        open=tuple(_open(episodes, at)),
        overdue=tuple(_overdue(part.episodes, ground, at)),
        sla=counted.of(items),
        sla_by_severity=tuple(_by_severity(items, counted)),
        remediation=tuple(_remediated(episodes, ground)),
        last_protected_run_epoch_s=last.at_epoch_s if last is not None else 0,
        lanes=tuple(_lanes(last)),
        runs=tuple(_runs(part.runs)),
        overrides=len(given),
    )


def _open(episodes: Iterable[Episode], at: int) -> Iterator[OpenCount]:
    counts = Counter(
        (one.known.facts.severity, _age(at - one.known.first_seen_epoch_s))
        for one in episodes
        if not one.closed_epoch_s
    )
    for severity in Severity:
        for age, _ in AGES:
            yield OpenCount(severity=severity, age=age, count=counts[severity, age])


def _age(seconds: int) -> Age:
    return next(age for age, days in AGES if not days or seconds < days * _DAY_S)


def _overdue(episodes: Sequence[tuple[Read, Episode]], ground: Ground, at: int) -> Iterator[OverdueCount]:
    overdue: Counter[Severity] = Counter()
    waived: Counter[Severity] = Counter()
    for read in ground.ledgers:
        mine = [one for among, one in episodes if among is read]
        covers = Covers(read.said, mine, ground.limits.waivers_s)
        for one in mine:
            due = sla.due_epoch_s(one.known.obligations)
            if one.closed_epoch_s or due is None or at <= due:
                continue
            is_covered = covers.until(one, due) > at
            (waived if is_covered else overdue)[one.known.facts.severity] += 1
    for severity in Severity:
        yield OverdueCount(severity=severity, overdue=overdue[severity], waived=waived[severity])


def _by_severity(items: Sequence[EpisodeItem], counted: _Deadlines) -> Iterator[SeveritySla]:
    for severity in Severity:
        found = counted.of([item for item in items if item.severity == severity.value])
        yield SeveritySla(severity=severity, **{name: getattr(found, name) for name in SlaCount.__struct_fields__})


def _remediated(episodes: Iterable[Episode], ground: Ground) -> Iterator[Remediation]:
    lengths: dict[Severity, list[int]] = {}
    for one in episodes:
        if one.closed_epoch_s and ground.within(one.closed_epoch_s):
            lengths.setdefault(one.known.facts.severity, []).append(one.closed_epoch_s - one.opened_epoch_s)
    for severity in Severity:
        found = lengths.get(severity, [])
        mean = sum(found) // len(found) if found else None
        yield Remediation(severity=severity, closed=len(found), mean_s=mean)


def _lanes(last: RecordedRun | None) -> Iterator[LaneMetrics]:
    for one in last.run.coverage if last is not None else ():
        if one.asked:
            yield LaneMetrics(
                lane=one.lane,
                offered=one.offered,
                covered=one.covered,
                failed=one.failed,
                unsupported=one.unsupported,
                gaps=one.gaps,
            )


def _runs(runs: Iterable[RecordedRun]) -> Iterator[RunCount]:
    counts = Counter((one.run.scope, one.run.mode, one.run.outcome or "undecided") for one in runs)
    for (scope, mode, outcome), count in sorted(counts.items()):
        yield RunCount(scope=scope, mode=mode, outcome=outcome, count=count)


def _waivers(ground: Ground, at: int) -> tuple[WaiverCount, ...] | None:
    if any(read.said.reason for read in ground.ledgers):
        return None
    counts: Counter[tuple[str, WaiverState]] = Counter()
    for read in ground.ledgers:
        for waiver in read.said.waivers:
            longest = ground.limits.waivers_s.longest(waiver.request.bound.severity, of_gap=waiver.of_gap)
            state: WaiverState = "active" if at < waiver.until_epoch_s(longest) else "expired"
            if waiver.revoked_by:
                state = "revoked"
            elif not waiver.approver:
                state = "pending"
            counts[waiver.request.kind, state] += 1
    return tuple(WaiverCount(kind=kind, state=state, count=counts[kind, state]) for kind, state in sorted(counts))
