"""Which of several rules of one set said a thing: each is given a set of its own, and the layer is asked once more.

The text is cut at the spans of the syntax tree, so what is asked is the policy as it is written, under other names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from heapq import nsmallest
from itertools import islice

import msgspec
from msgspec import Raw, Struct

from secgate.errors import PolicyError
from secgate.model import Spoken, Verdict, Word
from secgate.policy.documents import Element, FindingFacts, InputDocument, LayerDecision
from secgate.policy.joining import Ruled, joined
from secgate.policy.layers import Layer
from secgate.policy.sources import RuleSource, facts_read
from secgate.ports import PolicyModule

QUERY = "data.secgate.rules"
_MARK = "_secgate_at_"

_SHOWN_BESIDE = frozenset(
    (
        "fingerprint",
        "path",
        "line",
        "symbol",
        "weakness",
        "name",
        "version",
        "fixed_versions",
        "findings",
        "gaps",
        "obligations",
    )
)
"""Facts that helpers read to name a place or a duty: every finding shows them anyway."""
_MAX_VALUE, _MAX_ITEMS = 200, 20


MAX_EXPLAINED = 2_000
"""Findings, the worst first, and gaps whose rules and facts are told apart: those of the rest are named together."""

Heads = Mapping[tuple[str, str, Element], Sequence[RuleSource]]
"""By rule, set and element: the rules that said it."""

_STRICTEST = {word: rank for rank, word in enumerate(Word)}
_NO_FACTS: dict[str, str] = {}
"""One for all: of a large run most findings have none."""


def heads_of(layer: Layer, rule: str, word: str) -> tuple[RuleSource, ...]:
    """Give the rules of a package (`data.secgate.rules.NAME`) that add to the set `word`, in the order of the text."""
    return tuple(one for one in layer.sources if one.rule == rule and one.set == word)


def places(layer: Layer, heads: Iterable[RuleSource]) -> str:
    """Give `file:line`, or all that may be meant where it cannot be told which one spoke."""
    folder = "policies/" if layer.name == "shipped" else ""
    return " or ".join(dict.fromkeys(folder + head.place for head in heads))


def unclear(layer: Layer, decision: LayerDecision) -> set[tuple[str, str]]:
    """Give the (rule, set) pairs that spoke and of which it is not plain which of their rules did."""
    spoke = {(group.rule, group.set) for group in decision.said}
    return {pair for pair in spoke if len(heads_of(layer, *pair)) > 1}


def about(document: InputDocument, decision: LayerDecision, wanted: Collection[tuple[str, str]]) -> InputDocument:
    """Give the document with no more findings and gaps than `wanted` spoke of, and not more than are told apart."""
    elements = [said for group in decision.said if (group.rule, group.set) in wanted for said in group.elements]
    findings, gaps = {one.finding for one in elements}, {one.gap for one in elements}
    return msgspec.structs.replace(
        document,
        findings=_worst(document.findings, findings),
        gaps=tuple(islice((one for one in document.gaps if one.id in gaps), MAX_EXPLAINED)),
    )


def _worst(findings: Iterable[FindingFacts], spoken_of: Collection[str | None]) -> tuple[FindingFacts, ...]:
    """Give the findings that were spoken of, the worst first, as lists of findings are ordered; no more than apart."""
    chosen = (one for one in findings if one.fingerprint in spoken_of)
    return tuple(nsmallest(MAX_EXPLAINED, chosen, key=_rank))


def _rank(one: FindingFacts) -> tuple[int, str, int, str]:
    return -one.score_x10, one.path or one.symbol, one.line, one.fingerprint


def apart(
    layer: Layer, wanted: Collection[tuple[str, str]], *, without: Collection[str] = ()
) -> tuple[PolicyModule, ...]:
    """Give the layer's rule modules with a set of its own for each rule of the (rule, set) pairs in `wanted`.

    A package that reads back its own set is left as it is: under another name it would mean another thing.
    """
    cuts: dict[str, list[tuple[int, int, str]]] = {}
    read = {use for uses in layer.uses.values() for use in uses}
    for number, head in enumerate(layer.sources):
        reads_back = f"{head.package}.{head.set}" in read
        if (head.rule, head.set) in wanted and not reads_back:
            cuts.setdefault(head.path, []).append((head.start, head.end, _apart_name(head, number)))
    return tuple(
        PolicyModule(path=module.path, text=_cut(module.text, cuts[module.path])) if module.path in cuts else module
        for module in layer.rule_modules(without=without)
    )


def _apart_name(head: RuleSource, number: int) -> str:
    return f"{head.set}{_MARK}{number}"


def _cut(text: str, cuts: Sequence[tuple[int, int, str]]) -> str:
    data = text.encode()
    for start, end, name in sorted(cuts, reverse=True):
        data = data[:start] + name.encode() + data[end:]
    return data.decode()


def spoken_by(layer: Layer, answer: bytes) -> dict[tuple[str, str, Element], list[RuleSource]]:
    """Give, by rule, set and element, the heads that said it. Raises PolicyError for an answer of another form."""
    found: dict[tuple[str, str, Element], list[RuleSource]] = {}
    names = {_apart_name(head, number): head for number, head in enumerate(layer.sources)}
    try:
        packages = msgspec.json.decode(answer, type=dict[str, dict[str, Raw]])
        for values in packages.values():
            for name, value in values.items():
                head = names.get(name)
                if head is None:
                    continue
                for element in msgspec.json.decode(value, type=list[Element]):
                    found.setdefault((head.rule, head.set, element), []).append(head)
    except (msgspec.DecodeError, RecursionError) as error:
        raise PolicyError(f"the {layer.name} layer's rules cannot be told apart: {error}") from error
    return found


def told(ruled: Sequence[Ruled]) -> list[Verdict]:
    """Give the joined verdicts, sorted by subject; findings' with those who spoke, where the text alone tells who.

    Without facts: those are told of the worst findings of the whole run, in `with_speech`. So this is of a part what it
    is of the whole.
    """
    said: dict[str, tuple[Spoken, ...]] = {}
    several = set()
    for one in ruled:
        for group in one.decision.said:
            if not _is_plain(one.layer, group.rule, group.set):
                continue
            word, place = Word(group.set), places(one.layer, heads_of(one.layer, group.rule, group.set))
            for name, (first, count) in _by_finding(group.elements).items():
                spoken = Spoken(
                    rule=group.rule,
                    layer=one.layer.name,
                    word=word,
                    place=place,
                    reason=_together(first.reason, count),
                    remedy=first.remedy,
                    facts=_NO_FACTS,
                )
                if name in said:
                    several.add(name)
                    said[name] += (spoken,)
                else:
                    said[name] = (spoken,)
    return joined(ruled, said=said | {name: tuple(sorted(said[name], key=_order)) for name in several})


def with_speech(
    verdicts: Sequence[Verdict],
    ruled: Sequence[Ruled],
    *,
    heads: Mapping[str, Heads],
    document: InputDocument,
    data: bytes,
) -> tuple[Verdict, ...]:
    """Give what `told` gave with every rule that spoke on a subject, the strictest first, and the facts that it read.

    `heads`, by layer, tell which of several rules of a set spoke, where that was found out.
    """
    speech = _Speech(ruled, document, msgspec.json.decode(data, type=dict[str, object]))
    more: dict[tuple[str, str], list[Spoken]] = {}
    for one in ruled:
        told_apart = heads.get(one.layer.name, {})
        for rule, word, elements in _left(one, now_epoch_s=document.evaluated_at_epoch_s):
            for subject, spoken in speech.of(one.layer, told_apart, rule, word, elements):
                more.setdefault(subject, []).append(spoken)
    # Most verdicts stay as they are, and of a large run there are many.
    names = {name for _, name in more} | speech.explained
    found = list(verdicts)
    for number, verdict in enumerate(found):
        if verdict.id in names:
            said = (*speech.with_facts(verdict), *more.get((verdict.subject, verdict.id), ()))
            found[number] = msgspec.structs.replace(verdict, said=tuple(sorted(said, key=_order)))
    return tuple(found)


def _order(one: Spoken) -> tuple[int, str, str, str]:
    return _STRICTEST[one.word], one.layer, one.rule, one.place


def _is_plain(layer: Layer, rule: str, word: str) -> bool:
    """Tell whether the text has no more than one rule that says this."""
    return len(heads_of(layer, rule, word)) <= 1


def _by_finding(elements: Iterable[Element]) -> dict[str, tuple[Element, int]]:
    """Give the first element of each finding, and how many there are of it."""
    found: dict[str, tuple[Element, int]] = {}
    for element in elements:
        name = element.finding
        if name is not None:
            held = found.get(name)
            found[name] = (element, 1) if held is None else (held[0], held[1] + 1)
    return found


def _left(one: Ruled, *, now_epoch_s: int) -> Iterator[tuple[str, Word, Sequence[Element]]]:
    """Give what `told` says nothing of; an exemption that still holds speaks like an element."""
    for group in one.decision.said:
        left: Sequence[Element] = group.elements
        if _is_plain(one.layer, group.rule, group.set):
            left = [element for element in left if element.finding is None]
        if left:
            yield group.rule, Word(group.set), left
    exempt: dict[str, list[Element]] = {}
    for exemption in (given for given in one.decision.exemptions if given.expires_epoch_s > now_epoch_s):
        element = Element(finding=exemption.finding, reason=exemption.reason)
        exempt.setdefault(exemption.rule, []).append(element)
    for rule, elements in exempt.items():
        yield rule, Word.EXEMPT, elements


def _together(reason: str, count: int) -> str:
    """Give what so many elements say together: the first one's reason stands for the others."""
    return f"{reason} (and {count - 1} more)" if count > 1 else reason


