"""The runs before a run, as far as they can be compared with it, and their drawing as columns of findings by severity.

A run is compared with runs of the same line, folder, scope and profile; a change only with earlier runs of itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from secgate.model import KnownRun, PastRun, RunDocument, Severity, Target, Value
from secgate.run_facts import this_run
from secgate.sla import many
from secgate.summary import mark_of

MOST = 12
"""Runs that are drawn, this one among them."""
WIDTH, LEFT, TOP, FLOOR, HEIGHT = 480.0, 36.0, 10.0, 150.0, 190
BAR, WIDEST = 22.0, 56.0
SEVERITIES = tuple(one.value for one in Severity)


class Part(Value, frozen=True, kw_only=True):
    """The findings of one severity in a column; lengths are in the drawing's own units."""

    severity: str
    y: float
    height: float


class Column(Value, frozen=True, kw_only=True):
    """One run."""

    run: PastRun
    x: float
    day: str
    word: str
    mark: str
    tone: str
    parts: tuple[Part, ...]

    @property
    def middle(self) -> float:
        """Where its words are centred."""
        return self.x + BAR / 2


class Tick(Value, frozen=True, kw_only=True):
    """A line across, and the number that it stands for."""

    y: float
    label: str


class Trend(Value, frozen=True, kw_only=True):
    """The drawing, oldest run first; `lead` says what it shows, `text` the same as the drawing does."""

    lead: str
    text: str
    columns: tuple[Column, ...]
    ticks: tuple[Tick, ...]
    severities: tuple[str, ...] = SEVERITIES
    width: float = WIDTH
    height: int = HEIGHT
    left: float = LEFT
    floor: float = FLOOR
    bar: float = BAR


def earlier_runs(runs: Sequence[KnownRun], document: RunDocument) -> tuple[PastRun, ...]:
    """Give the runs that came before `document`'s and can be compared with it, oldest first, the last few of them.

    `runs` are those of its repository in the order of the ledger, this one among them or not yet.
    """
    key = _key(document.target, _profile(document))
    before: list[PastRun] = []
    for run in runs:
        if run.run_id == document.run_id:
            break
        if run.past is not None and _key(run, run.profile) == key:
            before.append(run.past)
    return tuple(before[1 - MOST :])


def trend(document: RunDocument) -> Trend | None:
    """Give the drawing; None for a run that no earlier one can be compared with."""
    if not document.earlier or document.decision is None:
        return None
    now = this_run(document)
    runs = (*document.earlier, now)
    most = _ceiling(max(map(_total, runs)))
    step = min((WIDTH - LEFT - 8) / len(runs), WIDEST)
    columns = tuple(_column(run, LEFT + 8 + at * step, most) for at, run in enumerate(runs))
    return Trend(
        lead=_lead(document, len(runs)),
        text=f"From {_total_words(runs[0])} in the first of {len(runs)} runs to {_total_words(now)} in this one. "
        "The table below has every number.",
        columns=columns,
        ticks=tuple(Tick(y=_y(count, most), label=f"{count:,}") for count in sorted({0, most // 2, most})),
    )


def no_trend(document: RunDocument) -> str:
    """Say why there is nothing to draw."""
    if not document.ledger:
        return "No ledger was asked, so nothing is known of earlier runs."
    return "The ledger holds no earlier run that this one could be compared with."


def _key(run: KnownRun | Target, profile: str) -> tuple[str, ...]:
    return (run.line, run.scope, run.prefix, profile, run.ref if run.scope == "change" else "")


def _profile(document: RunDocument) -> str:
    return document.decision.profile if document.decision else ""


def _column(run: PastRun, x: float, most: int) -> Column:
    top, parts = FLOOR, []
    for severity in SEVERITIES:
        height = round((FLOOR - TOP) * run.severities.get(severity, 0) / most, 1)
        if height:
            top = round(top - height, 1)
            parts.append(Part(severity=severity, y=top, height=height))
    mark, tone = mark_of(run.outcome)
    day = datetime.fromtimestamp(run.evaluated_epoch_s, tz=UTC)
    return Column(
        run=run,
        x=round(x, 1),
        day=f"{day:%m-%d}",
        word=run.outcome.replace("-", " ") or "not judged",
        mark=mark,
        tone=tone,
        parts=tuple(parts),
    )


def _lead(document: RunDocument, count: int) -> str:
    target = document.target
    what = "this change" if target.scope == "change" else target.line or "this tree"
    which = f"that the ledger holds, scope {target.scope}, profile {_profile(document)}."
    return f"The last {many(count, 'run')} of {what} {which}"


def _total(run: PastRun) -> int:
    return sum(run.severities.get(severity, 0) for severity in SEVERITIES)


def _total_words(run: PastRun) -> str:
    return many(_total(run), "finding") if run.severities else "a number that was not recorded"


def _ceiling(count: int) -> int:
    """Give the first of 2, 4, 10, 20, 40, 100 and so on that is not less."""
    unit = 1
    while True:
        for step in (2, 4, 10):
            if count <= step * unit:
                return step * unit
        unit *= 10


def _y(count: int, most: int) -> float:
    return round(FLOOR - (FLOOR - TOP) * count / most, 1)
