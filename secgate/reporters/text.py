"""The stored run for a terminal: fits the width, says first what was decided and last how to get to green."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from secgate.escape import plain
from secgate.model import Outcome, RunDocument, Severity
from secgate.summary import FindingRow, LaneRow, Summary, summarise

_RESET = "\x1b[0m"
_STYLES = {
    "bad": "\x1b[1;31m",
    "unsure": "\x1b[1;33m",
    "good": "\x1b[1;32m",
    "dim": "\x1b[2m",
    "bold": "\x1b[1m",
}
_OUTCOME_STYLE = {Outcome.PASS: "good", Outcome.INCONCLUSIVE: "unsure"}
_SEVERITY_STYLE = {Severity.CRITICAL: "bad", Severity.HIGH: "bad", Severity.MEDIUM: "unsure"}
MAX_OTHERS = 10
MAX_REASONS = 8


class TextReporter:
    """Reporter `text`."""

    name = "text"
    suffix = ".txt"

    def render(self, document: RunDocument, *, width: int, colour: bool) -> bytes:
        """Give lines of at most `width` columns, at least 60; colours only when `colour`."""
        page = _Page(max(width, 60), colour=colour)
        summary = summarise(document)
        page.outcome(summary)
        page.lanes(summary)
        page.findings(summary)
        page.green(summary)
        page.tail(document, summary)
        return ("\n".join(page.lines) + "\n").encode("utf-8", "replace")


class _Page:
    """The lines so far. Everything that came from outside passes `plain` before it is added."""

    def __init__(self, width: int, *, colour: bool) -> None:
        self.width = width
        self.colour = colour
        self.lines: list[str] = []

    def style(self, text: str, name: str) -> str:
        return f"{_STYLES[name]}{text}{_RESET}" if self.colour and name in _STYLES else text

    def wrap(self, text: str, indent: int, *, first: str = "") -> None:
        """Add wrapped text; `first` starts the first line in place of the indent."""
        pad = " " * indent
        lines = textwrap.wrap(plain(text), self.width - indent, break_long_words=True, break_on_hyphens=False) or [""]
        for position, line in enumerate(lines):
            self.lines.append((first.ljust(indent) if position == 0 and first else pad) + line)

    def outcome(self, summary: Summary) -> None:
        style = _OUTCOME_STYLE.get(summary.outcome, "bad") if summary.outcome else "bold"
        self.lines.append(self.style(f"secgate: {summary.word}", style))
        self.wrap(summary.sentence[:1].upper() + summary.sentence[1:], 2)
        for line in summary.context:
            self.wrap(line, 2)

    def lanes(self, summary: Summary) -> None:
        self.lines.append("")
        for row in summary.lanes:
            self.lane(row)
        if summary.left_out:
            told = ", ".join(f"{count} {label}" for label, count in summary.left_out)
            self.wrap(f"left out: {told}", 2)

    def lane(self, row: LaneRow) -> None:
        style = {"INCOMPLETE": "unsure", "covered": "good"}.get(row.state, "dim")
        head = f"  {row.lane:<13}"
        state = self.style(f"{row.state:<16}", style)
        rest = f"{row.counts:<18} {row.tools}" if row.counts else ""
        room = self.width - len(head) - 16
        clipped = plain(rest).rstrip()
        if len(clipped) > room:
            clipped = clipped[: room - 1] + "…"
        self.lines.append(f"{head}{state}{clipped}".rstrip())
        for reason in row.reasons[:MAX_REASONS]:
            self.wrap(reason, 17, first=" " * 15 + "-")
        if len(row.reasons) > MAX_REASONS:
            self.lines.append(" " * 15 + f"- and {len(row.reasons) - MAX_REASONS} more (--format json lists all)")

    def findings(self, summary: Summary) -> None:
        if summary.blocking:
            self.lines.extend(("", self.style(f"Blocking ({len(summary.blocking)})", "bold")))
            for row in summary.blocking:
                self.finding(row)
        if summary.others:
            told = ", ".join(f"{count} {name}" for name, count in _severities(summary.others))
            self.lines.extend(("", self.style(f"Not blocking ({told})", "bold")))
            for row in summary.others[:MAX_OTHERS]:
                self.brief(row)
            if len(summary.others) > MAX_OTHERS:
                self.lines.append(f"  and {len(summary.others) - MAX_OTHERS} more (--format html or json lists all)")

    def finding(self, row: FindingRow) -> None:
        finding = row.finding
        name = finding.severity.value.upper()
        self.lines.append("")
        label = self.style(f"{name:<9}", _SEVERITY_STYLE.get(finding.severity, "dim"))
        head = textwrap.wrap(plain(finding.title), self.width - 11) or [""]
        self.lines.append(f"  {label}{head[0]}")
        self.lines.extend(" " * 11 + line for line in head[1:])
        self.wrap(row.place + (f" in {finding.symbol}" if finding.symbol else ""), 11)
        if finding.location.commit:
            self.wrap(f"in commit {finding.location.commit[:12]} of the change; gone at its end", 11)
        if finding.package is not None:
            advisories = ", ".join(finding.advisories[:4])
            self.wrap(f"{finding.package.name} {finding.package.version}: {advisories}", 11)
        if row.verdict is not None:
            self.wrap(f"{row.verdict.reason} [{row.verdict.rule.removeprefix('data.secgate.rules.')}]", 11)
        seen = f"seen by {row.seen_by}; {finding.state.value}; severity: {finding.severity_basis}"
        self.wrap(seen, 11)
        if row.due:
            self.wrap(row.due, 11)
        remedy = finding.remedy or (row.verdict.remedy if row.verdict else "")
        if remedy:
            self.wrap(remedy, 11, first=" " * 11 + "")
        if finding.suppressed_in_source:
            self.wrap("a comment in the source asks to ignore this; the policy decides", 11)

    def brief(self, row: FindingRow) -> None:
        finding = row.finding
        word = row.verdict.word.value if row.verdict else "-"
        tail = f"  {plain(row.place)}"
        head = f"  {finding.severity.value:<9}{word:<8}"
        title = plain(finding.title)
        room = self.width - len(head)
        text = title + tail
        if len(text) > room:
            title = title[: max(room - len(tail) - 1, 12)] + "…"
            text = (title + tail)[:room]
        self.lines.append(head + text)

    def green(self, summary: Summary) -> None:
        if summary.to_green:
            self.lines.extend(("", self.style("Shortest way to green", "bold")))
            for step in summary.to_green[:12]:
                self.wrap(step, 4, first="  - ")
            if len(summary.to_green) > 12:
                self.lines.append(f"  - and {len(summary.to_green) - 12} more")

    def tail(self, document: RunDocument, summary: Summary) -> None:
        if document.target.gate_changes:
            self.lines.append("")
            self.wrap(
                "this change edits what judges it (reported, not obeyed): " + ", ".join(document.target.gate_changes), 2
            )
        if summary.notes:
            self.lines.append("")
            for note in summary.notes:
                self.wrap(note, 4, first="  * ")
        self.lines.append("")
        decision = document.decision
        outcomes = f"; outcomes: {', '.join(decision.all_outcomes)}" if decision else ""
        code = f"exit {decision.exit_code}" if decision else "exit 0"
        self.lines.append(self.style(f"run {document.run_id}{outcomes}; {code}", "dim"))


def _severities(rows: Iterable[FindingRow]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.finding.severity.value] = counts.get(row.finding.severity.value, 0) + 1
    return [(name, counts[name]) for name in ("critical", "high", "medium", "low", "info") if name in counts]
