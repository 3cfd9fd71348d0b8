"""The stored run as JSON: the document itself, with exit code and counts at the top for scripts."""

from __future__ import annotations

import msgspec

from secgate.escape import json_text
from secgate.explanation import blocked
from secgate.let_pass import counts
from secgate.model import RunDocument
from secgate.summary import summarise

MAX_EXPLAINED = 2_000
"""Findings that are explained, the worst first; the run has all."""


class JsonReporter:
    """The whole run document, with outcome, counts and what blocks, explained, at the top."""

    name = "json"
    suffix = ".json"

    def render(self, document: RunDocument, *, width: int, colour: bool) -> bytes:
        """Give one JSON object; `run` is the stored document, unchanged."""
        del width, colour
        summary = summarise(document)
        decision = document.decision
        whole = {
            "all_outcomes": list(decision.all_outcomes) if decision else [],
            "counts": dict(summary.counts),
            "blocked": blocked(document, most=MAX_EXPLAINED),
            "exit_code": summary.exit_code,
            "format": {"name": "secgate-run", "version": 1},
            "outcome": decision.outcome if decision else None,
            "override": decision.override if decision else None,
            "run": document,
            "sentence": summary.sentence,
            "to_green": list(summary.to_green),
            "let_pass": counts(document),
        }
        return json_text(msgspec.json.format(msgspec.json.encode(whole, order="sorted"), indent=2)) + b"\n"
