"""A large run in parts: the findings in turn, all else in each; and what a layer said of the parts as one decision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Literal

import msgspec

from secgate.policy.documents import (
    AddedByRule,
    Duty,
    Element,
    FindingFacts,
    InputDocument,
    LayerDecision,
    SaidByRule,
)

PART_FINDINGS = 17_000
"""The most that one part holds. Two at a time then take less memory than the whole, and starting costs little."""
SMALL_PART_FINDINGS = 6_000
"""The same where a run's own values take much of the memory that there is: starting costs little beside those too."""
_MANY_FINDINGS = 6 * PART_FINDINGS

_Set = Literal["deny", "inconclusive", "warn"]
_WORDS = ("deny", "inconclusive", "warn")


def split(document: InputDocument, *, most: int | None = None) -> list[InputDocument]:
    """Give the parts that `Stated.parts` does of what is stated already."""
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

    def parts(self, *, most: int | None = None) -> Iterator[InputDocument]:
        """Give the parts, an even number of at most `most` findings each, in the order of the findings.

        `most` is what suits their number where it is not given. Of more than two parts the first and the last ones are
        halves: two that are judged at a time begin sooner, and neither is left alone for long.
        """
        most = most or (PART_FINDINGS if self.count <= _MANY_FINDINGS else SMALL_PART_FINDINGS)
        number = 2 * -(-self.count // (2 * most))
        size = -(-self.count // max(number, 1))
        half = -(-size // 2)
        sizes = [half, half, *[size] * (number - 2), half, half] if number > 2 else [size] * number
        start = 0
        while start < self.count:
            end = start + sizes.pop(0)
            yield msgspec.structs.replace(self.frame, findings=self._between(start, end))
            start = end

    @cached_property
    def whole(self) -> InputDocument:
        """The document with every finding."""
        return msgspec.structs.replace(self.frame, findings=self._between(0, self.count))

    def _between(self, start: int, end: int) -> tuple[FindingFacts, ...]:
        """Give the findings from `start` on and before `end`."""
        self._stated += islice(self._waiting, max(0, end - len(self._stated)))
        return tuple(self._stated[start:end])


def joined(decisions: Sequence[LayerDecision]) -> LayerDecision | None:
    """Give the decision that one layer makes on the whole, from those that it made on all the parts, in their order.

    None where it does not say the same of lanes and of the run in each part: then they depend on the findings.
    """
    first = decisions[0]
    verdicts = [[one for one in decision.verdicts if one.subject != "finding"] for decision in decisions]
    others = [_said(decision, of_findings=False) for decision in decisions]
    if any(one != verdicts[0] for one in verdicts) or any(one != others[0] for one in others):
        return None
    found = [group for decision in decisions for group in _said(decision, of_findings=True)]
    return msgspec.structs.replace(
        first,
        verdicts=(
            *(one for decision in decisions for one in decision.verdicts if one.subject == "finding"),
            *verdicts[0],
        ),
        alike=tuple(one for decision in decisions for one in decision.alike),
        added=added_together(one for decision in decisions for one in decision.added),
        superseded=tuple(one for decision in decisions for one in decision.superseded),
        exemptions=tuple(one for decision in decisions for one in decision.exemptions),
        said=tuple(sorted(said_together((*found, *others[0])), key=_order)),
    )


def said_together(groups: Iterable[SaidByRule]) -> tuple[SaidByRule, ...]:
    """Give one group for each rule and set, in the order in which they first come."""
    found: dict[tuple[str, _Set], list[Element]] = {}
    for one in groups:
        found.setdefault((one.rule, one.set), []).extend(one.elements)
    return tuple(SaidByRule(rule=rule, set=word, elements=tuple(said)) for (rule, word), said in found.items())


def added_together(groups: Iterable[AddedByRule]) -> tuple[AddedByRule, ...]:
    """Give one group for each rule, in the order in which they first come."""
    found: dict[str, list[Duty]] = {}
    for one in groups:
        found.setdefault(one.rule, []).extend(one.obligations)
    return tuple(AddedByRule(rule=rule, obligations=tuple(duties)) for rule, duties in found.items())


def _said(decision: LayerDecision, *, of_findings: bool) -> list[SaidByRule]:
    """Give what was said of findings, or of anything else."""
    return [
        SaidByRule(rule=one.rule, set=one.set, elements=elements)
        for one in decision.said
        if (elements := tuple([said for said in one.elements if (said.finding is not None) is of_findings]))
    ]


def _order(group: SaidByRule) -> tuple[str, int]:
    """Order as `secgate.main` does: by rule and set. Within those the parts follow each other."""
    return group.rule, _WORDS.index(group.set)
