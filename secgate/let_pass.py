"""Why a finding was let pass, in kinds that nobody should add up: accepted risk is none of the others.

A false positive, and what cannot be affected, is no risk that somebody took; a comment in the source has no second
person behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from secgate.model import RunDocument, Verdict, WaiverAccount, Word

Kind: TypeAlias = Literal["accept", "false-positive", "not-affected", "in-source", "exempt"]

WORDS: Mapping[Kind, str] = {
    "accept": "accepted risk",
    "false-positive": "false positive",
    "not-affected": "not affected",
    "in-source": "comment in the source",
    "exempt": "exempt by the organisation's policy",
}
"""In the order in which they are shown."""

COMMENTS = "data.secgate.lib.source"
"""What speaks as the rule where a comment in the source lets a finding pass."""


def accounts_by_finding(document: RunDocument) -> dict[str, WaiverAccount]:
    """Give how waivers stood, by the fingerprint of the finding that each is about."""
    return {one.fingerprint: one for one in document.waivers if one.fingerprint}


def kind_of(verdict: Verdict | None, account: WaiverAccount | None) -> Kind | None:
    """Give why a finding was let pass, None for one that was not."""
    if verdict is None or verdict.word not in (Word.WAIVED, Word.EXEMPT):
        return None
    if verdict.word is Word.EXEMPT:
        return "exempt"
    if verdict.rule == COMMENTS:
        return "in-source"
    # A run that was recorded before waivers were kept with it does not tell the kind: then it was a risk.
    return account.kind if account is not None else "accept"


def counts(document: RunDocument) -> dict[str, int]:
    """Give how many findings were let pass for each reason, every kind named."""
    held = accounts_by_finding(document)
    found = dict.fromkeys((str(kind) for kind in WORDS), 0)
    for verdict in document.decision.verdicts if document.decision is not None else ():
        kind = kind_of(verdict, held.get(verdict.id)) if verdict.subject == "finding" else None
        if kind is not None:
            found[kind] += 1
    return found
