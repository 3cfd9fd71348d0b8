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


class KnownRule(NamedTuple):
    """A descriptor, read. `level` is None where it sets none."""

    rule: Rule
    level: Level | None
    strings: Mapping[str, Text]


class RuleTable:
    """The rules of a run's driver (first) and extensions, its taxonomies, and what its invocations set.

    Nothing here raises for what is not there.
    """

    def __init__(
        self, components: Sequence[Component], taxonomies: Sequence[Component], invocations: Sequence[InvocationPart]
    ) -> None:
        self._components, self._taxonomies = components, taxonomies
        self._weaknesses: dict[tuple[str, int, str], int | None] = {}
        self._rows = [[self._known(one) for one in component.rules] for component in components]
        self._names: list[dict[str, KnownRule]] = []
        self._guids: dict[str, KnownRule] = {}
        for component, row in zip(components, self._rows, strict=True):
            names: dict[str, KnownRule] = {}
            for descriptor, known in zip(component.rules, row, strict=True):
                names.setdefault(known.rule.id, known)
                self._guids.setdefault((descriptor.guid or "").lower(), known)
            self._names.append(names)
        self._guids.pop("", None)
        self._set = [self._overrides(invocation) for invocation in invocations]

    def rules(self) -> tuple[Rule, ...]:
        """Give every rule with an id, sorted by it; the driver's stands before an extension's of the same id."""
        merged: dict[str, Rule] = {}
        for names in self._names:
            for identity, known in names.items():
                merged.setdefault(identity, known.rule)
        merged.pop("", None)
        return tuple(merged[identity] for identity in sorted(merged))

    def find(self, reference: Reference) -> tuple[str, KnownRule | None]:
        """Give a rule's id, "" where there is none, and its descriptor. 3.27.5 to 3.27.7, 3.52.

        An index counts where the rule there bears the id that is given, or none is given, or no rule bears it.
        """
        at = _index(self._components, reference.tool_component, first=1)
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
        return max([default, *(found[key] for found in self._set if key in found)], key=_LEVELS.index)

    def string(self, message_id: str, known: KnownRule | None) -> str:
        """Give a message's template: the rule's own, else one that a component shares. 3.11.7."""
        for strings in [known.strings if known else {}, *(one.strings for one in self._components)]:
            if message_id in strings:
                return strings[message_id].text or strings[message_id].markdown or ""
        return ""

    def cwes(self, taxa: Sequence[Reference]) -> set[int]:
        """Give the weaknesses among references to taxonomies: CWE's entries, by id or by place. 3.27.8, 3.54."""
        found = set()
        for one in taxa:
            at = _index(self._taxonomies, one.tool_component, first=0) if one.tool_component else -1
            taxonomy = self._taxonomies[at] if 0 <= at < len(self._taxonomies) else None
            name = (one.tool_component.name if one.tool_component else "") or (taxonomy.name if taxonomy else "")
            text = one.id or (_taxon(taxonomy, one) if taxonomy else "")
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
            name=descriptor.name or "",
            short=_text(descriptor.short_description),
            full=_text(descriptor.full_description),
            help=_text(descriptor.help),
            help_uri=descriptor.help_uri or "",
            cwes=tuple(sorted(cwes | self.cwes(targets))),
            score=bag.score() if bag else None,
            confidence=_PRECISION.get(precision) if isinstance(precision, str) else None,
        )
        configuration = descriptor.default_configuration
        return KnownRule(rule, configuration.level if configuration else None, descriptor.message_strings or {})

    def _named(self, identity: str, at: int) -> KnownRule | None:
        """Find a rule by its id, or the longest front of a hierarchical one; the component at `at` stands first."""
        order = [*self._names[at : at + 1], *self._names]
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


def _index(components: Sequence[Component], reference: ComponentReference | None, *, first: int) -> int:
    """Give the place of the component that is meant, 0 for want of one; an index counts from `first`. 3.54."""
    if reference is None:
        return 0
    if reference.index is not None and 0 <= reference.index < len(components) - first:
        return reference.index + first
    for at, one in enumerate(components):
        if (reference.guid and reference.guid.lower() == one.guid.lower()) or (
            reference.name and reference.name == one.name
        ):
            return at
    return 0


def _taxon(taxonomy: Component, reference: Reference) -> str:
    if reference.index is not None and 0 <= reference.index < len(taxonomy.taxa):
        return taxonomy.taxa[reference.index].id or ""
    same = (one.id for one in taxonomy.taxa if reference.guid and (one.guid or "").lower() == reference.guid.lower())
    return next(same, None) or ""


def _is_front(front: str, identity: str) -> bool:
    return identity == front or identity.startswith(f"{front}/")


def _text(text: Text | None) -> str:
    return (text.text or text.markdown or "") if text else ""
