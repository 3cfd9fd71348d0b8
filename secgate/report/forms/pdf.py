"""The report as PDF, from the same page: numbered, tagged, the same bytes in one environment. An extra."""

from __future__ import annotations

import hashlib

from secgate.errors import UsageError
from secgate.report.document import Report
from secgate.report.forms import Files
from secgate.report.forms.html import page

REMEDY = "pip install 'secgate[pdf]', with Pango on the machine; or print report.html from a browser"


def render(report: Report) -> Files:
    """Give `report.pdf`. Raises UsageError where WeasyPrint, or a library that it needs, is not there."""
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except ImportError as error:
        raise UsageError("the form pdf needs WeasyPrint, which is not here", place="--format", remedy=REMEDY) from error
    except OSError as error:
        raise UsageError(f"WeasyPrint does not start: {error}", place="--format", remedy=REMEDY) from error
    text = page(report)
    # The page names nothing outside itself; nothing would be fetched if it did.
    document = HTML(string=text, url_fetcher=URLFetcher(allowed_protocols=()))
    identifier = hashlib.sha256(text.encode()).digest()[:16]
    data = document.write_pdf(pdf_identifier=identifier, pdf_variant="pdf/ua-1")
    return {"report.pdf": bytes(data)}
