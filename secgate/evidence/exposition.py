"""Metrics in Prometheus' text form, and as JSON.

A series has labels of a closed vocabulary and the repository's name, and none where there is no number. Counters count
from the ledger's beginning; what is of a window or of now is a gauge. Source: Prometheus, text exposition format 0.0.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from secgate.escape import json_text, plain
from secgate.evidence.metrics import Metrics, RepositoryMetrics

Kind: TypeAlias = Literal["gauge", "counter"]
LONGEST = 200
"""Characters of a label's value."""


class _Family(NamedTuple):
    name: str
    kind: Kind
    help: str
    samples: Iterable[tuple[Mapping[str, str], float]]


def metrics_json(found: Metrics) -> bytes:
    """Give all of it as JSON, the same bytes for the same numbers."""
    whole = {"format": {"name": "secgate-metrics", "version": found.version}, "metrics": found}
    return json_text(msgspec.json.format(msgspec.json.encode(whole, order="sorted"), indent=2)) + b"\n"


def prometheus_text(found: Metrics) -> bytes:
    """Give it as Prometheus reads it. Families without a sample are left out."""
    lines: list[str] = []
    for family in (*_of_all(found), *_of_repositories(found.repositories)):
        samples = [_sample(family.name, labels, value) for labels, value in family.samples]
        if samples:
            help_text = family.help.replace("\\", "\\\\")
            lines += [f"# HELP {family.name} {help_text}", f"# TYPE {family.name} {family.kind}", *samples]
    return ("\n".join(lines) + "\n").encode()


def _of_all(found: Metrics) -> Iterator[_Family]:
    yield _Family("secgate_as_of_timestamp_seconds", "gauge", "When the numbers are of.", [({}, found.as_of_epoch_s)])
    yield _Family("secgate_window_seconds", "gauge", "Length of the window before.", [({}, found.window_s)])
    ledgers = [({"ledger": one.ledger_id[:12]}, one) for one in found.ledgers]
    yield _Family(
        "secgate_ledger_entries", "gauge", "Entries until then.", [(labels, one.entries) for labels, one in ledgers]
    )
    yield _Family(
        "secgate_ledger_last_entry_timestamp_seconds",
        "gauge",
        "When the last of them was written.",
        [(labels, one.last_epoch_s) for labels, one in ledgers],
    )
    yield _Family(
        "secgate_ledger_signatures_checked",
        "gauge",
        "0 where people signed and nobody's signature counts: there are no numbers of waivers then.",
        [(labels, int(not one.reason)) for labels, one in ledgers],
    )
    yield _Family(
        "secgate_repositories_in_several_ledgers",
        "gauge",
        "Repositories that several ledgers hold: what each holds is counted; absent where there is none.",
        [({}, len(found.notes))] if found.notes else [],
    )
    yield _Family(
        "secgate_sla_adherence_overall_ratio",
        "gauge",
        "Met / due in the window, of all repositories; absent where nothing was due.",
        _ratio({}, found.sla.adherence_per_mille),
    )
    yield _Family(
        "secgate_waivers",
        "gauge",
        "Waivers by kind and how they stand.",
        [({"kind": one.kind, "state": one.state}, one.count) for one in found.waivers or ()],
    )


def _of_repositories(repositories: Iterable[RepositoryMetrics]) -> Iterator[_Family]:
    named = [({"repository": one.repository}, one) for one in repositories]
    yield from _findings(named)
    yield from _deadlines(named)
    yield from _runs(named)


_Named: TypeAlias = list[tuple[dict[str, str], RepositoryMetrics]]


def _findings(named: _Named) -> Iterator[_Family]:
    yield _Family(
        "secgate_findings_open",
        "gauge",
        "Open findings by severity and time since they were first seen.",
        [
            ({**labels, "severity": count.severity, "age": count.age}, count.count)
            for labels, one in named
            for count in one.open
        ],
    )
    yield _Family(
        "secgate_findings_overdue",
        "gauge",
        "Open findings past their time; waived are those that waivers cover since then without a gap.",
        [
            ({**labels, "severity": count.severity, "waived": waived}, number)
            for labels, one in named
            for count in one.overdue
            for waived, number in (("false", count.overdue), ("true", count.waived))
        ],
    )


