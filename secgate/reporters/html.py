"""The stored run as one page that opens offline: no address outside, everything from outside escaped.

The templates are `reports/run.html.j2` and those that it names, beside them `style.css`, `run.css` and `run.js`. The
page's content security policy allows its own style and script by digest and nothing else; without the script, which
narrows down and sorts, all of it can be read.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from secgate import sla
from secgate.escape import plain
from secgate.explanation import Explanation, explain_finding
from secgate.fact_words import facts_words
from secgate.gaps import excluded
from secgate.let_pass import WORDS
from secgate.model import Finding, RunDocument, Severity, State, Value
from secgate.resources import data_dir
from secgate.summary import (
    FindingRow,
    mark_of,
    pinpoint,
    rule_words,
    severity_words,
    short_rule,
    summarise,
)
from secgate.trend import no_trend, trend

MAX_FULL = 2_000
"""Findings told in full by default."""
MAX_LISTED = 10_000
"""Findings with a row by default."""
MAX_OPEN = 3
"""So many that block are open from the start; of more, the first alone."""
ON_PAPER = 500
"""Findings that are printed in full though they are closed on the screen; of more, so many of those that are open."""
ROWS_ON_PAPER = 2_000
"""Findings of which paper has anything. Both numbers stand in the rules for print of `run.css` too."""
MAX_ROWS = 2_000
"""Rows of any table."""
FIRST_STEPS, MAX_STEPS = 6, 100
MAX_TEXT = 2_000
"""Characters of any one text."""
_SEVERITIES = [severity.value for severity in Severity]
_STATES = {"blocking": "blocking", "overdue": "overdue", "new": "new", "known": "known before", "waived": "let pass"}
_NEVER = 2**53 - 1
"""Later than any deadline, and a number to every script."""


class CodeLine(Value, frozen=True, kw_only=True):
    """One line of an excerpt; `flagged` where the finding is."""

    number: str
    text: str
    flagged: bool


class Item(Value, frozen=True, kw_only=True):
    """One finding with what the page adds. `told` is None where it has a row and no more.

    `states` are words that the page can narrow down to, `by_*` its places in other orders than the given one.
    """

    row: FindingRow
    anchor: str
    states: str
    by_severity: int
    by_due: int
    by_path: int
    told: Explanation | None = None
    code: tuple[CodeLine, ...] = ()
    open: bool = False


class Facets(Value, frozen=True, kw_only=True):
    """What the page can narrow down to, each with its number of findings; nothing that would leave none."""

    severities: tuple[tuple[str, int], ...]
    lanes: tuple[tuple[str, int], ...]
    states: tuple[tuple[str, str, int], ...]


class HtmlReporter:
    """One self-contained page that opens offline, in a strict content policy.

    `max_full` is the number of findings told in full, `max_listed` of those with a row, what matters most first; the
    page says how many it leaves out.
    """

    name = "html"
    suffix = ".html"

    def __init__(self, *, max_full: int = MAX_FULL, max_listed: int = MAX_LISTED) -> None:
        self._max_full, self._max_listed = max_full, max_listed

    def render(self, document: RunDocument, *, width: int, colour: bool) -> bytes:
        """Give a whole HTML document in UTF-8; the same bytes for an equal document and version of secgate."""
        del width, colour
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
        from markupsafe import Markup

        folder = data_dir("reports")
        environment = Environment(
            loader=FileSystemLoader(str(folder)),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_finalize,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.filters.update(
            facts=facts_words,
            many=sla.many,
            rule=rule_words,
            severity=severity_words,
            short=short_rule,
            utc=sla.utc_words,
        )
        style = "".join((folder / name).read_text(encoding="utf-8") for name in ("style.css", "run.css"))
        script = (folder / "run.js").read_text(encoding="utf-8")
        summary = summarise(document)
        mark, tone = mark_of(summary.outcome)
        rows = (*summary.blocking, *summary.others)[: self._max_listed]
        items = _items(rows, document, in_full=self._max_full)
        page = environment.get_template("run.html.j2").render(
            document=document,
            excluded=excluded(document.coverage.left_out),
            facets=_facets(items),
            first_steps=FIRST_STEPS,
            in_full=self._max_full,
            items=items,
            let_pass=WORDS,
            mark=mark,
            max_rows=MAX_ROWS,
            max_steps=MAX_STEPS,
            no_trend=no_trend(document),
            on_paper=ON_PAPER,
            rows_on_paper=ROWS_ON_PAPER,
            # Both are our own files, and the digests are of the texts as they stand between the tags.
            script=Markup(script),  # noqa: S704 - our own file
            script_digest=_digest(script),
            style=Markup(style),  # noqa: S704 - our own file
            style_digest=_digest(style),
            summary=summary,
            tone=tone,
            total=len(document.findings),
            trend=trend(document),
        )
        # Printed into a log the page must be as inert as on a screen.
        return re.sub(r"##(?=[A-Za-z]*\[)", "&#35;#", page).encode("utf-8", "replace")


def anchor(finding: Finding) -> str:
    """Give the id of a finding on the page; it depends on the fingerprint alone, so links last."""
    known = re.fullmatch(r"[0-9a-f]{16,}", finding.fingerprint)
    name = finding.fingerprint if known else hashlib.sha256(finding.fingerprint.encode()).hexdigest()
    return f"finding-{name[:16]}"


def _items(rows: Sequence[FindingRow], document: RunDocument, *, in_full: int) -> list[Item]:
    opened = MAX_OPEN if sum(row.blocking for row in rows) <= MAX_OPEN else 1
    in_order = sorted(
        range(len(rows)), key=lambda at: (rows[at].finding.location.path, pinpoint(rows[at].finding).region.start_line)
    )
    by_path = {at: place for place, at in enumerate(in_order)}
    items = []
    for at, row in enumerate(rows):
        finding, duty = row.finding, sla.earliest(row.finding.obligations)
        full = at < in_full
        items.append(
            Item(
                row=row,
                anchor=anchor(finding),
                states=" ".join(_states(row)),
                by_severity=_SEVERITIES.index(finding.severity.value),
                by_due=duty.due_epoch_s if duty else _NEVER,
                by_path=by_path[at],
                told=explain_finding(finding, row.verdict, document) if full else None,
                code=tuple(_code_lines(document.excerpts.get(finding.fingerprint, ""), finding)) if full else (),
                open=row.blocking and at < opened,
            )
        )
    return items


def _states(row: FindingRow) -> Iterable[str]:
    yield "new" if row.finding.state is State.NEW else "known"
    if row.blocking:
        yield "blocking"
    if row.overdue:
        yield "overdue"
    if row.passed_as is not None:
        yield "waived"


def _facets(items: Sequence[Item]) -> Facets:
    severities = Counter(item.row.finding.severity.value for item in items)
    lanes = Counter(item.row.finding.lane.value for item in items)
    states = Counter(state for item in items for state in item.states.split())
    return Facets(
        severities=tuple((name, severities[name]) for name in _SEVERITIES if severities[name]),
        lanes=tuple(sorted(lanes.items())),
        states=tuple((name, words, states[name]) for name, words in _STATES.items() if states[name]),
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


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
