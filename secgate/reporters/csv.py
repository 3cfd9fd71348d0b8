"""The stored run as a table of findings for a spreadsheet, one row each, every one of them."""

from __future__ import annotations

import csv
import io

from secgate.escape import csv_cell, cut
from secgate.model import RunDocument
from secgate.summary import FindingRow, summarise

COLUMNS = (
    "fingerprint",
    "lane",
    "weakness",
    "title",
    "severity",
    "score",
    "confidence",
    "state",
    "verdict",
    "why",
    "path",
    "line",
    "symbol",
    "package",
    "version",
    "fixed versions",
    "advisories",
    "cwes",
    "seen by",
    "due",
    "standing",
    "owner",
    "fix",
)


class CsvReporter:
    """One row a finding, for a spreadsheet; no cell is a formula."""

    name = "csv"
    suffix = ".csv"

    def render(self, document: RunDocument, *, width: int, colour: bool) -> bytes:
        """Give a header and rows, what blocks first. Source: RFC 4180, with UTF-8."""
        del width, colour
        summary = summarise(document)
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        rows = (*summary.blocking, *summary.others)
        writer.writerows([csv_cell(cut(cell)) for cell in _cells(row)] for row in rows)
        return text.getvalue().encode("utf-8", "replace")


def _cells(row: FindingRow) -> tuple[str, ...]:
    finding, package = row.finding, row.finding.package
    cwes = sorted({cwe for witness in finding.witnesses for cwe in witness.cwes})
    return (
        finding.fingerprint,
        finding.lane,
        finding.weakness,
        finding.title,
        finding.severity,
        f"{finding.score:.1f}",
        finding.confidence,
        finding.state,
        row.word,
        row.why,
        finding.location.path,
        str(row.line) if row.line else "",
        finding.symbol,
        package.name if package else "",
        package.version if package else "",
        " ".join(package.fixed_versions) if package else "",
        " ".join(finding.advisories),
        " ".join(f"CWE-{cwe}" for cwe in cwes),
        row.seen_by,
        row.due_at,
        row.standing,
        finding.owner,
        row.fix,
    )
