"""The stored run as workflow commands of GitHub's runners: annotations on what the change brought, and the outcome.

Source: GitHub Actions, "Workflow commands"; a step shows ten errors, ten warnings and ten notices, so the worst of what
blocks come first and the rest is counted. An annotation stands on lines that the change brought, where its reviewer
reads; what the change brought on other lines, or in a commit's text that is gone at its end, is counted.
"""

from __future__ import annotations

from collections.abc import Iterator

from secgate.escape import command_text, cut
from secgate.model import RunDocument, State, Word
from secgate.sla import many
from secgate.summary import FindingRow, summarise

MAX_EACH = 10
MAX_TEXT = 1_000


class GithubReporter:
    """Workflow commands for GitHub's runners: annotations on lines that the change brought, within their limits."""

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
    warned = (row for row in summary.others if row.verdict is not None and row.verdict.word is Word.WARN)
    errors, warnings = ([row for row in rows if _is_brought(row, document)] for rows in (summary.blocking, warned))
    on_lines = document.brought_lines
    hidden = elsewhere = 0
    # One error is the outcome's own.
    for kind, rows, most in (("error", errors, MAX_EACH - (level == "error")), ("warning", warnings, MAX_EACH)):
        placed = [row for row in rows if row.finding.fingerprint in on_lines]
        for row in placed[:most]:
            yield _annotation(kind, row, on_lines[row.finding.fingerprint])
        hidden += len(placed[most:])
        elsewhere += len(rows) - len(placed)
    if hidden:
        yield f"::notice title=secgate::{many(hidden, 'annotation')} more than a step shows; see the summary"
    if elsewhere:
        what = f"{many(elsewhere, 'finding')} of this change on no line that it brought"
        yield f"::notice title=secgate::{what}; see the summary"


def _is_brought(row: FindingRow, document: RunDocument) -> bool:
    return document.target.changed is not None and row.finding.state in (State.NEW, State.UPDATED)


def _annotation(level: str, row: FindingRow, lines: tuple[int, int]) -> str:
    finding = row.finding
    properties = [
        f"file={_property(finding.location.path)}",
        f"line={lines[0]}",
        f"endLine={lines[1]}",
        f"title={_property(f'{finding.severity}: {finding.title}')}",
    ]
    told = "; ".join(filter(None, (row.why, row.due and f"due {row.due}", row.fix and f"fix: {row.fix}")))
    return f"::{level} {','.join(properties)}::{_data(told or finding.title)}"


def _property(text: str) -> str:
    return command_text(cut(text, MAX_TEXT), property=True)


def _data(text: str) -> str:
    return command_text(cut(text, MAX_TEXT))
