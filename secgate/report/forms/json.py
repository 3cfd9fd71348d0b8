"""The report as JSON: the whole document, each population's file, from which samples are drawn, and their entries."""

from __future__ import annotations

import msgspec

from secgate.escape import json_text
from secgate.report.document import Report
from secgate.report.forms import Files
from secgate.report.testing import json_lines

ENTRIES = "populations/entries.jsonl"


def render(report: Report) -> Files:
    """Give `report.json` and one file a population."""
    whole = msgspec.json.format(msgspec.json.encode(report, order="sorted"), indent=2)
    return {"report.json": json_text(whole) + b"\n", **population_files(report)}


def population_files(report: Report) -> Files:
    """Give each population's file, whose digest section 4 names, and the file of all entries that a row names."""
    files = {one.file: json_lines(one.items) for one in report.populations}
    return {**files, ENTRIES: json_lines(report.entries)}
