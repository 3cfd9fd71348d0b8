"""What a run document shows beside what was found: duties that were just decided, and a few lines of the source."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from secgate.model import Decision, Finding
from secgate.pipeline.looking import Looked, reader
from secgate.show import excerpts


def with_obligations(findings: tuple[Finding, ...], decision: Decision | None) -> tuple[Finding, ...]:
    """Show the duties that this decision adds beside those recorded before."""
    if decision is None or not decision.obligations:
        return findings
    added: dict[str, list[object]] = {}
    for duty in decision.obligations:
        added.setdefault(duty.finding, []).append(duty)
    return tuple(
        msgspec.structs.replace(one, obligations=(*one.obligations, *added[one.fingerprint]))
        if one.fingerprint in added
        else one
        for one in findings
    )


def shown_excerpts(looked: Sequence[Looked], findings: Sequence[Finding]) -> dict[str, str]:
    """Give a few masked lines of each finding, by fingerprint."""
    shown: dict[str, str] = {}
    for part in looked:
        read = reader(part)
        mine = [one for one in findings if one.fingerprint not in shown and read(one.location) is not None]
        shown |= excerpts(mine, read, part.normalised.masker.lines)
    return shown
