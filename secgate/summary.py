"""What a run says, in an order a person reads it: outcome, why, each lane, what blocks, the shortest way to green.

Every format renders this one summary, so that no two can disagree. Nothing here is escaped: each format does that for
the place where it shows a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from secgate import sla
from secgate.downgrades import downgraded_words
from secgate.gaps import gap_words, left_out_words, named, not_obeyed_words
from secgate.let_pass import Kind, accounts_by_finding, kind_of
from secgate.model import (
    Decision,
    Finding,
    Gap,
    LaneCoverage,
    Location,
    Outcome,
    RunDocument,
    Scope,
    Value,
    Verdict,
    WaiverAccount,
    Word,
)
from secgate.overrides import mode_words, override_words
from secgate.run_facts import severities
from secgate.upgrades import fixed_version, upgrades_of

OUTCOME_WORDS = {
    Outcome.PASS: "PASS",
    Outcome.FAIL: "FAIL",
    Outcome.INCONCLUSIVE: "COULD NOT TELL",
    Outcome.POLICY_ERROR: "THE POLICY COULD NOT DECIDE",
    Outcome.LEDGER_ERROR: "LEDGER ERROR",
    Outcome.USAGE_ERROR: "USAGE ERROR",
    Outcome.INTERNAL_ERROR: "INTERNAL ERROR",
}
_MARKS = {Outcome.PASS: ("✓", "good"), Outcome.INCONCLUSIVE: ("?", "unsure"), "": ("·", "neutral")}
_FAULTS = {
    Outcome.POLICY_ERROR: "the policy could not decide, so nothing passes",
    Outcome.LEDGER_ERROR: "the record could not be read or written, so nothing passes",
    Outcome.USAGE_ERROR: "the call or its configuration is wrong, so nothing passes",
    Outcome.INTERNAL_ERROR: "secgate itself failed, so nothing passes",
}
_BLOCKING = (Word.DENY, Word.INCONCLUSIVE)
_ORDER = {word: rank for rank, word in enumerate(Word)}


class LaneRow(Value, frozen=True, kw_only=True):
    """One lane in words. `state`: covered, INCOMPLETE, gaps waived, nothing to scan, not asked.

    `ruling` is the verdict on the lane where it is more than an allow: its word, reason and rule.
    """

    lane: str
    state: str
    counts: str
    tools: str
    tools_failed: str = ""
    reasons: tuple[str, ...] = ()
    ruling: str = ""


class FindingRow(Value, frozen=True, kw_only=True):
    """One finding with its verdict. What is shown of it is put into words when it is asked for, as few rows are.

    `line` is the one to look at, 0 where none is known.
    """

    finding: Finding
    verdict: Verdict | None
    line: int
    now_epoch_s: int
    """When it was judged."""
    waiver: WaiverAccount | None

    @property
    def word(self) -> str:
        """The verdict's word."""
        return self.verdict.word.value if self.verdict else "not judged"

    @property
    def blocking(self) -> bool:
        """Whether the verdict keeps the run from passing."""
        return self.verdict is not None and self.verdict.word in _BLOCKING

    @property
    def place(self) -> str:
        """Where it is; what is in no file of a tree is known by its own name or address."""
        return (self.finding.location.path or self.finding.symbol) + (f":{self.line}" if self.line else "")

    @property
    def seen_by(self) -> str:
        """The scanners that say so."""
        return ", ".join(sorted({witness.scanner for witness in self.finding.witnesses}))

    @property
    def why(self) -> str:
        """The verdict's reason, which ends in the rule in brackets."""
        if self.verdict is None:
            return ""
        reason = said_once(self.verdict.reason, self.finding)
        return f"{reason} [{rule_words(self.verdict)}]" if reason else f"[{rule_words(self.verdict)}]"

    @property
    def fix(self) -> str:
        """One instruction, or ""."""
        return fix_of(self.finding, self.verdict)

    @property
    def due_at(self) -> str:
        """The due time in UTC, "" where it has none."""
        duty = sla.earliest(self.finding.obligations)
        return sla.utc_words(duty.due_epoch_s) if duty else ""

    @property
    def standing(self) -> str:
        """How it stands against the due time, "" where it has none."""
        obligations = self.finding.obligations
        return sla.standing_words(obligations, now_epoch_s=self.now_epoch_s) if sla.earliest(obligations) else ""

    @property
    def basis(self) -> str:
        """What the duty rests on that counts, "" where there is none."""
        duty = sla.earliest(self.finding.obligations)
        return duty.basis if duty else ""

    @property
    def overdue(self) -> bool:
        """Whether it is past its due time."""
        return sla.is_overdue(self.finding.obligations, now_epoch_s=self.now_epoch_s)

    @property
    def passed_as(self) -> Kind | None:
        """Why it was let pass, None where it was not."""
        return kind_of(self.verdict, self.waiver)

    @property
    def due(self) -> str:
        """The due time in UTC and how the finding stands against it, "" where it has none."""
        return f"{self.due_at}, {self.standing} ({self.basis})" if self.due_at else ""


