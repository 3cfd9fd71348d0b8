"""The stored run as SARIF 2.1.0: within what GitHub code scanning takes, or whole."""

from __future__ import annotations

from functools import cached_property

from secgate.crosswalk import Crosswalk, load_crosswalk
from secgate.escape import json_text
from secgate.model import RunDocument
from secgate.ports import Rendered
from secgate.resources import data_dir
from secgate.sarif import GITHUB, Limits, write


class SarifReporter:
    """SARIF 2.1.0: a run per tool with its results, severities, states, suppressions and gaps; what GitHub takes."""

    name = "sarif"
    suffix = ".sarif"
    limits: Limits | None = GITHUB

    def render(self, document: RunDocument, *, width: int, colour: bool) -> bytes:
        """Give compact SARIF with a line end."""
        del width, colour
        return self.rendered(document).data

    def rendered(self, document: RunDocument) -> Rendered:
        """Give compact SARIF with a line end, and what is left out of it."""
        written = write(document, describe=self._crosswalk.describe, limits=self.limits)
        return Rendered(json_text(written.data) + b"\n", written.left_out)

    @cached_property
    def _crosswalk(self) -> Crosswalk:
        rules = data_dir("rules")
        return load_crosswalk((rules / "crosswalk.json").read_bytes(), (rules / "severity.json").read_bytes())


class WholeSarifReporter(SarifReporter):
    """SARIF 2.1.0 with every result, however many."""

    name = "sarif-all"
    limits = None
