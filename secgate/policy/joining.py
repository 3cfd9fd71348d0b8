"""Layers' decisions joined: one verdict per subject, the strictest word of any layer, and what that adds up to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import repeat
from typing import Literal

import msgspec
from msgspec import Struct

from secgate.model import OUTCOME_ORDER, Outcome, Spoken, Verdict, Word
from secgate.policy.documents import Alike, Exemption, GapFacts, InputDocument, LayerDecision, LayerVerdict
from secgate.policy.layers import Layer

_SUBJECTS: tuple[Literal["finding", "lane", "run"], ...] = ("finding", "lane", "run")
_STRICTEST = {word: rank for rank, word in enumerate(Word)}


class Ruled(Struct, frozen=True, kw_only=True):
    """What one layer decided, total and of the schema."""

    layer: Layer
    decision: LayerDecision


def joined(ruled: Sequence[Ruled], *, said: Mapping[str, tuple[Spoken, ...]] | None = None) -> list[Verdict]:
    """Give one verdict per subject, sorted by it: the strictest word of any layer, and every rule that spoke.

    `said` is what is known by fingerprint of who spoke.
    """
    found = []
    for subject in _SUBJECTS:
        strictest, rules = _strictest(ruled, subject)
        spoken = said if said and subject == "finding" else {}
        for name in sorted(strictest):
            word, layer = strictest[name]
            found.append(
                Verdict(
                    subject=subject,
                    id=name,
                    word=word.word,
                    rule=word.rule,
                    layer=layer,
                    reason=word.reason,
                    remedy=word.remedy,
                    all_rules=rules.get(name, ()),
                    said=spoken.get(name, ()),
                )
            )
    return found


def _strictest(
    ruled: Sequence[Ruled], subject: str
) -> tuple[dict[str, tuple[LayerVerdict | Alike, str]], dict[str, tuple[str, ...]]]:
    """Give the strictest verdict on each of one kind, with its layer, and the rules that spoke of it, sorted."""
    strictest: dict[str, tuple[LayerVerdict | Alike, str]] = {}
    rules: dict[str, tuple[str, ...]] = {}
    for number, one in enumerate(ruled):
        layer = one.layer.name
        for name, word in _verdicts(one.decision, subject, without_allow=number > 0):
            held = strictest.get(name)
            if held is None or (word.word is not held[0].word and _STRICTEST[word.word] < _STRICTEST[held[0].word]):
                strictest[name] = word, layer
            if word.all_rules:
                more = rules.get(name)
                is_sorted = more is None and len(word.all_rules) == 1
                rules[name] = word.all_rules if is_sorted else tuple(sorted({*(more or ()), *word.all_rules}))
    return strictest, rules


def _verdicts(
    decision: LayerDecision, subject: str, *, without_allow: bool
) -> Iterator[tuple[str, LayerVerdict | Alike]]:
    """Give the verdicts on subjects of one kind. Every layer speaks of each, and nothing is milder than to allow."""
    for one in decision.verdicts:
        if one.subject == subject and not (without_allow and one.word is Word.ALLOW):
            yield one.id, one
    for alike in decision.alike if subject == "finding" else ():
        if not (without_allow and alike.word is Word.ALLOW):
            yield from zip(alike.ids, repeat(alike))


def settled(
    verdicts: Sequence[Verdict], ruled: Sequence[Ruled], document: InputDocument
) -> tuple[list[Verdict], list[str]]:
    """Give joined verdicts as they count: open gaps and exemptions included, and what is to be said of the latter."""
    return _exempt(_close_gaps(verdicts, ruled, document), ruled, now_epoch_s=document.evaluated_at_epoch_s)


def outcomes_of(verdicts: Sequence[Verdict]) -> tuple[Outcome, ...]:
    """Give every outcome that holds, the one that counts first."""
    words = {verdict.word for verdict in verdicts}
    held = {
        Outcome.FAIL: Word.DENY in words,
        Outcome.INCONCLUSIVE: Word.INCONCLUSIVE in words,
        Outcome.PASS: not words & {Word.DENY, Word.INCONCLUSIVE},
    }
    return tuple(outcome for outcome in OUTCOME_ORDER if held.get(outcome, False))


def _close_gaps(verdicts: Sequence[Verdict], ruled: Sequence[Ruled], document: InputDocument) -> list[Verdict]:
    """Make a lane inconclusive for gaps that no policy speaks of; a repository's layer cannot speak for them."""
    if not document.gaps:
        return list(verdicts)
    above = [one.decision for one in ruled if one.layer.name != "repository"]
    spoken = {said.gap for decision in above for group in decision.said for said in group.elements}
    open_gaps: dict[str, list[GapFacts]] = {}
    for gap in document.gaps:
        if gap.id not in spoken:
            open_gaps.setdefault(gap.lane, []).append(gap)
    return [
        _closed(verdict, open_gaps[verdict.id]) if verdict.subject == "lane" and verdict.id in open_gaps else verdict
        for verdict in verdicts
    ]


def _closed(verdict: Verdict, gaps: Sequence[GapFacts]) -> Verdict:
    if _STRICTEST[verdict.word] <= _STRICTEST[Word.INCONCLUSIVE]:
        return verdict
    first = gaps[0]
    return msgspec.structs.replace(
        verdict,
        word=Word.INCONCLUSIVE,
        rule="secgate.main",
        layer="shipped",
        reason=f"no policy speaks of {len(gaps)} of its gaps; the first: {first.reason} {first.path}".rstrip(),
        remedy=first.remedy,
    )


def _exempt(
    verdicts: Sequence[Verdict], ruled: Sequence[Ruled], *, now_epoch_s: int
) -> tuple[list[Verdict], list[str]]:
    """Turn the joined denies that the organisation exempts into `exempt`, and say each."""
    if not any(one.decision.exemptions for one in ruled):
        return list(verdicts), []
    valid: dict[str, Exemption] = {}
    notes = []
    for exemption in sorted(
        (e for one in ruled for e in one.decision.exemptions), key=lambda e: (e.finding, e.expires_epoch_s, e.rule)
    ):
        if exemption.expires_epoch_s > now_epoch_s:
            valid[exemption.finding] = exemption
        else:
            notes.append(f"the exemption of {exemption.finding} by {exemption.rule} has expired: {exemption.reason}")
    kept = []
    for verdict in verdicts:
        found = valid.get(verdict.id) if verdict.subject == "finding" and verdict.word is Word.DENY else None
        if found is None:
            kept.append(verdict)
        else:
            kept.append(_exempted(verdict, found))
            notes.append(f"{found.rule} exempts {verdict.id}: {kept[-1].reason}")
    return kept, notes


def _exempted(verdict: Verdict, exemption: Exemption) -> Verdict:
    until = datetime.fromtimestamp(exemption.expires_epoch_s, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return msgspec.structs.replace(
        verdict,
        word=Word.EXEMPT,
        rule=exemption.rule,
        layer="organisation",
        reason=f"exempt until {until}: {exemption.reason} (else: {verdict.reason})",
        all_rules=tuple(sorted({*verdict.all_rules, exemption.rule})),
    )