class Summary(Value, frozen=True, kw_only=True):
    """The whole page, before any markup. `blocking` and `others` begin with what matters most."""

    word: str
    outcome: Outcome | None
    exit_code: int
    sentence: str
    context: tuple[str, ...]
    lanes: tuple[LaneRow, ...]
    rulings: tuple[str, ...]
    """Verdicts on the run itself that are more than an allow."""
    blocking: tuple[FindingRow, ...]
    others: tuple[FindingRow, ...]
    gaps: tuple[Gap, ...]
    left_out: tuple[str, ...]
    """What was not offered to any lane, a phrase for each reason."""
    not_obeyed: str
    """Files that a tool would take as an order to look away: they are searched under another name."""
    to_green: tuple[str, ...]
    notes: tuple[str, ...]
    gone: tuple[str, ...]
    """What the base or the record had and this run no longer finds."""
    counts: tuple[tuple[str, int], ...]


def summarise(document: RunDocument) -> Summary:
    """Give the summary of a stored run."""
    decision = document.decision
    verdicts = {v.id: v for v in decision.verdicts if v.subject == "finding"} if decision else {}
    on_lanes = {v.id: v for v in decision.verdicts if v.subject == "lane"} if decision else {}
    now = decision.evaluated_epoch_s if decision else 0
    held = accounts_by_finding(document)
    rows = [_row(one, verdicts.get(one.fingerprint), now, held.get(one.fingerprint)) for one in document.findings]
    rows.sort(key=_importance)
    blocking = tuple(row for row in rows if row.blocking)
    gaps = tuple(gap for lane in document.coverage.lanes if lane.asked for gap in lane.gaps)
    return Summary(
        word=_word(decision),
        outcome=decision.outcome if decision else None,
        exit_code=decision.exit_code if decision else 0,
        sentence=_sentence(document, blocking, gaps),
        context=tuple(_context(document)),
        lanes=tuple(_lane(lane, on_lanes.get(lane.lane)) for lane in document.coverage.lanes),
        rulings=tuple(_ruling(v) for v in _more_than_allow(decision) if v.subject == "run"),
        blocking=blocking,
        others=tuple(row for row in rows if not row.blocking),
        gaps=gaps,
        left_out=left_out_words(document.coverage.left_out),
        not_obeyed=not_obeyed_words(document.coverage.left_out),
        to_green=tuple(_to_green(document, blocking, gaps)),
        notes=(*document.notes, *(decision.notes if decision else ())),
        gone=tuple(sorted(f"{known.weakness} in {known.path}" for known in document.absent)),
        counts=tuple((name, count) for name, count in severities(document).items() if count),
    )


def mark_of(outcome: str | None) -> tuple[str, str]:
    """Give the sign and the tone of an outcome; None and "" are a run that nobody judged."""
    return _MARKS.get(outcome or "", ("✕", "bad"))


def rule_words(verdict: Verdict) -> str:
    """Give a rule's name as a person says it; the layer where it is not the shipped one."""
    name = short_rule(verdict.rule)
    return name if verdict.layer == "shipped" else f"{verdict.layer}: {name}"


def short_rule(path: str) -> str:
    """Give a rule's name without the package that all rules share."""
    return path.removeprefix("data.secgate.rules.")


def severity_words(finding: Finding) -> str:
    """Say severity, score and where both come from."""
    told = f"{finding.severity.value} {finding.score:.1f}, basis: {finding.severity_basis or 'not told'}"
    return told + downgraded_words(finding)


def _word(decision: Decision | None) -> str:
    if decision is None:
        return "SCANNED, NOT JUDGED"
    return OUTCOME_WORDS[decision.outcome] + mode_words(decision)


def _row(finding: Finding, verdict: Verdict | None, now: int, waiver: WaiverAccount | None) -> FindingRow:
    line = pinpoint(finding).region.start_line
    return FindingRow(finding=finding, verdict=verdict, line=line, now_epoch_s=now, waiver=waiver)


