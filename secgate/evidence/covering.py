"""Whose waivers covered which recorded finding at a time: of twins as many as there are waivers, as the gate has it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from secgate.bounds import Bound, Lineage, asked_of, rules_of
from secgate.chronicle import Episode
from secgate.evidence.ground import Said
from secgate.evidence.superseding import holds
from secgate.fingerprint import package_key
from secgate.policy.values import WaiverLimits
from secgate.together import Offer, complete
from secgate.twins import Position, TwinWaiver, group_of, share_out
from secgate.waived import is_advised
from secgate.waivers import AdvisorySubject, FindingSubject, Waiver


class Cover(NamedTuple):
    """A waiver that covered a finding, and when it ends."""

    waiver: Waiver
    until_epoch_s: int


class _Recorded(NamedTuple):
    """A recorded finding, as a twin."""

    episode: Episode

    @property
    def fingerprint(self) -> str:
        return self.episode.known.facts.fingerprint

    @property
    def older_names(self) -> Sequence[str]:
        return sorted({*self.episode.known.called, *self.episode.known.wholes} - {self.fingerprint})

    @property
    def group(self) -> str:
        return group_of(self.episode.known.facts)

    @property
    def position(self) -> Position:
        facts = self.episode.known.facts
        return facts.path, facts.start_line, 0, facts.ordinal, facts.fingerprint

    @property
    def place(self) -> tuple[str, ...]:
        return self.episode.known.facts.path, self.episode.known.facts.symbol

    @property
    def rules(self) -> Collection[str]:
        return rules_of(self.episode.known.facts.witnesses)

    @property
    def values(self) -> Collection[str]:
        facts = self.episode.known.facts
        return {facts.anchor, facts.package.rpartition("@")[2], *facts.secret_macs} - {""}

    def fits(self, single: _Single) -> bool:
        """Tell whether a waiver of it, under any of its names, holds for it alone."""
        known = self.episode.known
        apart = asked_of(
            single.bound,
            single.subject.fingerprint,
            Lineage(known.wholes, known.apart),
            fingerprint=self.fingerprint,
            rules=self.rules,
            advisories=known.facts.advisories,
        )
        return holds(single.bound, known.facts, apart)


class _Single(NamedTuple):
    """A waiver of one finding, with its end."""

    cover: Cover
    subject: FindingSubject

    @property
    def bound(self) -> Bound:
        return self.cover.waiver.request.bound


class Covers:
    """The waivers of one ledger, and the findings that they may be of."""

    def __init__(self, said: Said, episodes: Iterable[Episode], limits: WaiverLimits) -> None:
        self._wide: list[Cover] = []
        self._single: dict[tuple[str, str], list[_Single]] = defaultdict(list)  # by repository, and name or group
        self._twins: dict[tuple[str, str, str], list[Episode]] = defaultdict(list)  # and by line too
        for waiver in said.waivers:
            subject, cover = waiver.request.subject, Cover(waiver, _end(waiver, said, limits))
            if isinstance(subject, AdvisorySubject):
                self._wide.append(cover)
            elif isinstance(subject, FindingSubject):
                for name in {subject.fingerprint, subject.group}:
                    self._single[subject.repository, name].append(_Single(cover, subject))
        for one in episodes if self._single else ():
            for name in _names(one):
                self._twins[one.repository, one.line, name].append(one)

    def of(self, one: Episode, at_epoch_s: int) -> tuple[Cover, ...]:
        """Give what covered a finding at a time, in no order. What was approved later counts for nothing.

        Each covered it by itself; or, where none did, all together, until the first of them ended.
        """
        wide = [cover for cover in self._wide if _held(cover, at_epoch_s) and _is_advised(cover.waiver, one)]
        alone = tuple(cover for cover in wide if holds(cover.waiver.request.bound, one.known.facts))
        waivers, kin = self._kin(one, at_epoch_s)
        if not waivers:
            return alone
        ordered = sorted(waivers, key=lambda single: (-single.cover.until_epoch_s, single.cover.waiver.id))
        named = [TwinWaiver(fingerprint=single.subject.fingerprint, group=single.subject.group) for single in ordered]
        twins = [_Recorded(each) for each in kin]

        def rank(at: int, twin: _Recorded) -> tuple[int, int]:
            return 0 if twin.fits(ordered[at]) else 1, -ordered[at].cover.until_epoch_s

        given = share_out(twins, named, rank)
        others = {named[at].fingerprint for name, at in given.items() if name != one.known.facts.fingerprint}
        own = [named[at].fingerprint for name, at in given.items() if name == one.known.facts.fingerprint]
        mine = [single for single in ordered if single.subject.fingerprint in {*own, *(one.known.called - others)}]
        alone += tuple(single.cover for single in mine if _Recorded(one).fits(single))
        if alone:
            return alone
        held = {
            twin.fingerprint: named[given[twin.fingerprint]].fingerprint
            for twin in twins
            if twin.fingerprint in given and twin.fits(ordered[given[twin.fingerprint]])
        }
        covers = {single.cover.waiver.id: single.cover for single in ordered}
        offers = [
            Offer(single.cover.waiver.id, single.subject.fingerprint, single.bound, single.cover.until_epoch_s)
            for single in ordered
        ]
        together = complete(twins, offers, held, lambda bound, twin: holds(bound, twin.episode.known.facts, twin.rules))
        used = together.get(one.known.facts.fingerprint, ())
        return tuple(covers[offer.id]._replace(until_epoch_s=used[-1].until_epoch_s) for offer in used)

    def until(self, one: Episode, at_epoch_s: int) -> int:
        """Give how far what covered it then reaches without a gap, 0 where nothing did."""
        return reach(self.of(one, at_epoch_s))

    def _kin(self, one: Episode, at_epoch_s: int) -> tuple[list[_Single], list[Episode]]:
        """Give the waivers that may go to a finding, and the findings that may take them from it, and so on."""
        waivers: dict[str, _Single] = {}
        kin = {one.known.facts.fingerprint: one}
        waiting = [one]
        while waiting:
            twin = waiting.pop()
            # A twin of what it was a part of may have what is its own.
            names = {*twin.known.called, *twin.known.wholes}
            for single in (found for name in _names(twin) for found in self._single.get((one.repository, name), ())):
                if single.cover.waiver.id not in waivers and _held(single.cover, at_epoch_s):
                    waivers[single.cover.waiver.id] = single
                    names |= {single.subject.fingerprint, single.subject.group}
            for name in names:
                for other in self._twins.get((one.repository, one.line, name), ()):
                    if _is_open(other, at_epoch_s) and other.known.facts.fingerprint not in kin:
                        kin[other.known.facts.fingerprint] = other
                        waiting.append(other)
        return list(waivers.values()), list(kin.values())


def reach(covers: Iterable[Cover]) -> int:
    """Give when the last of them ends, 0 for none. Each held at the same time, so there is no gap."""
    return max((cover.until_epoch_s for cover in covers), default=0)


def _names(one: Episode) -> set[str]:
    return {*one.known.called, *one.known.wholes, group_of(one.known.facts)}


def _held(cover: Cover, at_epoch_s: int) -> bool:
    return 0 < cover.waiver.approved_epoch_s <= at_epoch_s < cover.until_epoch_s


def _is_open(one: Episode, at_epoch_s: int) -> bool:
    return one.opened_epoch_s <= at_epoch_s and not 0 < one.closed_epoch_s <= at_epoch_s


def _end(waiver: Waiver, said: Said, limits: WaiverLimits) -> int:
    until = waiver.until_epoch_s(limits.of(waiver.request.bound.severity))
    return min(until, said.revoked.get(waiver.id, until))


def _is_advised(waiver: Waiver, one: Episode) -> bool:
    """Tell whether a waiver of an advisory is of a finding, as it was last recorded."""
    subject, facts = waiver.request.subject, one.known.facts
    if not isinstance(subject, AdvisorySubject) or one.repository not in subject.repositories:
        return False
    ecosystem, _, rest = facts.package.partition("/")
    return is_advised(waiver, package_key(ecosystem, rest.rpartition("@")[0]), facts.advisories)
