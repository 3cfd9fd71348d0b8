"""What the results of one run share about rules: descriptors by place, name and GUID, set levels, weaknesses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from secgate.model import Confidence, Rule
from secgate.sarif.parts import (
    Component,
    ComponentReference,
    Descriptor,
    InvocationPart,
    Level,
    Reference,
    ResultPart,
    Text,
    cwes_in,
)

# 3.52.4: how many parts a hierarchical id may have before nobody looks for a descriptor of its front.
_DEEPEST_ID = 64
_LEVELS: tuple[Level, ...] = ("none", "note", "warning", "error")
_PRECISION = {
    "very-high": Confidence.HIGH,
    "high": Confidence.HIGH,
    "medium": Confidence.MEDIUM,
    "low": Confidence.LOW,
}
_NUMBER = re.compile(r"(?:CWE-)?0*(\d{1,5})", re.IGNORECASE)
_NAMED = re.compile(r"CWE-0*(\d{1,5})", re.IGNORECASE)


MAX_TEXT = 20_000
"""Characters kept of a text."""


class KnownRule(NamedTuple):
    """A descriptor, read. `level` is None where it sets none."""

    rule: Rule
    level: Level | None
    strings: Mapping[str, Text]
    is_misrated: bool = False
    """Whether its `security-severity` cannot be read."""


class RuleTable:
    """The rules of a run's driver (first) and extensions, its taxonomies, and what its invocations set.

    Nothing here raises for what is not there.
    """

    def __init__(
        self, components: Sequence[Component], taxonomies: Sequence[Component], invocations: Sequence[InvocationPart]
    ) -> None:
        self._taxonomies = taxonomies
        self._places = [_places(components, first=1), _places(taxonomies, first=0)]
        self._taxa = [_taxa(taxonomy) for taxonomy in taxonomies]
        self._rows = [[self._known(one) for one in component.rules] for component in components]
        self._names: list[dict[str, KnownRule]] = [{} for _ in components]
        self._guids: dict[str, KnownRule] = {}
        for component, row, names in zip(components, self._rows, self._names, strict=True):
            for descriptor, known in zip(component.rules, row, strict=True):
                names.setdefault(known.rule.id, known)
                self._guids.setdefault((descriptor.guid or "").lower(), known)
        self._guids.pop("", None)
        # A bad file may have very many of everything: what each result asks for is looked up, never searched.
        self._merged = {key: known for names in reversed(self._names) for key, known in names.items()}
        self._strings = {key: text for one in reversed(components) for key, text in one.strings.items()}
        self._set = [self._overrides(invocation) for invocation in invocations]
        self._strictest: dict[int | str, Level] = {}
        for found in self._set:
            for key, level in found.items():
                self._strictest[key] = max(self._strictest.get(key, level), level, key=_LEVELS.index)

    def rules(self) -> tuple[Rule, ...]:
        """Give every rule with an id, sorted by it; the driver's stands before an extension's of the same id."""
        return tuple(self._merged[identity].rule for identity in sorted(self._merged) if identity)

    def find(self, reference: Reference) -> tuple[str, KnownRule | None]:
        """Give a rule's id, "" where there is none, and its descriptor. 3.27.5 to 3.27.7, 3.52.

        An index counts where the rule there bears the id that is given, or none is given, or no rule bears it.
        """
        at = _index(self._places[0], reference.tool_component)
        row = self._rows[at] if at < len(self._rows) else []
        index, identity = reference.index, reference.id or ""
        pointed = row[index] if index is not None and 0 <= index < len(row) else None
        if pointed is not None and (not identity or _is_front(pointed.rule.id, identity)):
            return identity or pointed.rule.id or f"rule-{index}", pointed
        named = self._named(identity, at) or self._guids.get((reference.guid or "").lower())
        return identity or (named.rule.id if named else ""), named or pointed

    def level(self, result: ResultPart, identity: str, known: KnownRule | None) -> Level:
        """Resolve a level by 3.27.10: the result's own, none for a kind other than fail, an override, the rule's.

        Which invocation a result without provenance came from, nobody knows: then the strictest of what any of them
        set and of the rule's own counts.
        """
        if result.level is not None:
            return result.level
        if result.kind not in (None, "fail"):
            return "none"
        default: Level = known.level if known and known.level else "warning"
        key = id(known) if known else identity
        at = result.provenance.invocation_index if result.provenance else None
        if at is not None and 0 <= at < len(self._set):
            return self._set[at].get(key, default)
        strictest = self._strictest.get(key)
        return default if strictest is None else max(default, strictest, key=_LEVELS.index)

    def string(self, message_id: str, known: KnownRule | None) -> str:
        """Give a message's template: the rule's own, else one that a component shares. 3.11.7."""
        text = (known.strings.get(message_id) if known else None) or self._strings.get(message_id)
        return _text(text)

    def cwes(self, taxa: Sequence[Reference]) -> set[int]:
        """Give the weaknesses among references to taxonomies: CWE's entries, by id or by place. 3.27.8, 3.54."""
        found = set()
        for one in taxa:
            at = _index(self._places[1], one.tool_component) if one.tool_component else -1
            taxonomy = self._taxonomies[at] if 0 <= at < len(self._taxonomies) else None
            name = (one.tool_component.name if one.tool_component else "") or (taxonomy.name if taxonomy else "")
            entries = self._taxa[at] if taxonomy else {}
            text = one.id or entries.get(one.index) or entries.get((one.guid or "").lower()) or ""
            pattern = _NUMBER if "cwe" in name.lower() else _NAMED
            if match := pattern.fullmatch(text):
                found.add(int(match.group(1)))
        return found

    def _known(self, descriptor: Descriptor) -> KnownRule:
        bag = descriptor.properties
        cwes = set(cwes_in(bag.texts())) if bag else set()
        targets = [relation.target for relation in descriptor.relationships or [] if relation.target]
        precision = bag.precision if bag else None
        rule = Rule(
            id=descriptor.id or "",
            name=(descriptor.name or "")[:MAX_TEXT],
            short=_text(descriptor.short_description),
            full=_text(descriptor.full_description),
            help=_text(descriptor.help),
            help_uri=(descriptor.help_uri or "")[:MAX_TEXT],
            cwes=tuple(sorted(cwes | self.cwes(targets))),
            score=bag.score() if bag else None,
            confidence=_PRECISION.get(precision) if isinstance(precision, str) else None,
        )
        configuration = descriptor.default_configuration
        return KnownRule(
            rule,
            configuration.level if configuration else None,
            descriptor.message_strings or {},
            bag is not None and bag.is_misrated(),
        )

    def _named(self, identity: str, at: int) -> KnownRule | None:
        """Find a rule by its id, or the longest front of a hierarchical one; the component at `at` stands first."""
        order = [*self._names[at : at + 1], self._merged]
        for _ in range(_DEEPEST_ID):
            for names in order:
                if identity in names:
                    return names[identity]
            identity, slash, _last = identity.rpartition("/")
            if not slash:
                break
        return None

    def _overrides(self, invocation: InvocationPart) -> dict[int | str, Level]:
        found: dict[int | str, Level] = {}
        for one in invocation.rule_configuration_overrides or []:
            level = one.configuration.level if one.configuration else None
            if level is not None and one.descriptor is not None:
                identity, known = self.find(one.descriptor)
                found[id(known) if known else identity] = level
        return found


