"""What a run document shows beside what was found: duties just decided, lines of the source, how it was recorded."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from secgate.baseline import gives_way
from secgate.errors import LedgerError
from secgate.memory import Memory
from secgate.model import (
    OUTCOME_ORDER,
    Decision,
    Finding,
    Invocation,
    Obligation,
    Outcome,
    RunDocument,
    Source,
    Target,
)
from secgate.pipeline.looking import Looked, reader
from secgate.preparation import Workshop
from secgate.show import excerpts, line_hashes
from secgate.sla import length_words, many_entries

_NOTED_BEHIND_S = 60
"""Clocks of machines that share a ledger differ a little: only what is more than that is worth a note."""


def with_obligations(findings: tuple[Finding, ...], decision: Decision | None) -> tuple[Finding, ...]:
    """Show the duties that this decision adds beside those recorded before, and which of these it takes back."""
    if decision is None or not decision.obligations:
        return findings
    decided: dict[str, list[Obligation]] = {}
    for duty in decision.obligations:
        decided.setdefault(duty.finding, []).append(duty)
    return tuple(
        msgspec.structs.replace(one, obligations=_merged(one.obligations, decided[one.fingerprint]))
        if one.fingerprint in decided
        else one
        for one in findings
    )


def _merged(held: Sequence[Obligation], decided: Sequence[Obligation]) -> tuple[Obligation, ...]:
    taken = {(duty.basis, duty.start_epoch_s, duty.limit_s): duty for duty in decided if duty.superseded}
    kept = [taken.get((one.basis, one.start_epoch_s, one.limit_s), one) for one in held]
    added = [duty for duty in decided if not duty.superseded]
    return (*(_behind(one, added) for one in kept), *added)


def _behind(held: Obligation, added: Sequence[Obligation]) -> Obligation:
    """Give a duty as the ledger will have it: one that a baseline's new duty takes the place of counts no longer."""
    return msgspec.structs.replace(held, superseded=held.superseded or any(gives_way(held, duty) for duty in added))


def shown_excerpts(looked: Sequence[Looked], findings: Sequence[Finding]) -> dict[str, str]:
    """Give a few masked lines of each finding, by fingerprint."""
    shown: dict[str, str] = {}
    for part in looked:
        read = reader(part)
        mine = [one for one in findings if one.fingerprint not in shown and read(one.location) is not None]
        shown |= excerpts(mine, read, part.normalised.masker.lines)
    return shown


def shown_hashes(target: Target, head: Looked, findings: Sequence[Finding]) -> dict[str, dict[str, str]]:
    """Give what GitHub computes from its checkout: of an index, which may differ from any checkout, nothing."""
    if target.source is Source.INDEX or target.indexed:
        return {}
    return line_hashes(findings, reader(head), head.normalised.masker.cut)


def shown_notices(invocations: Sequence[Invocation], memory: Memory, shop: Workshop) -> tuple[str, ...]:
    """Give what is to be known of clock and ledger, of versions, and what adapters remarked, such as an index."""
    tools = [one.tool for one in invocations if one.tool is not None and not one.tool.tested]
    told = {f"{one.name}: {one.version or 'an unknown version'} is outside the tested versions" for one in tools}
    told |= {f"{one.scanner}: {notice}" for one in invocations for notice in one.notices}
    behind_s = memory.last_epoch_s - int(shop.now.timestamp())
    if behind_s >= _NOTED_BEHIND_S:
        told.add(f"clock: this machine's is {length_words(behind_s)} behind the ledger's last entry, whose time counts")
    if memory.skipped:
        many = f"{many_entries(memory.skipped)} of a type or version that this secgate does not know"
        told.add(f"ledger: it has {many}, written by a newer one: what they say, such as a duty, is not judged here")
    return tuple(sorted(told))


def noted(document: RunDocument, note: str) -> RunDocument:
    """Give the document with one more note."""
    return msgspec.structs.replace(document, notes=(*document.notes, note))


def failed_record(document: RunDocument, error: LedgerError) -> RunDocument:
    """Give the document of a run that could not be recorded: an outcome beside what was decided.

    Raises `error` where nothing was decided.
    """
    decision = document.decision
    if decision is None:
        raise error
    outcomes = {*decision.all_outcomes, Outcome.LEDGER_ERROR} - {Outcome.PASS}
    ordered = tuple(outcome for outcome in OUTCOME_ORDER if outcome in outcomes)
    failed = msgspec.structs.replace(decision, outcome=ordered[0], all_outcomes=ordered)
    lines = "; ".join(error.diagnostics())
    return noted(msgspec.structs.replace(document, decision=failed), f"the run could not be recorded: {lines}")
