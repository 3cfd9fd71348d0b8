"""How a tool was started and how it ended, as SARIF invocations: what was not covered is a notification.

An invocation with a gap is not successful, whatever the tool said of itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from secgate.model import Gap, Invocation, ScanStatus
from secgate.sarif.limits import MAX_NOTICES, Cuts
from secgate.sarif.results import ROOT, uri, utc

LEFT_OUT = "secgate/left-out-here"
NOT_ENDED = "secgate/tool-did-not-complete"
NO_DECISION = "secgate/no-decision"
OVERRIDDEN = "secgate/overridden"
WORDS = {
    LEFT_OUT: "Something is left out of this file, though the run has it.",
    NOT_ENDED: "The tool did not complete.",
    NO_DECISION: "The gate could not decide.",
    "secgate/tool-missing": "The tool is not installed.",
    "secgate/tool-crashed": "The tool crashed.",
    "secgate/tool-timed-out": "The tool did not end in its time.",
    "secgate/output-unreadable": "What the tool wrote cannot be read.",
    "secgate/output-truncated": "The tool wrote more than is read.",
    "secgate/parse-error": "A file could not be parsed.",
    "secgate/too-large": "A file is too large.",
    "secgate/unpinned": "A dependency has no version that could be looked up.",
    "secgate/unsupported": "No tool looks at files of this kind.",
    "secgate/advisories-missing": "The advisories are not here.",
    "secgate/advisories-too-old": "The advisories are too old.",
}
_LEVELS = {"error": 0, "warning": 1, "note": 2}


def invocations(
    started: Sequence[Invocation], gaps: Sequence[Gap], notices: Sequence[tuple[str, str]], cuts: Cuts
) -> list[dict[str, Any]]:
    """Give the invocations of one run. Gaps and `notices`, (descriptor, text) pairs, go to the first one."""
    made = [_invocation(one) for one in started]
    told = [*_failures(started, cuts), *_gaps(gaps, cuts)]
    told.sort(key=lambda note: _LEVELS[note["level"]])
    said = [
        {
            "descriptor": {"id": kind},
            "level": "error" if kind == NO_DECISION else "warning",
            "message": {"text": cuts.clip(text)},
        }
        for kind, text in notices
    ]
    if len(told) > MAX_NOTICES:
        more = f"{len(told) - MAX_NOTICES} more notifications of this run are left out"
        said.append({"descriptor": {"id": LEFT_OUT}, "level": "warning", "message": {"text": more}})
    made[0]["toolExecutionNotifications"] = [*said, *told[:MAX_NOTICES]]
    if gaps or any(kind == NO_DECISION for kind, _ in notices):
        made[0]["executionSuccessful"] = False
    return made


def _invocation(one: Invocation) -> dict[str, Any]:
    ended = max(one.started_epoch_s + round(one.duration_s), one.started_epoch_s)
    made: dict[str, Any] = {
        "endTimeUtc": utc(ended),
        "executionSuccessful": one.status is ScanStatus.COMPLETED,
        "startTimeUtc": utc(one.started_epoch_s),
        "toolExecutionNotifications": [],
    }
    if one.exit_codes:
        made["exitCode"] = max(one.exit_codes, key=lambda code: (abs(code), code))
    return made


def _failures(started: Iterable[Invocation], cuts: Cuts) -> Iterator[dict[str, Any]]:
    for one in started:
        if one.status is not ScanStatus.COMPLETED:
            text = f"{one.scanner}: {one.status}: {one.reason or 'no reason given'}"
            yield {"descriptor": {"id": NOT_ENDED}, "level": "error", "message": {"text": cuts.clip(text)}}


def _gaps(gaps: Iterable[Gap], cuts: Cuts) -> Iterator[dict[str, Any]]:
    for gap in sorted(gaps, key=lambda g: (not g.touched, g.lane, g.path, g.tool, g.reason, g.detail)):
        what = gap.detail or gap.reason
        text = f"not covered: {what}" if gap.path else f"not covered: lane {gap.lane}: {what}"
        made: dict[str, Any] = {
            "descriptor": {"id": f"secgate/{gap.reason}"},
            "level": "note" if gap.waived else "error" if gap.touched else "warning",
            "message": {"text": cuts.clip(text)},
        }
        if gap.path:
            address = {"uri": uri(gap.path), "uriBaseId": ROOT}
            made["locations"] = [{"physicalLocation": {"artifactLocation": address}}]
        yield made
