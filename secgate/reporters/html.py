"""The stored run as one page that opens offline: no script, no address outside, everything from outside escaped.

The templates are `reports/run.html.j2` and `reports/style.css`. The page's content security policy allows its own
style by digest and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable

from secgate.escape import plain
from secgate.explanation import Explanation, explain_finding
from secgate.fact_words import facts_words
from secgate.let_pass import WORDS
from secgate.model import Finding, Outcome, RunDocument, Severity, Value
from secgate.resources import data_dir
from secgate.sla import utc_words
from secgate.summary import (
    FindingRow,
    number_words,
    pinpoint,
    rule_words,
    severity_words,
    short_rule,
    summarise,
)

MAX_FULL = 2_000
"""Findings shown in full by default."""
MAX_ROWS = 2_000
"""Rows of any table."""
MAX_STEPS = 100
MAX_TEXT = 2_000
"""Characters of any one text."""
_MARKS = {Outcome.PASS: "✓", Outcome.INCONCLUSIVE: "?", None: "·"}
_TONES = {Outcome.PASS: "good", Outcome.INCONCLUSIVE: "unsure", None: "neutral"}
_SEVERITIES = [severity.value for severity in Severity]


class CodeLine(Value, frozen=True, kw_only=True):
    """One line of an excerpt; `flagged` where the finding is."""

    number: str
    text: str
    flagged: bool


class Shown(Value, frozen=True, kw_only=True):
    """One finding with what the page adds: its anchor and its code."""

    row: FindingRow
    anchor: str
    told: Explanation
    code: tuple[CodeLine, ...] = ()


class HtmlReporter:
    """One self-contained page that opens offline, in a strict content policy.

    `max_full` is the number of findings shown in full, the worst first; the page names the rest.
    """

    name = "html"
    suffix = ".html"

    def __init__(self, *, max_full: int = MAX_FULL) -> None:
        self._max_full = max_full

    def render(self, document: RunDocument, *, width: int, colour: bool) -> bytes:
        """Give a whole HTML document in UTF-8; the same bytes for an equal document and version of secgate."""
        del width, colour
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
        from markupsafe import Markup

        environment = Environment(
            loader=FileSystemLoader(str(data_dir("reports"))),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_finalize,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.filters.update(
            facts=facts_words,
            many=number_words,
            rule=rule_words,
            severity=severity_words,
            short=short_rule,
            utc=utc_words,
        )
        style = (data_dir("reports") / "style.css").read_text(encoding="utf-8")
        summary = summarise(document)
        page = environment.get_template("run.html.j2").render(
            anchor=anchor,
            blocking=[_shown(row, document) for row in summary.blocking[: self._max_full]],
            document=document,
            let_pass=WORDS,
            mark=_MARKS.get(summary.outcome, "✕"),
            max_rows=MAX_ROWS,
            max_steps=MAX_STEPS,
            severities=_SEVERITIES,
            # The digest is of the text as it stands between the tags.
            style=Markup(style),  # noqa: S704 - our own file
            style_digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
            summary=summary,
            tone=_TONES.get(summary.outcome, "bad"),
        )
        # Printed into a log the page must be as inert as on a screen.
        return re.sub(r"##(?=[A-Za-z]*\[)", "&#35;#", page).encode("utf-8", "replace")


def anchor(finding: Finding) -> str:
    """Give the id of a finding on the page; it depends on the fingerprint alone, so links last."""
    known = re.fullmatch(r"[0-9a-f]{16,}", finding.fingerprint)
    name = finding.fingerprint if known else hashlib.sha256(finding.fingerprint.encode()).hexdigest()
    return f"finding-{name[:16]}"


def _shown(row: FindingRow, document: RunDocument) -> Shown:
    finding = row.finding
    code = tuple(_code_lines(document.excerpts.get(finding.fingerprint, ""), finding))
    told = explain_finding(finding, row.verdict, document)
    return Shown(row=row, anchor=anchor(finding), told=told, code=code)


def _code_lines(excerpt: str, finding: Finding) -> Iterable[CodeLine]:
    region = pinpoint(finding).region
    for line in excerpt.split("\n") if excerpt else ():
        number, tab, text = line.partition("\t")
        if not tab or not number.isdecimal():
            yield CodeLine(number="", text=line, flagged=False)
            continue
        flagged = region.start_line <= int(number) <= max(region.end_line, region.start_line)
        yield CodeLine(number=number, text=text.expandtabs(4), flagged=flagged)


def _finalize(value: object) -> object:
    """Make every text that a template prints plain and of bounded length; what we marked as HTML stays."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    if len(value) > MAX_TEXT:
        value = f"{value[:MAX_TEXT]}… ({len(value) - MAX_TEXT:,} more characters in the JSON format)"
    return plain(value)
