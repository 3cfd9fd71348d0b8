"""A finding as the fold of a ledger remembers it, and what becomes of it where a crosswalk is edited."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from secgate.bounds import rules_of
from secgate.events import FindingMerged, FindingSplit
from secgate.finding_facts import FindingFacts
from secgate.model import Fingerprint, KnownFinding, Obligation, Value


class Remembered(Value, frozen=True, kw_only=True):
    """A finding on one line: its facts as last recorded, its episode and clock, its duties, its former fingerprints."""

    facts: FindingFacts
    episode: int
    first_seen_epoch_s: int
    closed_epoch_s: int | None = None
    obligations: tuple[Obligation, ...] = ()
    former: tuple[Fingerprint, ...] = ()
    wholes: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    """Both as in `KnownFinding`: what waivers of it are looked for by, and what they must have been given for."""

    @property
    def is_open(self) -> bool:
        """Tell whether it was there when last looked for."""
        return self.closed_epoch_s is None

    @property
    def names(self) -> tuple[Fingerprint, ...]:
        """Every other fingerprint it is or was known by, sorted."""
        names = {(name.algorithm, name.value): name for name in (*self.facts.aliases, *self.former)}
        names.pop((self.facts.algorithm, self.facts.fingerprint), None)
        return tuple(names[key] for key in sorted(names))

    @property
    def called(self) -> frozenset[str]:
        """Every fingerprint that it is or was known by, its own among them, whatever the algorithm."""
        return frozenset((self.facts.fingerprint, *(name.value for name in self.names)))

    def known(self) -> KnownFinding:
        """Give it as matching and policies need it."""
        facts = self.facts
        return KnownFinding(
            fingerprint=facts.fingerprint,
            algorithm=facts.algorithm,
            aliases=self.names,
            lane=facts.lane,
            weakness=facts.weakness,
            severity=facts.severity,
            path=facts.path,
            symbol=facts.symbol,
            ordinal=facts.ordinal,
            anchor=facts.anchor,
            start_line=facts.start_line,
            scanners=tuple(sorted({witness.scanner for witness in facts.witnesses})),
            rules=tuple((witness.scanner, witness.rule) for witness in facts.witnesses),
            secret_macs=facts.secret_macs,
            advisories=facts.advisories,
            sketch=facts.sketch,
            wholes=self.wholes,
            apart=self.apart,
            first_seen_epoch_s=self.first_seen_epoch_s,
            closed_epoch_s=self.closed_epoch_s,
            obligations=self.obligations,
        )


def seen_as(one: Remembered, facts: FindingFacts) -> Remembered:
    """Give a finding as it is seen now. Where its weakness is called otherwise, its rules came from another finding."""
    before, now = rules_of(one.facts.witnesses), rules_of(facts.witnesses)
    is_called_otherwise = one.facts.weakness != facts.weakness and not before.isdisjoint(now)
    return replace(one, facts=facts, apart=_all(one.apart, before, now) if is_called_otherwise else one.apart)


def merged(one: Remembered, other: Remembered, event: FindingMerged) -> Remembered:
    """Give a finding that takes another in: the earlier clock counts, and all duties of both."""
    duties = (replace(duty, finding=event.fingerprint) for duty in other.obligations)
    return replace(
        one,
        first_seen_epoch_s=min(one.first_seen_epoch_s, other.first_seen_epoch_s, event.start_epoch_s),
        obligations=tuple(dict.fromkeys((*one.obligations, *duties))),
        former=tuple(dict.fromkeys((*one.former, event.absorbed, *other.names))),
        wholes=_all(one.wholes, other.wholes),
        apart=_all(one.apart, other.apart, rules_of(one.facts.witnesses), rules_of(other.facts.witnesses)),
    )


def parted(origin: Remembered, event: FindingSplit) -> Remembered:
    """Give a part of a finding that is one of its own from here on, with the clock and the duties of the whole."""
    duties = (replace(duty, finding=event.finding.fingerprint) for duty in origin.obligations)
    return Remembered(
        facts=event.finding,
        episode=event.episode,
        first_seen_epoch_s=min(origin.first_seen_epoch_s, event.start_epoch_s),
        obligations=tuple(duties),
        former=(event.origin,),
        wholes=_all(origin.called, origin.wholes),
        # Its own too: the event that takes them from the whole may come before this one.
        apart=_all(origin.apart, rules_of(origin.facts.witnesses), rules_of(event.finding.witnesses)),
    )


def _all(*several: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({one for each in several for one in each}))