def _places(components: Sequence[Component], *, first: int) -> dict[int | str, int]:
    """Give where a component is by what a reference may call it; its index counts from `first`. 3.54."""
    places: dict[int | str, int] = {at - first: at for at in range(first, len(components))}
    for at, one in enumerate(components):
        for called in (f"guid {one.guid.lower()}", f"name {one.name}"):
            places.setdefault(called, at)
    return places


def _index(places: Mapping[int | str, int], reference: ComponentReference | None) -> int:
    """Give the place of the component that is meant, 0 for want of one."""
    if reference is None:
        return 0
    names: list[int | str] = [] if reference.index is None else [reference.index]
    names += [f"guid {reference.guid.lower()}"] if reference.guid else []
    names += [f"name {reference.name}"] if reference.name else []
    return next((places[name] for name in names if name in places), 0)


def _taxa(taxonomy: Component) -> dict[int | str | None, str]:
    taxa: dict[int | str | None, str] = {(one.guid or "").lower(): one.id or "" for one in taxonomy.taxa}
    taxa.update((at, one.id or "") for at, one in enumerate(taxonomy.taxa))
    return taxa | {"": ""}


def _is_front(front: str, identity: str) -> bool:
    return identity == front or identity.startswith(f"{front}/")


def _text(text: Text | None) -> str:
    return (text.text or text.markdown or "")[:MAX_TEXT] if text else ""