def pinpoint(finding: Finding) -> Location:
    """Give the place to look at: the tightest that a witness names within the unit that identity rests on.

    A resource may be a hundred lines long, and the weakness one of them.
    """
    own = finding.location
    first, last = own.region.start_line, max(own.region.end_line, own.region.start_line)
    if first == 0:
        return own
    best: Location | None = None
    for witness in finding.witnesses:
        there = witness.location
        if (
            first <= there.region.start_line <= last
            and there.path == own.path
            and there.commit == own.commit
            and (best is None or _extent(there) < _extent(best))
        ):
            best = there
    return own if best is None else best


def _extent(place: Location) -> tuple[int, int, int]:
    region = place.region
    return (max(region.end_line - region.start_line, 0), region.start_line, region.start_column)


def said_once(reason: str, finding: Finding) -> str:
    """Give a reason without weakness and place: it stands alone in a log, and beside both here."""
    line = finding.location.region.start_line
    places = [finding.location.path + (f":{line}" if line else "")]
    if finding.package is not None:
        places.append(f"{finding.package.name} of {finding.location.path}")
    for place in places:
        reason = reason.replace(f": {finding.weakness} in {place}", "")
    return reason


def worst_first(finding: Finding) -> tuple[float, str, int, str]:
    """Give what findings are ordered by wherever they are listed: the highest score in front, then by place."""
    return _worst_first(finding, pinpoint(finding).region.start_line)


def _worst_first(finding: Finding, line: int) -> tuple[float, str, int, str]:
    return (-finding.score, finding.location.path or finding.symbol, line, finding.fingerprint)


def _importance(row: FindingRow) -> tuple[int, tuple[float, str, int, str]]:
    order = _ORDER[row.verdict.word] if row.verdict else len(_ORDER)
    return (order, _worst_first(row.finding, row.line))


def fix_of(finding: Finding, verdict: Verdict | None) -> str:
    """Give one way to end a finding: a fixed version, else what the weakness's or the policy's rule says."""
    if finding.package is not None and finding.package.fixed_versions:
        package = finding.package
        return f"upgrade {package.name} to {fixed_version(package)} or later in {package.manifest}"
    return finding.remedy or (verdict.remedy if verdict else "")


def _sentence(document: RunDocument, blocking: Sequence[FindingRow], gaps: Sequence[Gap]) -> str:
    if (decision := document.decision) is None:
        return f"{sla.many(len(document.findings), 'finding')}; no policy was asked."
    parts = [_FAULTS[outcome] for outcome in decision.all_outcomes if outcome in _FAULTS]
    if blocking:
        parts.append(f"the policy blocks {sla.many(len(blocking), 'finding')}")
    parts += _sentence_on_coverage(decision, gaps)
    if not parts and document.target.changed == ():
        parts.append("nothing changed, so nothing was scanned")
    if not parts:
        parts.append(_nothing_blocks(document))
    if not decision.claims_coverage:
        parts.insert(0, "findings only, no coverage claimed")
    if decision.override is not None:
        parts.insert(0, override_words(decision))
    return "; ".join(parts) + "."


def _sentence_on_coverage(decision: Decision, gaps: Sequence[Gap]) -> Iterable[str]:
    for subject, word, words in (
        ("run", Word.DENY, "the policy blocks the run itself"),
        ("lane", Word.DENY, "the policy blocks the lane"),
        ("lane", Word.INCONCLUSIVE, "no full answer in the lane"),
        ("run", Word.INCONCLUSIVE, "no full answer for the run"),
    ):
        names = sorted(v.id for v in decision.verdicts if v.subject == subject and v.word is word)
        if names and subject == "run":
            yield words
        elif names:
            yield f"{words}{'s' if len(names) > 1 else ''} {', '.join(names)}"
    let_pass = [gap for gap in gaps if not gap.waived]
    if let_pass and Outcome.INCONCLUSIVE not in decision.all_outcomes:
        older = "older " if not any(gap.touched for gap in let_pass) else ""
        yield f"{sla.many(len(let_pass), f'{older}coverage gap')} not counted by this profile"
    waived = sum(gap.waived for gap in gaps)
    if waived:
        yield f"{sla.many(waived, 'coverage gap')} waived"


def _nothing_blocks(document: RunDocument) -> str:
    if document.decision and document.decision.outcome is not Outcome.PASS:
        return "the verdicts and notes below say why"
    lanes = [lane for lane in document.coverage.lanes if lane.asked]
    known = f"{sla.many(len(document.findings), 'finding')} known" if document.findings else "no findings"
    if not document.decision or not document.decision.claims_coverage or not lanes:
        return f"nothing blocks; {known}"
    if not any(lane.needed for lane in lanes):
        return f"there is nothing to scan for any lane asked for; {known}"
    return f"every lane asked for was covered and nothing blocks; {known}"


