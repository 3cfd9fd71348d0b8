"""What a run says, in an order a person reads it: outcome, why, each lane, what blocks, the shortest way to green.

Every format renders this one summary, so that no two can disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from secgate import sla
from secgate.model import (
    Finding,
    Gap,
    LaneCoverage,
    Outcome,
    RunDocument,
    Scope,
    State,
    Value,
    Verdict,
    Word,
)

OUTCOME_WORDS = {
    Outcome.PASS: "PASS",
    Outcome.FAIL: "FAIL",
    Outcome.INCONCLUSIVE: "COULD NOT TELL",
    Outcome.POLICY_ERROR: "THE POLICY COULD NOT DECIDE",
    Outcome.LEDGER_ERROR: "LEDGER ERROR",
    Outcome.USAGE_ERROR: "USAGE ERROR",
    Outcome.INTERNAL_ERROR: "INTERNAL ERROR",
}

_BLOCKING = (Word.DENY, Word.INCONCLUSIVE)


class LaneRow(Value, frozen=True, kw_only=True):
    """One lane in words. `state`: covered, incomplete, nothing to scan, not asked."""

    lane: str
    state: str
    counts: str
    tools: str
    reasons: tuple[str, ...] = ()


class FindingRow(Value, frozen=True, kw_only=True):
    """One finding with its verdict, as shown."""

    finding: Finding
    verdict: Verdict | None
    blocking: bool
    place: str
    seen_by: str
    due: str
    overdue: bool


class Summary(Value, frozen=True, kw_only=True):
    """The whole page, before any markup."""

    word: str
    outcome: Outcome | None
    sentence: str
    context: tuple[str, ...]
    lanes: tuple[LaneRow, ...]
    blocking: tuple[FindingRow, ...]
    others: tuple[FindingRow, ...]
    gaps: tuple[Gap, ...]
    left_out: tuple[tuple[str, int], ...]
    to_green: tuple[str, ...]
    notes: tuple[str, ...]
    counts: tuple[tuple[str, int], ...]


def summarise(document: RunDocument) -> Summary:
    """Give the summary of a stored run."""
    decision = document.decision
    verdicts = {v.id: v for v in decision.verdicts if v.subject == "finding"} if decision else {}
    now = decision.evaluated_epoch_s if decision else 0
    rows = sorted(
        (_row(finding, verdicts.get(finding.fingerprint), now) for finding in document.findings), key=_importance
    )
    blocking = tuple(row for row in rows if row.blocking)
    gaps = tuple(gap for lane in document.coverage.lanes if lane.asked for gap in lane.gaps)
    return Summary(
        word=OUTCOME_WORDS[decision.outcome] if decision else "SCANNED, NOT JUDGED",
        outcome=decision.outcome if decision else None,
        sentence=_sentence(document, blocking, gaps),
        context=tuple(_context(document)),
        lanes=tuple(_lane(lane) for lane in document.coverage.lanes),
        blocking=blocking,
        others=tuple(row for row in rows if not row.blocking),
        gaps=gaps,
        left_out=_left_out(document),
        to_green=tuple(_to_green(document, blocking, gaps)),
        notes=(*document.notes, *(decision.notes if decision else ())),
        counts=_counts(document.findings),
    )


def _row(finding: Finding, verdict: Verdict | None, now: int) -> FindingRow:
    region = finding.location.region
    place = finding.location.path + (f":{region.start_line}" if region.start_line else "")
    return FindingRow(
        finding=finding,
        verdict=verdict,
        blocking=verdict is not None and verdict.word in _BLOCKING,
        place=place,
        seen_by=", ".join(sorted({witness.scanner for witness in finding.witnesses})),
        due=_due(finding, now),
        overdue=sla.is_overdue(finding.obligations, now_epoch_s=now),
    )


def _due(finding: Finding, now: int) -> str:
    due = sla.due_epoch_s(finding.obligations)
    if due is None:
        return ""
    at = datetime.fromtimestamp(due, tz=UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"due {at}: {sla.standing_words(finding.obligations, now_epoch_s=now)}"


def _importance(row: FindingRow) -> tuple[int, float, str, str]:
    order = list(Word).index(row.verdict.word) if row.verdict else len(Word)
    return (order, -row.finding.score, row.place, row.finding.fingerprint)


def _sentence(document: RunDocument, blocking: Sequence[FindingRow], gaps: Sequence[Gap]) -> str:
    decision = document.decision
    if decision is None:
        return f"{_number(len(document.findings), 'finding')}; no policy was asked."
    if not decision.claims_coverage:
        head = "findings only, no coverage claimed"
        return f"{head}; {_number(len(blocking), 'finding')} blocked." if blocking else f"{head}."
    if document.target.changed == ():
        return "nothing changed, so nothing was scanned."
    parts = []
    if blocking:
        parts.append(f"the policy blocks {_number(len(blocking), 'finding')}")
    touched = sum(gap.touched for gap in gaps)
    older = len(gaps) - touched
    if Outcome.INCONCLUSIVE in decision.all_outcomes:
        parts.append(f"{_number(len(gaps), 'thing')} could not be looked at")
    elif older:
        parts.append(f"{_number(older, 'older coverage gap')} not counted by this profile")
    if not parts:
        known = len(document.findings)
        parts.append(
            "every lane asked for was covered and nothing blocks"
            + (f"; {_number(known, 'finding')} known" if known else "; no findings")
        )
    return "; ".join(parts) + "."


def _context(document: RunDocument) -> Iterable[str]:
    target, decision = document.target, document.decision
    where = target.repository + (f"/{target.prefix}" if target.prefix else "")
    commit = f" at {target.commit[:12]}" if target.commit else ""
    dirty = " with uncommitted changes" if target.dirty else ""
    yield f"{where}{commit}{dirty}"
    profile = f"profile {decision.profile}, " if decision else ""
    base = f", compared with {target.base_commit[:12]}" if target.base_commit else ""
    yield f"{profile}scope {target.scope} ({target.scope_basis}){base}"
    if decision and decision.mode == "observe":
        yield "observe mode: this outcome is recorded and does not block"
    if target.changed is None and not target.base_commit and target.scope is not Scope.PROTECTED and decision:
        yield "nothing to compare with: every finding counts as new (--changed-since REF judges a change)"
    if document.provisional_clocks:
        yield "clocks are provisional: no configuration requires a ledger here"


def _lane(lane: LaneCoverage) -> LaneRow:
    if not lane.asked:
        state = "not asked"
    elif not lane.needed:
        state = "nothing to scan"
    elif lane.gaps or lane.covered < lane.offered - lane.unsupported:
        state = "INCOMPLETE"
    else:
        state = "covered"
    counts = f"{lane.covered} of {lane.offered} files" if lane.needed else ""
    if lane.unsupported:
        counts += f", {lane.unsupported} unsupported"
    reasons: dict[str, int] = {}
    for gap in lane.gaps:
        text = f"{gap.tool}: {gap.detail or gap.reason}" if gap.tool else gap.detail or gap.reason
        text = f"{gap.path}: {text}" if gap.path else text
        reasons[text] = reasons.get(text, 0) + 1
    return LaneRow(
        lane=lane.lane, state=state, counts=counts, tools=", ".join(lane.tools_ran), reasons=tuple(sorted(reasons))
    )


def _left_out(document: RunDocument) -> tuple[tuple[str, int], ...]:
    counts: dict[str, int] = {}
    for item in document.coverage.left_out:
        label = f"{item.reason} ({item.detail})" if item.reason == "excluded" and item.detail else item.reason
        counts[label] = counts.get(label, 0) + 1
    return tuple(sorted(counts.items()))


def _to_green(document: RunDocument, blocking: Sequence[FindingRow], gaps: Sequence[Gap]) -> Iterable[str]:
    decision = document.decision
    if decision is None or decision.outcome is Outcome.PASS:
        return
    steps: dict[str, int] = {}
    for row in blocking:
        step = _fix(row)
        steps[step] = steps.get(step, 0) + 1
    for verdict in decision.verdicts:
        if verdict.subject != "finding" and verdict.word in _BLOCKING and verdict.remedy:
            steps.setdefault(verdict.remedy, 0)
    if Outcome.INCONCLUSIVE in decision.all_outcomes:
        for gap in gaps:
            if gap.remedy:
                steps.setdefault(gap.remedy, 0)
    yield from steps


def _fix(row: FindingRow) -> str:
    finding = row.finding
    if finding.package is not None and finding.package.fixed_versions:
        name, version = finding.package.name, finding.package.fixed_versions[0]
        return f"upgrade {name} to {version} or later in {finding.package.manifest}"
    remedy = finding.remedy or (row.verdict.remedy if row.verdict else "")
    return f"{row.place}: {remedy}" if remedy else f"{row.place}: remove {finding.title}"


def _counts(findings: Iterable[Finding]) -> tuple[tuple[str, int], ...]:
    counts = dict.fromkeys(("critical", "high", "medium", "low", "info"), 0)
    for finding in findings:
        if finding.state is not State.ABSENT:
            counts[finding.severity.value] += 1
    return tuple((name, count) for name, count in counts.items() if count)


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