def _deadlines(named: _Named) -> Iterator[_Family]:
    yield _Family(
        "secgate_sla_findings",
        "gauge",
        "Findings that were due in the window, or overdue at any time in it, by what became of them.",
        [
            ({**labels, "severity": count.severity, "result": result}, getattr(count, result))
            for labels, one in named
            for count in one.sla_by_severity
            for result in ("met", "excepted", "missed", "overdue_open")
        ],
    )
    yield _Family(
        "secgate_sla_dismissed_findings",
        "gauge",
        "Findings past their time that waivers call a false positive or not affected: in no result, and not due.",
        [
            ({**labels, "severity": count.severity}, count.dismissed)
            for labels, one in named
            for count in one.sla_by_severity
        ],
    )
    yield _Family(
        "secgate_sla_adherence_ratio",
        "gauge",
        "Met / due in the window; absent where nothing was due.",
        [sample for labels, one in named for sample in _ratio(labels, one.sla.adherence_per_mille)],
    )
    closed = [({**labels, "severity": count.severity}, count) for labels, one in named for count in one.remediation]
    yield _Family(
        "secgate_findings_remediated",
        "gauge",
        "Findings that were closed in the window.",
        [(labels, count.closed) for labels, count in closed],
    )
    yield _Family(
        "secgate_remediation_mean_seconds",
        "gauge",
        "Mean time from opening to closing of those; absent where none was closed.",
        [(labels, count.mean_s) for labels, count in closed if count.mean_s is not None],
    )


def _runs(named: _Named) -> Iterator[_Family]:
    yield _Family(
        "secgate_last_protected_run_timestamp_seconds",
        "gauge",
        "Last whole run of a protected branch; absent where there was none.",
        [(labels, one.last_protected_run_epoch_s) for labels, one in named if one.last_protected_run_epoch_s],
    )
    lanes = [({**labels, "lane": lane.lane}, lane) for labels, one in named for lane in one.lanes]
    yield _Family(
        "secgate_lane_files",
        "gauge",
        "Files that the last whole run of a protected branch offered to a lane, by what became of them.",
        [
            ({**labels, "state": state}, getattr(lane, state))
            for labels, lane in lanes
            for state in ("covered", "failed", "unsupported")
        ],
    )
    yield _Family("secgate_lane_gaps", "gauge", "Gaps of that run.", [(labels, lane.gaps) for labels, lane in lanes])
    yield _Family(
        "secgate_lane_coverage_ratio",
        "gauge",
        "Covered / offered files of that run; absent where it offered none.",
        [(labels, lane.covered / lane.offered) for labels, lane in lanes if lane.offered],
    )
    yield _Family(
        "secgate_runs_total",
        "counter",
        "Runs since the ledger's beginning.",
        [
            ({**labels, "scope": count.scope, "mode": count.mode or "none", "outcome": count.outcome}, count.count)
            for labels, one in named
            for count in one.runs
        ],
    )
    yield _Family(
        "secgate_overrides_total",
        "counter",
        "Break-glass overrides that could count, since the ledger's beginning.",
        [(labels, one.overrides) for labels, one in named],
    )


def _ratio(labels: Mapping[str, str], per_mille: int | None) -> list[tuple[Mapping[str, str], float]]:
    return [] if per_mille is None else [(labels, per_mille / 1000)]


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    shown = ",".join(f'{key}="{_value(text)}"' for key, text in labels.items())
    number = str(value) if isinstance(value, int) else f"{value:.6g}"
    return f"{name}{{{shown}}} {number}" if shown else f"{name} {number}"


def _value(text: str) -> str:
    """Give a label's value: one line, quotes and backslashes escaped."""
    shown = plain(text)
    shown = shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"
    return shown.replace("\\", "\\\\").replace('"', '\\"')
