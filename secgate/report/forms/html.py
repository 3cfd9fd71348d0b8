"""The report as one page that opens offline and prints: no script, no address outside, everything escaped.

The templates are `reports/report.html.j2`, `reports/chart.svg.j2` and the two styles. The page's content security
policy allows its own style by digest and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime

from secgate.escape import plain
from secgate.evidence import notes_once
from secgate.report.accounts import EntryReference
from secgate.report.charts import charts
from secgate.report.document import RESULT_WORDS, Report
from secgate.report.forms import Files
from secgate.report.words import days, facts_of, moment, percent
from secgate.resources import data_dir
from secgate.sla import many, utc_words

MAX_ROWS = 500
"""Rows of any table but those of exceptions, which are all shown."""
MAX_KEYS = 60
MAX_TEXT = 2_000
"""Characters of any one text."""
_MARKS = {"no_deviation": "○", "deviation": "▲", "not_tested": "?", "no_occurrence": "·", "not_applicable": "-"}


def render(report: Report) -> Files:
    """Give `report.html`, the same bytes for an equal report."""
    return {"report.html": page(report).encode("utf-8", "replace")}


def page(report: Report) -> str:
    """Give the whole page."""
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
        day=_day,
        days=days,
        facts=facts_of,
        many=many,
        percent=percent,
        spaced=_spaced,
        utc=utc_words,
        when=moment,
    )
    folder = data_dir("reports")
    style = "".join((folder / name).read_text(encoding="utf-8") for name in ("style.css", "report.css"))
    text = environment.get_template("report.html.j2").render(
        charts=charts(report),
        has_windows=any(one.unit == "repository_scanner_window" and one.lists for one in report.populations),
        leaves={EntryReference(ledger_id=one.ledger_id, sequence=one.sequence): one.leaf for one in report.entries},
        many_ledgers=len(report.integrity.ledgers) > 1,
        marks=_MARKS,
        max_keys=MAX_KEYS,
        max_rows=MAX_ROWS,
        notes=notes_once((one.assertion, one.notes) for one in report.populations),
        report=report,
        result_words=RESULT_WORDS,
        results={one.assertion: one for one in report.tests.results},
        # The digest is of the text as it stands between the tags.
        style=Markup(style),  # noqa: S704 - our own files
        style_digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )
    # Printed into a log the page must be as inert as on a screen.
    return re.sub(r"##(?=[A-Za-z]*\[)", "&#35;#", text)


def _day(epoch_s: int) -> str:
    return f"{datetime.fromtimestamp(epoch_s, tz=UTC):%Y-%m-%d}"


def _spaced(word: str) -> str:
    return word.replace("_", " ").replace("-", " ")


def _finalize(value: object) -> object:
    """Make every text that a template prints plain and of bounded length; what we marked as HTML stays."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    if len(value) > MAX_TEXT:
        value = f"{value[:MAX_TEXT]}… ({len(value) - MAX_TEXT:,} more characters in report.json)"
    return plain(value)