def _context(document: RunDocument) -> Iterable[str]:
    target, decision = document.target, document.decision
    where = target.repository + (f"/{target.prefix}" if target.prefix else "")
    commit = f" at {target.commit[:12]}" if target.commit else ""
    yield where + commit + (" with uncommitted changes" if target.dirty else "")
    profile = f"profile {decision.profile}, " if decision else ""
    base = f", compared with {target.base_commit[:12]}" if target.base_commit else ""
    yield f"{profile}scope {target.scope} ({target.scope_basis}){base}"
    if decision and decision.mode == "observe":
        yield "observe mode: the outcome is recorded, a fail or an incomplete answer does not block"
    if target.changed is None and not target.base_commit and target.scope is not Scope.PROTECTED and decision:
        way = " (--changed-since REF judges a change)" if decision.claims_coverage else ""
        yield f"nothing to compare with: every finding counts as new{way}"
    told = decision is not None and any(note.startswith("clocks are provisional") for note in decision.notes)
    if document.provisional_clocks and not told:
        yield "clocks are provisional: no configuration requires a ledger here"
    if not document.complete:
        yield "not every tool came to its end: no later run builds on this one"


def _lane(lane: LaneCoverage, verdict: Verdict | None) -> LaneRow:
    # What no tool was offered, a file that is too large for one, is a file of the lane all the same.
    files = lane.offered + len({one.path for one in lane.not_looked})
    counts = f"{lane.covered:,} of {sla.many(files, 'file')}" if files else ""
    if lane.needed and lane.unsupported:
        counts += f", {lane.unsupported:,} unsupported"
    reasons = gap_words(lane.gaps)
    # What the gaps say already is not said twice.
    said = verdict is not None and verdict.word in (Word.INCONCLUSIVE, Word.WARN) and bool(reasons)
    return LaneRow(
        lane=lane.lane,
        state=_lane_state(lane),
        counts=counts,
        tools=", ".join(sorted(lane.tools_ran)),
        tools_failed=", ".join(sorted(lane.tools_failed)),
        reasons=reasons,
        ruling="" if verdict is None or verdict.word is Word.ALLOW or said else _ruling(verdict),
    )


def _lane_state(lane: LaneCoverage) -> str:
    if not lane.asked:
        return "not asked"
    if lane.gaps and all(gap.waived for gap in lane.gaps):
        return "gaps waived"
    if lane.gaps or lane.failed or lane.covered < lane.offered - lane.unsupported:
        return "INCOMPLETE"
    return "covered" if lane.needed else "nothing to scan"


def _more_than_allow(decision: Decision | None) -> Iterable[Verdict]:
    return (v for v in decision.verdicts if v.word is not Word.ALLOW) if decision else ()


def _ruling(verdict: Verdict) -> str:
    return f"{verdict.word}: {verdict.reason or 'no reason given'} [{rule_words(verdict)}]"


def _to_green(document: RunDocument, blocking: Sequence[FindingRow], gaps: Sequence[Gap]) -> Iterable[str]:
    if (decision := document.decision) is None or decision.outcome is Outcome.PASS:
        return
    upgrades, steps = upgrades_of(row.finding.package for row in blocking), dict[str, list[str]]()
    for row in blocking:
        package = row.finding.package
        if package is not None and package.fixed_versions:
            to = upgrades[package.name, package.manifest]
            steps[f"upgrade {package.name} to {to} or later in {package.manifest}"] = []
        else:
            steps.setdefault(row.fix or f"remove what is found: {row.finding.title}", []).append(row.place)
    for verdict in decision.verdicts:
        if verdict.subject != "finding" and verdict.word in _BLOCKING and verdict.remedy:
            steps[verdict.remedy] = []
    if Outcome.INCONCLUSIVE in decision.all_outcomes:
        for gap in (one for one in gaps if one.remedy and not one.waived):
            is_whole = gap.remedy.startswith("secgate ") or gap.path in gap.remedy
            steps.setdefault(gap.remedy, []).extend([] if is_whole else [gap.path])
    yield from (f"{named(dict.fromkeys(places), 'more place')}{step}" for step, places in steps.items())
    unsure = [one.id for one in decision.verdicts if one.subject == "lane" and one.word is Word.INCONCLUSIVE]
    if unsure and decision.claims_coverage:
        commands = ", ".join(f"secgate explain {lane}" for lane in unsure)
        yield f"{commands}: each gap, with the command that asks to let it pass"
