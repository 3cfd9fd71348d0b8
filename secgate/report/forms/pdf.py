"""The report as PDF, from the same page: numbered, tagged, the same bytes in one environment. An extra."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from secgate.errors import UsageError
from secgate.report.document import Report
from secgate.report.forms import Files
from secgate.report.forms.html import page

_REMEDY = "pip install '.[pdf]' in the clone of secgate, with Pango on the machine; or print report.html from a browser"
# This module is imported when the form is asked for: what is missing is told before the long work, not after it.
try:
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher
except ImportError as missing:
    raise UsageError("the form pdf needs WeasyPrint, which is not here", place="--format", remedy=_REMEDY) from missing
except OSError as missing:
    raise UsageError(f"WeasyPrint does not start: {missing}", place="--format", remedy=_REMEDY) from missing


def render(report: Report) -> Files:
    """Give `report.pdf`."""
    with _nothing_collected():
        # The page names nothing outside itself; nothing would be fetched if it did.
        document = HTML(string=page(report), url_fetcher=URLFetcher(allowed_protocols=()))
        # No identifier of the file: for one, each object would be made and compressed twice. The report's own is on
        # every page.
        data = document.write_pdf(pdf_variant="pdf/ua-1")
    return {"report.pdf": bytes(data)}


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Keep the cyclic collector off for a while, and leave it as it was.

    A long report is laid out in some million boxes that all live until it is written: the collector goes through them
    again and again and finds next to nothing. Without it a quarter took a fifth less time and 2 % more memory.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
