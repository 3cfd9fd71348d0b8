"""Charts of the report as geometry: bars whose parts are told apart by pattern, each beside a table of its numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

from secgate.assertions import Period
from secgate.model import Value
from secgate.report.document import RESULT_WORDS, Report
from secgate.sla import many

Kind: TypeAlias = Literal["solid", "stripes", "dots", "cross", "blank"]
WIDTH, LEFT, RIGHT, TOP, STEP = 720, 190, 70, 30, 28
_AXIS = 18
MAX_BARS = 40
_LONGEST_LABEL = 21
_LABEL_ROOM = 26
"""A part that is narrower carries no number."""


class Part(Value, frozen=True, kw_only=True):
    """A part of a bar. `label` is its number where there is room for it."""

    kind: Kind
    x: float
    width: float
    label: str = ""

    @property
    def middle(self) -> float:
        """Where its label is centred."""
        return round(self.x + self.width / 2, 1)


class Bar(Value, frozen=True, kw_only=True):
    """A bar with its name on the left and a note behind it."""

    label: str
    y: int
    parts: tuple[Part, ...]
    note: str = ""

    @property
    def end(self) -> float:
        """Where it ends."""
        return max((part.x + part.width for part in self.parts), default=LEFT)


class Mark(Value, frozen=True, kw_only=True):
    """A tick of the axis, or a part of the legend."""

    x: float
    label: str
    kind: Kind = "blank"


class Chart(Value, frozen=True, kw_only=True):
    """A chart; `text` says in words what it shows. Without bars there is nothing to draw."""

    id: str
    title: str
    text: str
    bars: tuple[Bar, ...]
    legend: tuple[Mark, ...] = ()
    ticks: tuple[Mark, ...] = ()
    caption: str = ""
    width: int = WIDTH
    left: int = LEFT
    top: int = TOP

    @property
    def height(self) -> int:
        """Height of the drawing."""
        return self.top + STEP * len(self.bars) + 4


def charts(report: Report) -> dict[str, Chart]:
    """Give every chart of the report by the name of its place."""
    return {
        "results": _results(report),
        "deadlines": _deadlines(report),
        "modes": _modes(report),
        "silence": _silence(report),
    }


def _results(report: Report) -> Chart:
    kinds: dict[str, Kind] = {
        "no_deviation": "solid",
        "deviation": "cross",
        "not_tested": "stripes",
        "no_occurrence": "blank",
        "not_applicable": "dots",
    }
    counts = Counter(one.result for one in report.tests.results)
    most = max(counts.values(), default=1)
    bars = [
        Bar(
            label=word,
            y=TOP + STEP * at,
            parts=(Part(kind=kinds[name], x=LEFT, width=_scaled(counts[name], most)),) if counts[name] else (),
            note=str(counts[name]),
        )
        for at, (name, word) in enumerate(RESULT_WORDS.items())
    ]
    told = ", ".join(f"{counts[name]} {word}" for name, word in RESULT_WORDS.items())
    return Chart(
        id="chart-results",
        title="Assertions by result",
        text=f"{told}.",
        bars=tuple(bars) if report.tests.results else (),
        top=TOP,
        caption="Number of assertions by result. The table below has each of them.",
    )


def _deadlines(report: Report) -> Chart:
    rows = [row for row in report.sla.rows if row.due]
    most = max((row.due for row in rows), default=1)
    bars = []
    for at, row in enumerate(rows):
        x, parts = float(LEFT), []
        counts: tuple[tuple[Kind, int], ...] = (
            ("solid", row.met),
            ("stripes", row.excepted),
            ("dots", row.missed),
            ("cross", row.overdue_open),
        )
        for kind, count in counts:
            if count:
                width = _scaled(count, most)
                label = str(count) if width >= _LABEL_ROOM else ""
                parts.append(Part(kind=kind, x=round(x, 1), width=width, label=label))
                x += width
        bars.append(Bar(label=row.severity, y=TOP + STEP * at, parts=tuple(parts), note=f"{row.due:,} due"))
    told = "; ".join(
        f"{row.severity}: {row.met} met, {row.excepted} excepted, {row.missed} missed, {row.overdue_open} open"
        for row in rows
    )
    return Chart(
        id="chart-deadlines",
        title="What became of findings that were due, by severity",
        text=f"{told}.",
        bars=tuple(bars),
        legend=_legend(("solid", "met"), ("stripes", "excepted"), ("dots", "missed"), ("cross", "overdue, open")),
        caption="Findings that were due, by severity and by what became of them. The table below has the same numbers.",
    )


def _modes(report: Report) -> Chart:
    kinds: dict[str, Kind] = {"enforce": "solid", "observe": "cross", "unknown": "blank"}
    spans = [
        (f"{one.repository} {one.line}", kinds.get(one.mode, "dots"), one.from_epoch_s, one.to_epoch_s)
        for one in report.system.modes
    ]
    days = Counter[str]()
    for one in report.system.modes:
        days[one.mode] += one.to_epoch_s - one.from_epoch_s
    told = ", ".join(f"{many(seconds // 86400, 'day')} of lines in {mode}" for mode, seconds in sorted(days.items()))
    return _timeline(
        "modes",
        title="Mode of the gate over time",
        text=f"{told}.",
        spans=spans,
        period=report.cover.period,
        legend=_legend(("solid", "enforce"), ("cross", "observe"), ("blank", "unknown")),
        of="line",
    )


def _silence(report: Report) -> Chart:
    silent = report.outages.silent
    names = {one.repository for one in silent}
    period = report.cover.period
    spans: list[tuple[str, Kind, int, int]] = [
        (name, "blank", period.from_epoch_s, period.to_epoch_s) for name in sorted(names)
    ]
    spans += [(one.repository, "cross", one.from_epoch_s, one.to_epoch_s) for one in silent]
    told = "; ".join(f"{one.repository}: {many((one.to_epoch_s - one.from_epoch_s) // 86400, 'day')}" for one in silent)
    return _timeline(
        "silence",
        title="Times without a complete run of a protected branch",
        text=f"{told}.",
        spans=spans,
        period=period,
        legend=_legend(("cross", "no complete run"), ("blank", "runs")),
        of="repository",
    )


def _timeline(
    name: str,
    *,
    title: str,
    text: str,
    spans: Iterable[tuple[str, Kind, int, int]],
    period: Period,
    legend: tuple[Mark, ...],
    of: str,
) -> Chart:
    rows: dict[str, list[Part]] = {}
    for label, kind, start, end in spans:
        x, until = _at(start, period), _at(end, period)
        rows.setdefault(label, []).append(Part(kind=kind, x=x, width=max(round(until - x, 1), 1.0)))
    top = TOP + _AXIS
    bars = tuple(
        Bar(label=_short(label), y=top + STEP * at, parts=tuple(parts))
        for at, (label, parts) in enumerate(list(rows.items())[:MAX_BARS])
    )
    left_out = len(rows) - len(bars)
    more = (
        f" {many(left_out, of, 'repositories' if of == 'repository' else '')} more are in the table."
        if left_out
        else ""
    )
    return Chart(
        id=f"chart-{name}",
        title=title,
        text=text,
        bars=bars,
        legend=legend,
        ticks=_ticks(period),
        caption=f"{title}. The table below has the same times.{more}",
        top=top,
    )


def _ticks(period: Period) -> tuple[Mark, ...]:
    """Give the first days of months in a period, or of weeks from its beginning where it is short."""
    start = datetime.fromtimestamp(period.from_epoch_s, tz=UTC)
    end = datetime.fromtimestamp(period.to_epoch_s, tz=UTC)
    if end - start <= timedelta(days=62):
        at, step = start, timedelta(days=7)
        times = [at + step * week for week in range((end - start).days // 7 + 1)]
    else:
        months = range(start.year * 12 + start.month - 1, end.year * 12 + end.month)
        times = [datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in months]
        times = times[:: max(1, len(times) // 12)]
    return tuple(
        Mark(x=_at(int(time.timestamp()), period), label=f"{time:%Y-%m-%d}"[2 if len(times) > 6 else 0 :])
        for time in times
        if start <= time <= end
    )


def _at(epoch_s: int, period: Period) -> float:
    length = period.to_epoch_s - period.from_epoch_s
    inside = min(max(epoch_s, period.from_epoch_s), period.to_epoch_s) - period.from_epoch_s
    return round(LEFT + (WIDTH - LEFT - RIGHT + 30) * inside / length, 1)


def _scaled(count: int, most: int) -> float:
    return round((WIDTH - LEFT - RIGHT) * count / most, 1)


def _legend(*parts: tuple[Kind, str]) -> tuple[Mark, ...]:
    marks, x = [], LEFT
    for kind, label in parts:
        marks.append(Mark(x=x, label=label, kind=kind))
        x += 48 + 8 * len(label)
    return tuple(marks)


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else f"…{label[1 - _LONGEST_LABEL :]}"
