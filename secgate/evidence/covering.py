"""Whose waivers covered which recorded finding at a time: of twins as many as there are waivers, as the gate has it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from secgate.chronicle import Episode
from secgate.evidence.ground import Said
from secgate.evidence.superseding import holds
from secgate.fingerprint import package_key
from secgate.policy.values import WaiverLimits
from secgate.twins import Position, TwinWaiver, group_of, share_out
from secgate.waived import is_advised, is_before
from secgate.waivers import AdvisorySubject, FindingSubject, Waiver, jointly


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
        return [name.value for name in self.episode.known.names]

    @property
    def group(self) -> str:
        return group_of(self.episode.known.facts)

    @property
    def position(self) -> Position:
        facts = self.episode.known.facts
        return facts.path, facts.start_line, 0, facts.ordinal, facts.fingerprint


class _Single(NamedTuple):
    """A waiver of one finding, with its end."""

    cover: Cover
    subject: FindingSubject


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
        """Give what covered a finding at a time, in no order. What was approved later counts for nothing."""
        wide = (cover for cover in self._wide if _held(cover, at_epoch_s) and _is_advised(cover.waiver, one))
        shared = tuple(self._shared(one, at_epoch_s))
        found = (*wide, *shared, *self._of_wholes(one, at_epoch_s))
        held = tuple(cover for cover in found if holds(cover.waiver.request.bound, one.known.facts))
        if held:
            return held
        together = jointly(shared, lambda bound: holds(bound, one.known.facts))
        return tuple(cover._replace(until_epoch_s=together[-1].until_epoch_s) for cover in together)

    def until(self, one: Episode, at_epoch_s: int) -> int:
        """Give how far what covered it then reaches without a gap, 0 where nothing did."""
        return reach(self.of(one, at_epoch_s))

    def _shared(self, one: Episode, at_epoch_s: int) -> Iterator[Cover]:
        """Give the waivers of single findings that are its own: by its names, or left over among its twins."""
        waivers, kin = self._kin(one, at_epoch_s)
        if not waivers:
            return
        ordered = sorted(waivers, key=lambda single: (-single.cover.until_epoch_s, single.cover.waiver.id))
        named = [TwinWaiver(fingerprint=single.subject.fingerprint, group=single.subject.group) for single in ordered]

        def rank(at: int, twin: _Recorded) -> tuple[int, int]:
            cover = ordered[at].cover
            is_so = holds(cover.waiver.request.bound, twin.episode.known.facts)
            return 0 if is_so else 1, -cover.until_epoch_s

        given = {name: named[at].fingerprint for name, at in share_out(map(_Recorded, kin), named, rank).items()}
        own = given.pop(one.known.facts.fingerprint, "")
        mine = {own, *one.known.called} - set(given.values())
        yield from (single.cover for single in ordered if single.subject.fingerprint in mine)

    def _of_wholes(self, one: Episode, at_epoch_s: int) -> Iterator[Cover]:
        """Give the waivers of what it was a part of, that were asked for before it left, as the gate does.

        Where two parts have a scanner in common, nobody can tell which of them was looked at.
        """
        for whole in one.known.wholes:
            kin = [
                other
                for other in self._twins.get((one.repository, one.line, whole.fingerprint), ())
                if other is not one and _is_open(other, at_epoch_s)
            ]
            if any(_scanners(other) & _scanners(one) for other in kin):
                continue
            for other in kin:
                left = [each.until_epoch_s for each in other.known.wholes if each.fingerprint == whole.fingerprint]
                for cover in self._shared(other, at_epoch_s):
                    if is_before(cover.waiver, min((whole.until_epoch_s, *left))):
                        yield cover

    def _kin(self, one: Episode, at_epoch_s: int) -> tuple[list[_Single], list[Episode]]:
        """Give the waivers that may go to a finding, and the findings that may take them from it, and so on."""
        waivers: dict[str, _Single] = {}
        kin = {one.known.facts.fingerprint: one}
        waiting = [one]
        while waiting:
            twin = waiting.pop()
            for single in (found for name in _names(twin) for found in self._single.get((one.repository, name), ())):
                if single.cover.waiver.id in waivers or not _held(single.cover, at_epoch_s):
                    continue
                waivers[single.cover.waiver.id] = single
                for name in (single.subject.fingerprint, single.subject.group):
                    for other in self._twins.get((one.repository, one.line, name), ()):
                        if _is_open(other, at_epoch_s) and other.known.facts.fingerprint not in kin:
                            kin[other.known.facts.fingerprint] = other
                            waiting.append(other)
        return list(waivers.values()), list(kin.values())


def reach(covers: Iterable[Cover]) -> int:
    """Give when the last of them ends, 0 for none. Each held at the same time, so there is no gap."""
    return max((cover.until_epoch_s for cover in covers), default=0)


def _scanners(one: Episode) -> set[str]:
    return {witness.scanner for witness in one.known.facts.witnesses}


def _names(one: Episode) -> set[str]:
    return {*one.known.called, group_of(one.known.facts)}


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
