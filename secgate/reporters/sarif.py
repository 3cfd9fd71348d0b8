"""The stored run as SARIF 2.1.0."""

from __future__ import annotations

from secgate.escape import json_text
from secgate.model import RunDocument
from secgate.sarif import write


class SarifReporter:
    """SARIF 2.1.0: a run per tool with its results, severities, states, suppressions and gaps."""

    name = "sarif"
    suffix = ".sarif"

    def render(self, document: RunDocument, *, width: int, colour: bool) -> bytes:
        """Give compact SARIF with a line end."""
        del width, colour
        return json_text(write(document)) + b"\n"
