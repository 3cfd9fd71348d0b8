"""The stored run for a terminal or a log: fits the width, says first what was decided and last how to get to green."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from secgate.disclosure import is_brought, is_for_owners
from secgate.escape import LONGEST_PATH, cut, log_line, log_text
from secgate.explanation import SHOWN, Explanation, explain_finding, is_recorded
from secgate.fact_words import facts_words
from secgate.let_pass import WORDS
from secgate.model import Finding, RunDocument, Severity, State, Word
from secgate.page import Page, cells, clipped
from secgate.sla import many
from secgate.summary import FindingRow, LaneRow, Summary, mark_of, severity_words, summarise

_ANY = "NAME-BEHIND-ITS-PLACE"
_SEVERITY_STYLE = {Severity.CRITICAL: "bad", Severity.HIGH: "bad", Severity.MEDIUM: "unsure"}
_LANE_STYLE = {"INCOMPLETE": "unsure", "covered": "good"}
MAX_BLOCKING = 100
MAX_COMPARED = 2_000
"""Blocking findings of which like ones are said together: of more, rules and facts are not kept apart."""
MAX_PLACES = 12
MAX_OTHERS = 10
MAX_REASONS = 8
MAX_STEPS = 12
MAX_RULES = 3
"""Rules that are named of a finding; `secgate explain` has all."""


class TextReporter:
    """Lines for a terminal or a log: outcome, lanes, what blocks and why, the way to green."""

    name = "text"
    suffix = ".txt"

    def render(self, document: RunDocument, *, width: int, colour: bool) -> bytes:
        """Give lines of at most `width` columns (of 40 where it is less); colours only when `colour`."""
        return _page(document, summarise(document), (), width=width, colour=colour)


class LogReporter(TextReporter):
    """The same lines for a log that others may read: older findings are counted where the repository is not private."""

    name = "log"

    def render(self, document: RunDocument, *, width: int, colour: bool) -> bytes:
        """Give the lines of TextReporter, and what is not named here in one of its own."""
        summary = summarise(document)
        if is_for_owners(document):
            return _page(document, summary, (), width=width, colour=colour)
        blocking, others = (
            tuple(row for row in rows if is_brought(row.finding, document))
            for rows in (summary.blocking, summary.others)
        )
        older = [row for row in (*summary.blocking, *summary.others) if not is_brought(row.finding, document)]
        # The way to green names places, those of older findings too.
        to_green = () if any(row.blocking for row in older) else summary.to_green
        told = msgspec.structs.replace(summary, blocking=blocking, others=others, to_green=to_green, gone=())
        return _page(document, told, older, width=width, colour=colour)


def _page(document: RunDocument, summary: Summary, older: Sequence[FindingRow], *, width: int, colour: bool) -> bytes:
    page = _RunPage(width, colour=colour)
    page.outcome(summary)
    page.lanes(summary)
    page.findings(summary, document)
    page.counted(older, is_change=document.target.changed is not None)
    page.green(summary)
    page.tail(document, summary)
    return page.data()


class _RunPage(Page):
    """What a run's page says, part by part."""

    def outcome(self, summary: Summary) -> None:
        style = mark_of(summary.outcome)[1] if summary.outcome else "bold"
        self.heading(f"secgate: {summary.word}", style)
        self.wrap(summary.sentence[:1].upper() + summary.sentence[1:], 2)
        for line in (*summary.context, *summary.rulings):
            self.wrap(line, 2)

    def lanes(self, summary: Summary) -> None:
        self.lines.append("")
        for row in summary.lanes:
            self.lane(row)
        if summary.left_out:
            self.wrap(f"left out: {', '.join(summary.left_out)}", 2)
        if summary.not_obeyed:
            self.wrap(f"searched, not obeyed (settings of tools): {summary.not_obeyed}", 2)

    def lane(self, row: LaneRow) -> None:
        head = f"  {row.lane:<13}" + self.style(f"{row.state:<16}", _LANE_STYLE.get(row.state, "dim"))
        counts = f"{row.counts}  " if row.counts else ""
        failed = f"failed: {row.tools_failed}" if row.tools_failed else ""
        tools = "; ".join(filter(None, (row.tools, failed)))
        self.wrap(f"{counts:<18}{tools}", 31, first=head, most=3)
        reasons = (row.ruling, *row.reasons) if row.ruling else row.reasons
        for reason in reasons[:MAX_REASONS]:
            self.wrap(reason, 6, first="    -")
        if len(reasons) > MAX_REASONS:
            self.wrap(f"and {len(reasons) - MAX_REASONS:,} more (--format json lists all)", 6, first="    -")

    def findings(self, summary: Summary, document: RunDocument) -> None:
        if summary.blocking:
            self.title(f"Blocking ({len(summary.blocking):,})")
            groups = alike(summary.blocking[:MAX_COMPARED], document)
            for rows, explained in groups[:MAX_BLOCKING]:
                self.finding(rows, explained, recorded=is_recorded(document))
            self.more(len(summary.blocking) - sum(len(rows) for rows, _ in groups[:MAX_BLOCKING]))
        others = [row for row in summary.others if row.passed_as is None]
        if others:
            told = ", ".join(f"{count:,} {name}" for name, count in _severities(others))
            judged = "Not blocking" if summary.outcome else "Found"
            self.title(f"{judged} ({told})")
            for row in others[:MAX_OTHERS]:
                self.brief(row)
            self.more(len(others) - MAX_OTHERS)
        self.let_pass(summary.others)
        if summary.gone:
            self.title(f"Gone since the base or the last record ({len(summary.gone):,})")
            for known in summary.gone[:MAX_OTHERS]:
                self.wrap(known, 2, most=2)
            self.more(len(summary.gone) - MAX_OTHERS)

    def let_pass(self, rows: Sequence[FindingRow]) -> None:
        """Findings that would block or warn and do not, each kind of reason apart."""
        for kind, words in WORDS.items():
            of_kind = [row for row in rows if row.passed_as == kind]
            if of_kind:
                told = ", ".join(f"{count:,} {name}" for name, count in _severities(of_kind))
                self.title(f"Let pass: {words} ({told})")
            for row in of_kind[:MAX_OTHERS]:
                self.brief(row)
                self.wrap(row.why, 15, first=" " * 11 + "why", most=3)
            self.more(len(of_kind) - MAX_OTHERS)

    def counted(self, rows: Sequence[FindingRow], *, is_change: bool) -> None:
        """Findings that are not named here, and who can read which they are."""
        if not rows:
            return
        told = ", ".join(f"{count:,} {name}" for name, count in _severities(rows))
        self.title(f"{'Older' if is_change else 'Counted'}, not named in a log that others may read ({told})")
        if blocking := sum(row.blocking for row in rows):
            self.wrap(f"{blocking:,} of them blocking, {sum(row.overdue for row in rows):,} overdue", 2)
        self.wrap("`secgate run` on your machine names them; so does the ledger, `secgate sla`", 2)

    def more(self, count: int) -> None:
        if count > 0:
            self.wrap(f"and {count:,} more (--format html or json shows them)", 2)

    def finding(self, rows: Sequence[FindingRow], told: Explanation, *, recorded: bool) -> None:
        """What is said of findings that differ in nothing but their places, said once."""
        row = rows[0]
        finding = row.finding
        self.lines.append("")
        style = _SEVERITY_STYLE.get(finding.severity, "dim")
        several = f", {len(rows):,} times" if len(rows) > 1 else ""
        title = f"{finding.title}{several}"
        self.wrap(title, 11, first=f"  {finding.severity.value.upper()}", style=style, most=4)
        self.places(rows)
        if finding.location.commit:
            self.labelled("", "the text is gone at the end of the change, and still in that commit")
        if finding.package is not None:
            self.labelled("in", f"{finding.package.name} {finding.package.version}: {_some(finding.advisories)}")
        why = f"could not tell: {row.why}" if row.word == Word.INCONCLUSIVE else row.why
        self.labelled("why", why)
        for said in told.said[:MAX_RULES]:
            self.labelled("rule", f"{said.place} ({said.layer}): {facts_words(said.facts)}".removesuffix(": "))
        self.labelled("due", row.due)
        for words in told.clock[:-1] if row.due else ():
            self.labelled("", words)
        self.labelled("fix", row.fix)
        self.labelled("owner", finding.owner)
        for way in told.ways:
            # Of several each has a line of its own, with the name that stands behind its place.
            command = way.command.replace(finding.fingerprint[:SHOWN], _ANY, 1) if several else way.command
            label = "waive" if way.kind == "waiver" else ""
            if label and not recorded:
                self.labelled(label, "once a run that is recorded shows it, with")
                label = ""
            self.command(label, command)
        self.labelled("by", f"{row.seen_by}; {finding.state.value}; {severity_words(finding)}")
        if finding.ambiguous:
            self.labelled("note", f"known again by its order among equals: {finding.state_basis}")
        if finding.suppressed_in_source:
            self.labelled("note", f"a comment asks to ignore this; the policy decides{_comments(finding)}")

    def places(self, rows: Sequence[FindingRow]) -> None:
        for position, row in enumerate(rows[:MAX_PLACES]):
            finding = row.finding
            place = row.place + (f" in {finding.symbol}" if finding.symbol and finding.location.path else "")
            commit = f" of commit {finding.location.commit[:SHOWN]}" if finding.location.commit else ""
            name = f" ({finding.fingerprint[:SHOWN]})" if len(rows) > 1 else ""
            self.labelled("at" if position == 0 else "", place + commit + name, whole=row.place)
        if len(rows) > MAX_PLACES:
            self.labelled("", f"and {many(len(rows) - MAX_PLACES, 'more place')} (--format html or json shows them)")

    def brief(self, row: FindingRow) -> None:
        """One line: severity, word, title, place. The title gives way; where that is not enough, they have one each."""
        head = f"  {row.finding.severity.value:<9}" + (f"{_word(row):<8}" if row.verdict else "")
        room = self.width - len(head)
        place = log_text(cut(row.place, LONGEST_PATH))
        title = log_text(row.finding.title[: self.width])
        left = room - cells(place) - 2
        if left >= min(cells(title), room * 2 // 5):
            self.lines.append(f"{head}{clipped(title, left)}  {place}")
        else:
            self.lines += [f"{head}{clipped(title, room)}", f"{' ' * len(head)}{log_line(place)}"]
        if row.due:
            self.wrap(row.due, len(head) + 4, first=" " * len(head) + "due")
        if row.finding.suppressed_in_source and row.passed_as is None:
            self.wrap(f"a comment asks to ignore this{_comments(row.finding)}", len(head), most=2)

    def green(self, summary: Summary) -> None:
        if summary.to_green:
            self.title("Shortest way to green")
            for step in summary.to_green[:MAX_STEPS]:
                self.wrap(step, 4, first="  -")
            self.more(len(summary.to_green) - MAX_STEPS)

    def tail(self, document: RunDocument, summary: Summary) -> None:
        changes = document.target.gate_changes
        if changes:
            self.lines.append("")
            self.wrap(f"this change edits what judges it (reported, not obeyed): {_some(changes)}", 4, first="  *")
        if summary.notes:
            self.lines.append("")
            for note in summary.notes:
                self.wrap(note, 4, first="  *")
        self.lines.append("")
        several = document.decision is not None and len(document.decision.all_outcomes) > 1
        outcomes = f"; outcomes: {', '.join(document.decision.all_outcomes)}" if several and document.decision else ""
        self.wrap(f"run {document.run_id}{outcomes}; exit {summary.exit_code}", 2, first="")


def alike(rows: Iterable[FindingRow], document: RunDocument) -> list[tuple[list[FindingRow], Explanation]]:
    """Give rows in groups of which everything that a page says is the same but the place, in the order of their first.

    The explanation is the first one's. Packages, texts of commits and what a comment excuses stand alone.
    """
    groups: dict[object, tuple[list[FindingRow], Explanation]] = {}
    for row in rows:
        told, finding = explain_finding(row.finding, row.verdict, document), row.finding
        said = tuple((one.place, one.layer, tuple(sorted(one.facts.items()))) for one in told.said)
        alone = finding.package is not None or finding.location.commit or finding.ambiguous
        key = (
            finding.title,
            severity_words(finding),
            row.word,
            row.why,
            said,
            (row.due, told.clock),
            row.fix,
            finding.owner,
            tuple(way.kind for way in told.ways),
            (row.seen_by, finding.state),
            finding.fingerprint if alone or finding.suppressed_in_source else "",
        )
        groups.setdefault(key, ([], told))[0].append(row)
    return list(groups.values())


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - 4:,} more" if len(listed) > 4 else ""
    return ", ".join(listed[:4]) + more


def _word(row: FindingRow) -> str:
    """Say `known` of what passes because the base has it: `high allow` reads as if somebody had looked and agreed."""
    was_there = row.finding.state in (State.UNCHANGED, State.UPDATED)
    return "known" if was_there and row.word == Word.ALLOW else row.word


def _comments(finding: Finding) -> str:
    texts = dict.fromkeys(one.text for witness in finding.witnesses for one in witness.suppressions if one.text)
    return f": {_some(texts)}" if texts else ""


def _severities(rows: Iterable[FindingRow]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.finding.severity.value] = counts.get(row.finding.severity.value, 0) + 1
    return [(name, counts[name]) for name in ("critical", "high", "medium", "low", "info") if name in counts]
