"""A large run in parts: the findings in turn, all else in each; and what a layer said of the parts as one decision."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from secgate.policy.documents import InputDocument, LayerDecision, Said

PART_FINDINGS = 17_000
"""The most that one part holds. Two at a time then take less memory than the whole, and starting costs little."""

_WORDS = ("deny", "inconclusive", "warn")


def split(document: InputDocument, *, most: int = PART_FINDINGS) -> list[InputDocument]:
    """Give the parts, an even number of at most `most` findings each, in the order of the findings."""
    findings = document.findings
    count = 2 * -(-len(findings) // (2 * most))
    size = -(-len(findings) // max(count, 1))
    return [
        msgspec.structs.replace(document, findings=findings[start : start + size])
        for start in range(0, len(findings), max(size, 1))
    ]


def joined(decisions: Sequence[LayerDecision]) -> LayerDecision | None:
    """Give the decision that one layer makes on the whole, from those that it made on all the parts, in their order.

    None where it does not say the same of lanes and of the run in each part: then they depend on the findings.
    """
    first = decisions[0]
    verdicts = [[one for one in decision.verdicts if one.subject != "finding"] for decision in decisions]
    elements = [[one for one in decision.elements if one.element.finding is None] for decision in decisions]
    if any(one != verdicts[0] for one in verdicts) or any(one != elements[0] for one in elements):
        return None
    found = [one for decision in decisions for one in decision.elements if one.element.finding is not None]
    return msgspec.structs.replace(
        first,
        verdicts=(
            *(one for decision in decisions for one in decision.verdicts if one.subject == "finding"),
            *verdicts[0],
        ),
        obligations=tuple(one for decision in decisions for one in decision.obligations),
        superseded=tuple(one for decision in decisions for one in decision.superseded),
        exemptions=tuple(one for decision in decisions for one in decision.exemptions),
        elements=tuple(sorted((*found, *elements[0]), key=_order)),
    )


def _order(said: Said) -> tuple[str, int]:
    """Order as `secgate.main` does: by rule and set. Within those the parts follow each other."""
    return said.rule, _WORDS.index(said.set)
