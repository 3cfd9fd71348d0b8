"""The stored run as JSON: the document itself, with exit code and counts at the top for scripts."""

from __future__ import annotations

from typing import Literal

import msgspec

from secgate.escape import json_text
from secgate.explanation import Explanation, blocked
from secgate.let_pass import counts
from secgate.model import Outcome, Overridden, RunDocument, Value
from secgate.summary import summarise

MAX_EXPLAINED = 2_000
"""Findings that are explained, the worst first; the run has all."""


class RunFormat(Value, frozen=True, kw_only=True):
    """Which form a document has; a version grows by additions alone."""

    name: Literal["secgate-run"] = "secgate-run"
    version: Literal[1] = 1


class RunReport(Value, frozen=True, kw_only=True):
    """What `secgate run --format json` writes: the stored document as `run`, and before it what scripts ask for."""

    format: RunFormat
    outcome: Outcome | None
    """None for a scan that nobody judged."""
    all_outcomes: tuple[Outcome, ...]
    exit_code: int
    sentence: str
    counts: dict[str, int]
    """Findings by severity."""
    let_pass: dict[str, int]
    """Findings that were let pass, by why."""
    to_green: tuple[str, ...]
    blocked: tuple[Explanation, ...]
    override: Overridden | None
    run: RunDocument


class JsonReporter:
    """The whole run document, with outcome, counts and what blocks, explained, at the top."""

    name = "json"
    suffix = ".json"

    def render(self, document: RunDocument, *, width: int, colour: bool) -> bytes:
        """Give one JSON object; `run` is the stored document, unchanged."""
        del width, colour
        summary = summarise(document)
        decision = document.decision
        whole = RunReport(
            format=RunFormat(),
            outcome=decision.outcome if decision else None,
            all_outcomes=decision.all_outcomes if decision else (),
            exit_code=summary.exit_code,
            sentence=summary.sentence,
            counts=dict(summary.counts),
            let_pass=counts(document),
            to_green=summary.to_green,
            blocked=blocked(document, most=MAX_EXPLAINED),
            override=decision.override if decision else None,
            run=document,
        )
        return json_text(msgspec.json.format(msgspec.json.encode(whole, order="sorted"), indent=2)) + b"\n"