class _Speech:
    """Says who spoke, where that is written and what it read."""

    def __init__(self, ruled: Sequence[Ruled], document: InputDocument, data: Mapping[str, object]) -> None:
        self._document = document
        self._data = data
        spoken_of = {said.finding for one in ruled for group in one.decision.said for said in group.elements}
        spoken_of.update(one.finding for said in ruled for one in said.decision.exemptions)
        self._findings = {one.fingerprint: one for one in _worst(document.findings, spoken_of)}
        self._layers: dict[str, Layer] = {one.layer.name: one.layer for one in ruled}
        self._uses = {name: read for one in ruled for name, read in one.layer.uses.items()}
        self._read: dict[RuleSource, list[str]] = {}
        self._common: dict[str, str | None] = {}

    def of(
        self, layer: Layer, told: Heads, rule: str, word: Word, elements: Sequence[Element]
    ) -> Iterator[tuple[tuple[str, str], Spoken]]:
        """Give (subject, what was said) once for each subject and place; the first reason stands for the others."""
        name = "exempt" if word is Word.EXEMPT else word.value
        every = heads_of(layer, rule, name)
        everywhere = places(layer, every)
        apart = {element: heads for (of, added, element), heads in told.items() if (of, added) == (rule, name)}
        groups: dict[tuple[str, str, str], tuple[Element, Sequence[RuleSource], int]] = {}
        heads: Sequence[RuleSource]
        for element in elements:
            heads, place = every, everywhere
            if apart and element in apart:
                heads = apart[element]
                place = places(layer, heads)
            key = (*_subject(element), place)
            held = groups.get(key)
            groups[key] = (element, heads, 1) if held is None else (held[0], held[1], held[2] + 1)
        for (subject, known, place), (first, heads, count) in groups.items():
            yield (
                (subject, known),
                Spoken(
                    rule=rule,
                    layer=layer.name,
                    word=word,
                    place=place,
                    reason=_together(first.reason, count),
                    remedy=first.remedy,
                    facts=self._facts(heads, known) if subject != "finding" or known in self._findings else {},
                ),
            )

    @property
    def explained(self) -> AbstractSet[str]:
        """Fingerprints of the findings that facts are told of."""
        return self._findings.keys()

    def with_facts(self, verdict: Verdict) -> Sequence[Spoken]:
        """Give what was said already, with facts where it is one of the worst findings."""
        if verdict.subject != "finding" or verdict.id not in self._findings:
            return verdict.said
        return [
            msgspec.structs.replace(
                one, facts=self._facts(heads_of(self._layers[one.layer], one.rule, one.word.value), verdict.id)
            )
            for one in verdict.said
        ]

    def _facts(self, heads: Sequence[RuleSource], known: str) -> dict[str, str]:
        """Give the facts that rules read, by name without `input`, `data` and `finding`, each in a short text."""
        for head in heads:
            if head not in self._read:
                self._read[head] = facts_read(head, self._uses, helpers_not=_SHOWN_BESIDE)
        finding = self._findings.get(known)
        told: dict[str, str] = {}
        for name in sorted({fact for head in heads for fact in self._read[head]}):
            root, _, rest = name.partition(".")
            text = _told(finding, rest) if root == "finding" else self._of_all(name, root, rest)
            if text is not None:
                told[rest] = text
        return told

    def _of_all(self, name: str, root: str, rest: str) -> str | None:
        """Give a fact that is the same for every finding; each is put into words once."""
        if name not in self._common:
            above = {"input": self._document, "data": self._data}.get(root)
            self._common[name] = _told(above, rest)
        return self._common[name]


def _subject(element: Element) -> tuple[str, str]:
    if element.finding is not None:
        return "finding", element.finding
    return ("lane", element.lane.value) if element.lane is not None else ("run", "run")


def _told(value: object, path: str) -> str | None:
    """Give what lies at `path` below a value in a few words; None where there is nothing to say."""
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else getattr(value, part, None)
    text = "" if value is None else _text(value)
    return text[:_MAX_VALUE] if text or value == "" else None


def _text(value: object) -> str:
    """Give a value in a few words, the first ones of a long list; "" for one that is made of further facts."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(one)}" for key, one in islice(value.items(), _MAX_ITEMS))
    if isinstance(value, list | tuple):
        if any(isinstance(one, Struct) for one in value[:1]):
            return ""
        return ", ".join(map(_text, value[:_MAX_ITEMS])) or "none"
    return "" if isinstance(value, Struct) else str(value)[:_MAX_VALUE]
