"""The stored run as workflow commands of GitHub's runners: annotations on what the change brought, and the outcome.

Source: GitHub Actions, "Workflow commands"; a step shows ten errors, ten warnings and ten notices, so the worst of what
blocks come first and the rest is counted. What the change did not touch has no place in its diff and is not annotated.
"""

from __future__ import annotations

from collections.abc import Iterator

from secgate.escape import command_text
from secgate.model import RunDocument, State, Word
from secgate.summary import FindingRow, number_words, pinpoint, summarise

MAX_EACH = 10
MAX_TEXT = 1_000


class GithubReporter:
    """Workflow commands for GitHub's runners: annotations on lines that the change touched, within their limits."""

    name = "github"
    suffix = ".txt"

    def render(self, document: RunDocument, *, width: int, colour: bool) -> bytes:
        """Give one command a line, for the standard output of a step."""
        del width, colour
        return "".join(f"{line}\n" for line in _commands(document)).encode("utf-8", "replace")


def _commands(document: RunDocument) -> Iterator[str]:
    summary = summarise(document)
    level = "notice" if summary.exit_code == 0 else "error"
    yield f"::{level} title=secgate%3A {_property(summary.word)}::{_data(summary.sentence)}"
    errors = [row for row in summary.blocking if _is_in_change(row, document)]
    warnings = [
        row
        for row in summary.others
        if row.verdict is not None and row.verdict.word is Word.WARN and _is_in_change(row, document)
    ]
    # One error is the outcome's own.
    kept = MAX_EACH - (level == "error")
    for row in errors[:kept]:
        yield _annotation("error", row)
    for row in warnings[:MAX_EACH]:
        yield _annotation("warning", row)
    hidden = len(errors[kept:]) + len(warnings[MAX_EACH:])
    if hidden:
        yield f"::notice title=secgate::{number_words(hidden, 'annotation')} more than a step shows; see the summary"


def _is_in_change(row: FindingRow, document: RunDocument) -> bool:
    """Tell whether the finding stands in the diff, on lines that the change brought.

    A commit's text that is gone at the end stands nowhere in it; what was there before stands on other lines.
    """
    finding = row.finding
    brought = finding.state in (State.NEW, State.UPDATED) and not finding.location.commit
    return finding.touched and brought and document.target.changed is not None


def _annotation(level: str, row: FindingRow) -> str:
    finding, region = row.finding, pinpoint(row.finding).region
    properties = [f"file={_property(finding.location.path)}"]
    if region.start_line:
        properties.append(f"line={region.start_line}")
        properties.append(f"endLine={max(region.end_line, region.start_line)}")
    properties.append(f"title={_property(f'{finding.severity}: {finding.title}')}")
    told = "; ".join(filter(None, (row.why, row.due and f"due {row.due}", row.fix and f"fix: {row.fix}")))
    return f"::{level} {','.join(properties)}::{_data(told or finding.title)}"


def _property(text: str) -> str:
    return command_text(text[:MAX_TEXT], property=True)


def _data(text: str) -> str:
    return command_text(text[:MAX_TEXT])
