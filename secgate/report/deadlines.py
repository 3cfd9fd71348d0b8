"""Section 7: deadlines by severity, with the formula, and what was open and not yet due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from secgate import sla
from secgate.assertion_facts import EpisodeItem
from secgate.assertions import Deviation
from secgate.evidence import Examined
from secgate.evidence.weaknesses import as_episodes, dismissals, sla_metrics
from secgate.masking import clean
from secgate.model import Severity
from secgate.report.accounts import DismissedRow, NotDue, SlaRow, SlaSection
from secgate.report.document import ResultRow

FORMULA = (
    "adherence = met / due, in thousandths, rounded down",
    "due = met + excepted + missed + overdue and open",
    "due: findings that were due within the period, or overdue at any time in it, as of the period's end",
    "met: closed by the due time; equal is within",
    "excepted: closed late or still open, with waivers approved by the due time that cover it from there without a gap",
    "dismissed: so covered, but only with a waiver that calls it a false positive or not affected; not in due",
    "missed: closed after the due time without such waivers; overdue and open: neither closed nor covered",
    "p50, p90: nearest rank of the time from opened to closed, over what was due and closed, in hours, rounded down",
)
"""What the numbers mean, as it is printed beside them."""


def deadlines(examined: Examined, results: Sequence[ResultRow]) -> SlaSection:
    """Give the numbers of the first cited assertion on deadlines, with its result; none where no control cites one."""
    told = {row.assertion: row for row in results}
    for one in examined.found.assertions:
        known = examined.mapping.assertions[one.assertion]
        if known.metrics and known.population.unit == "finding_episode":
            items = as_episodes(examined.populations[one.assertion].items)
            return SlaSection(
                assertion=one.assertion,
                result=told[one.assertion].result,
                reason=told[one.assertion].reason,
                formula=FORMULA,
                rows=_rows(items, one.deviations, examined),
                not_due=_not_due(examined),
                dismissed=_dismissed(items, examined),
            )
    return SlaSection(
        assertion="",
        result="not_tested",
        reason="no control of these frameworks cites an assertion on deadlines",
        formula=FORMULA,
        rows=(),
        not_due=(),
    )


def _rows(items: Sequence[EpisodeItem], bad: Sequence[Deviation], examined: Examined) -> tuple[SlaRow, ...]:
    period = examined.found.period
    rows = []
    for severity in sorted(Severity, key=lambda one: -one.rank):
        of_it = [item for item in items if item.severity == severity.value]
        names = {item.id for item in of_it}
        if of_it:
            own = [one for one in bad if one.item in names]
            rows.append(_row(severity.value, sla_metrics(of_it, own, period)))
    return (*rows, _row("all", sla_metrics(items, bad, period)))


def _row(severity: str, numbers: Mapping[str, int]) -> SlaRow:
    return SlaRow(
        severity=severity,
        due=numbers["due"],
        met=numbers["met"],
        excepted=numbers["excepted"],
        missed=numbers["missed"],
        overdue_open=numbers["overdue_open"],
        adherence_per_mille=numbers.get("adherence_per_mille"),
        p50_hours=numbers.get("p50_hours"),
        p90_hours=numbers.get("p90_hours"),
        oldest_open_hours=numbers.get("oldest_open_hours"),
        dismissed=numbers["dismissed"],
    )


def _dismissed(items: Sequence[EpisodeItem], examined: Examined) -> tuple[DismissedRow, ...]:
    rows = (
        DismissedRow(
            item=item.id,
            severity=item.severity,
            due_epoch_s=item.due_epoch_s,
            closed_epoch_s=item.closed_epoch_s,
            waiver=waiver.id,
            kind=waiver.request.kind,
            requester=waiver.request.requester,
            approver=waiver.approver,
            approved_epoch_s=waiver.approved_epoch_s,
            reason=clean(waiver.request.reason),
        )
        for item, waiver in dismissals(items, examined.ground)
    )
    return tuple(sorted(rows, key=lambda one: (one.due_epoch_s, one.item, one.approved_epoch_s, one.waiver)))


def _not_due(examined: Examined) -> tuple[NotDue, ...]:
    end = examined.found.period.to_epoch_s
    found = []
    for read in examined.ground.ledgers:
        for one in read.episodes:
            due = sla.due_epoch_s(one.known.obligations) or 0
            is_open = one.opened_epoch_s < end and not 0 < one.closed_epoch_s < end
            if is_open and due >= end:
                found.append(
                    NotDue(
                        item=read.key_of(one),
                        severity=one.known.facts.severity.value,
                        opened_epoch_s=one.opened_epoch_s,
                        due_epoch_s=due,
                    )
                )
    return tuple(sorted(found, key=lambda one: (one.due_epoch_s, one.item)))
