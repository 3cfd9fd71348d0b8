"""A large run in parts: the findings in turn, all else in each; and what a layer said of the parts as one decision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice

import msgspec

from secgate.policy.documents import FindingFacts, InputDocument, LayerDecision, Said

PART_FINDINGS = 17_000
"""The most that one part holds. Two at a time then take less memory than the whole, and starting costs little."""

_WORDS = ("deny", "inconclusive", "warn")


def split(document: InputDocument, *, most: int = PART_FINDINGS) -> list[InputDocument]:
    """Give the parts, an even number of at most `most` findings each, in the order of the findings."""
    return list(Stated(document, document.findings, count=len(document.findings)).parts(most=most))


class Stated:
    """A run's document, whole and in parts. Its findings are stated in turn, each once.

    So the first parts can be judged before the last finding is stated.
    """

    def __init__(self, frame: InputDocument, findings: Iterable[FindingFacts], *, count: int) -> None:
        """`frame` has all but the findings, whose number is `count`."""
        self.frame = frame
        self.count = count
        self._waiting = iter(findings)
        self._stated: list[FindingFacts] = []

    def parts(self, *, most: int = PART_FINDINGS) -> Iterator[InputDocument]:
        """Give the parts, an even number of at most `most` findings each, in the order of the findings."""
        number = 2 * -(-self.count // (2 * most))
        size = -(-self.count // max(number, 1))
        for start in range(0, self.count, max(size, 1)):
            yield msgspec.structs.replace(self.frame, findings=tuple(self._until(start + size)[start:]))

    @cached_property
    def whole(self) -> InputDocument:
        """The document with every finding."""
        return msgspec.structs.replace(self.frame, findings=tuple(self._until(self.count)))

    def _until(self, end: int) -> list[FindingFacts]:
        """Give the findings before `end`."""
        self._stated += islice(self._waiting, max(0, end - len(self._stated)))
        return self._stated[:end]


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
