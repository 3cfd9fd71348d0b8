"""The stored run as Markdown, for a comment on a change and for a step's summary.

Such a text is as public as the repository, and a list of open weaknesses is a map for whoever reads it. So `markdown`
tells what the change itself brings, which its author can see anyway, and counts all that is older; `markdown-all`
tells everything, for places that only the owners read. `comment` is the one or the other: everything where CI says that
the repository is private, counts where it is not, or where nobody says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from secgate.disclosure import is_brought, is_for_owners
from secgate.escape import cut, markdown_text
from secgate.model import Outcome, RunDocument
from secgate.ports import Rendered
from secgate.sla import many
from secgate.summary import FindingRow, Summary, summarise

MAX_FINDINGS = 30
MAX_STEPS = 10
MAX_TEXT = 300
MAX_CHARACTERS = 60_000
"""A comment on GitHub holds 65,536 characters. Findings give way first."""
MARKER = "<!-- secgate -->"
"""First line: whoever keeps one comment up to date finds it again by this."""
_MARKS = {Outcome.PASS: "✅", Outcome.FAIL: "❌", Outcome.INCONCLUSIVE: "❔"}


class MarkdownReporter:
    """Markdown for a comment on a change: what it brings, and older findings as counts; fit for a public place."""

    name = "markdown"
    suffix = ".md"

    def render(self, document: RunDocument, *, width: int, colour: bool) -> bytes:
        """Give Markdown of at most 60,000 characters, with a line end."""
        del width, colour
        return self.rendered(document).data

    def is_whole(self, document: RunDocument) -> bool:
        """Tell whether older findings are named."""
        del document
        return False

    def rendered(self, document: RunDocument) -> Rendered:
        """Give Markdown of at most 60,000 characters, with a line end, and how many findings have no room."""
        summary = summarise(document)
        rows = (*summary.blocking, *summary.others)
        told = rows if self.is_whole(document) else tuple(row for row in rows if is_brought(row.finding, document))
        older = [row for row in rows if row not in told] if len(told) < len(rows) else []
        shown = min(len(told), MAX_FINDINGS)
        while True:
            text = "\n".join(_page(document, summary, told[:shown], len(told) - shown, older)) + "\n"
            if len(text) <= MAX_CHARACTERS or not shown:
                break
            shown //= 2
        hidden = len(told) - shown
        return Rendered(text.encode("utf-8", "replace"), (many(hidden, "finding"),) if hidden else ())


class WholeMarkdownReporter(MarkdownReporter):
    """Markdown with older findings named too; for places that only the owners read."""

    name = "markdown-all"

    def is_whole(self, document: RunDocument) -> bool:
        """Tell that older findings are named."""
        del document
        return True


class CommentReporter(MarkdownReporter):
    """Markdown for a comment on a change: older findings named where the repository is private, else as counts."""

    name = "comment"

    def is_whole(self, document: RunDocument) -> bool:
        """Tell whether CI says that only the owners read the repository."""
        return is_for_owners(document)


def _page(
    document: RunDocument, summary: Summary, told: Sequence[FindingRow], hidden: int, older: Sequence[FindingRow]
) -> Iterable[str]:
    mark = _MARKS.get(summary.outcome, "⛔") if summary.outcome else "ℹ️"  # noqa: RUF001 - an emoji
    yield MARKER
    yield f"### {mark} secgate: {_text(summary.word)}"
    yield ""
    yield _text(summary.sentence[:1].upper() + summary.sentence[1:])
    yield ""
    yield " · ".join(_text(line) for line in summary.context)
    for line in summary.rulings:
        yield f"- {_text(line)}"
    yield from _findings(told, hidden)
    yield from _counted(older, document)
    yield from _lanes(summary)
    # The way to green names places, those of older findings too.
    if summary.to_green and not any(row.blocking for row in older):
        yield from ("", "#### Shortest way to green", "")
        yield from (f"- {_text(step)}" for step in summary.to_green[:MAX_STEPS])
        if len(summary.to_green) > MAX_STEPS:
            yield f"- and {len(summary.to_green) - MAX_STEPS} more"
    for path in document.target.gate_changes[:MAX_STEPS]:
        yield from ("", f"This change edits what judges it (reported, not obeyed): {_text(path)}")
    yield from ("", f"<sub>run {_text(document.run_id)}, exit {summary.exit_code}</sub>")


def _findings(told: Sequence[FindingRow], hidden: int) -> Iterable[str]:
    if not told:
        return
    yield from ("", f"#### {many(len(told) + hidden, 'finding')}", "")
    yield from ("| | severity | finding | place |", "|---|---|---|---|")
    for row in told:
        title = f"**{_text(row.finding.title)}**" if row.blocking else _text(row.finding.title)
        yield f"| {_text(row.word)} | {row.finding.severity} | {title} | {_text(row.place)} |"
    if hidden:
        yield from ("", f"and {hidden} more")
    for row in (one for one in told if one.blocking):
        yield from ("", f"<details><summary>{_text(row.finding.title)} at {_text(row.place)}</summary>", "")
        facts = {"why": row.why, "due": row.due, "fix": row.fix, "owner": row.finding.owner, "by": row.seen_by}
        yield from (f"- {name}: {_text(fact)}" for name, fact in facts.items() if fact)
        yield from ("", "</details>")


def _counted(older: Sequence[FindingRow], document: RunDocument) -> Iterable[str]:
    """Count what is not named. Without a change nothing is older than it, and the reader is told why it is a count."""
    if not older:
        return
    is_change = document.target.changed is not None
    counts = Counter(row.finding.severity.value for row in older)
    told = ", ".join(
        f"{counts[name]:,} {name}" for name in ("critical", "high", "medium", "low", "info") if counts[name]
    )
    blocking = sum(row.blocking for row in older)
    overdue = sum(row.overdue for row in older)
    yield from ("", f"{'Older findings' if is_change else 'Findings, counted and not named here'}: {told}.")
    if blocking:
        yield f"Of them, {blocking:,} blocking and {overdue:,} overdue."


def _lanes(summary: Summary) -> Iterable[str]:
    yield from ("", "| lane | | files | tools |", "|---|---|---|---|")
    for lane in summary.lanes:
        tools = "; ".join(filter(None, (lane.tools, lane.tools_failed and f"failed: {lane.tools_failed}")))
        yield f"| {lane.lane} | {_text(lane.state)} | {_text(lane.counts)} | {_text(tools)} |"
    reasons = [f"{lane.lane}: {reason}" for lane in summary.lanes for reason in lane.reasons]
    if reasons:
        yield ""
        yield from (f"- {_text(reason)}" for reason in reasons[:MAX_STEPS])
        if len(reasons) > MAX_STEPS:
            yield f"- and {len(reasons) - MAX_STEPS} more gaps"


def _text(text: str) -> str:
    return markdown_text(cut(text, MAX_TEXT))
