"""Twins: equal statements of one weakness in one definition, which nothing but their order tells apart.

A waiver of one of them cannot mean that very one after the next edit: it means one of them. So in a group of twins
exactly as many are waived as there are waivers, those first whose own waiver it is, then in order of position.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from secgate.bounds import rules_of, values_of
from secgate.finding_facts import FindingFacts
from secgate.fingerprint import digest
from secgate.model import Finding, Lane, Value


class TwinWaiver(Value, frozen=True, kw_only=True):
    """What a waiver says of its finding: the fingerprint, and the group that it was in when it was given."""

    fingerprint: str
    group: str


Position = tuple[str, int, int, int, str]
"""Path, line, column, place among equals, fingerprint."""


class Twin(Protocol):
    """What has to be known of a finding to give it a waiver, whether a run saw it or the ledger recorded it."""

    @property
    def fingerprint(self) -> str:
        """Its own name."""

    @property
    def older_names(self) -> Sequence[str]:
        """What else it is or was called, in a fixed order."""

    @property
    def group(self) -> str:
        """The name of its group of twins."""

    @property
    def position(self) -> Position:
        """What twins are put in order by."""


OneTwin = TypeVar("OneTwin", bound=Twin)


class Seen(NamedTuple):
    """A finding of a run, as a twin."""

    finding: Finding

    @property
    def fingerprint(self) -> str:
        """Its own name."""
        return self.finding.fingerprint

    @property
    def older_names(self) -> Sequence[str]:
        """Its aliases."""
        return sorted(alias.value for alias in self.finding.aliases)

    @property
    def group(self) -> str:
        """The name of its group of twins."""
        return twin_group(self.finding)

    @property
    def position(self) -> Position:
        """Where it begins."""
        one, region = self.finding, self.finding.location.region
        return one.location.path, region.start_line, region.start_column, one.ordinal, one.fingerprint

    @property
    def place(self) -> tuple[str, ...]:
        """Where it is, as far as all parts of one whole agree."""
        return self.finding.location.path, self.finding.location.commit, self.finding.symbol

    @property
    def rules(self) -> frozenset[str]:
        """By which rules it is seen."""
        return rules_of(self.finding.witnesses)

    @property
    def values(self) -> tuple[str, ...]:
        """What `Bound.values` of it are now."""
        return values_of(self.finding)


def twin_group(finding: Finding) -> str:
    """Give the name of the group of twins that a finding is in; equal for no others."""
    return _group(finding, finding.location.path, finding.location.commit)


def group_of(facts: FindingFacts) -> str:
    """Give the name of the group of twins that a recorded finding of the tree's own files is in."""
    return _group(facts, facts.path, "")


def _group(one: Finding | FindingFacts, path: str, commit: str) -> str:
    # A secret's text is masked, so two secrets may look like twins: each stands for itself. So does an advisory.
    alone = one.fingerprint if one.lane in (Lane.SECRETS, Lane.DEPENDENCIES) else ""
    return digest(one.algorithm, "twins", one.weakness, path, one.symbol, one.anchor, commit, alone)


def share_out(
    findings: Iterable[OneTwin], waivers: Sequence[TwinWaiver], rank: Callable[[int, OneTwin], tuple[int, ...]]
) -> dict[str, int]:
    """Give which waiver, as an index, counts for which finding, by fingerprint.

    `rank` says how a waiver stands towards a finding: the lowest is the best, and holds where it begins with 0.
    A waiver counts for one finding at most, and of several for the same fingerprint only one. Those that hold are
    shared out before any other, so that none that does not takes its place: first to findings whose own name, or an
    older one, they have; what is left over goes to twins, in order of position, to as many as can be. One that is void
    for the very finding that it names goes to no twin. What is then without one is given one that does not hold, for
    what is to be said of it. Neither the order of the findings nor chance has a part in it.
    """
    if not waivers:
        return {}
    shares = _Shares(sorted(findings, key=lambda one: one.position), waivers, rank)
    shares.to_names(holding=True)
    shares.to_twins(holding=True)
    shares.to_names(holding=False)
    shares.to_twins(holding=False)
    return {one: at for one, (_, at) in shares.given.items()}


class _Shares(Generic[OneTwin]):
    """Waivers on their way to findings: those for one fingerprint are one, under that name."""

    def __init__(
        self,
        ordered: Sequence[OneTwin],
        waivers: Sequence[TwinWaiver],
        rank: Callable[[int, OneTwin], tuple[int, ...]],
    ) -> None:
        self._ordered, self._waivers, self._rank = ordered, waivers, rank
        self._named: dict[str, list[int]] = {}
        for number, waiver in enumerate(waivers):
            self._named.setdefault(waiver.fingerprint, []).append(number)
        self._void: set[int] = set()
        for one in ordered:
            for name in (one.fingerprint, *one.older_names):
                self._void.update(at for at in self._named.get(name, ()) if rank(at, one)[0] > 0)
        self._holders: dict[str, OneTwin] = {}
        self.given: dict[str, tuple[str, int]] = {}
        """By a finding's fingerprint: the name under which it was given a waiver, and which."""

    def to_names(self, *, holding: bool) -> None:
        """Give findings what has their own name, or else an older one."""
        for is_own in (True, False):
            for one in self._ordered:
                if one.fingerprint in self.given:
                    continue
                for name in (one.fingerprint,) if is_own else one.older_names:
                    numbers = self._named.get(name, ()) if name not in self._holders else ()
                    if (found := self._best(numbers, one, holding=holding)) is not None:
                        self._give(one, name, found)
                        break

    def to_twins(self, *, holding: bool) -> None:
        """Give twins what is left over in their group."""
        spare: dict[str, dict[str, list[int]]] = {}
        for number, waiver in enumerate(self._waivers):
            if waiver.fingerprint not in self._holders and number not in self._void:
                spare.setdefault(waiver.group, {}).setdefault(waiver.fingerprint, []).append(number)
        for one in self._ordered if spare else ():
            group = spare.get(one.group) if one.fingerprint not in self.given else None
            if group:
                self._make_room(one, group, holding=holding)

    def _make_room(self, wanting: OneTwin, group: dict[str, list[int]], *, holding: bool) -> None:
        """Give a twin what is left in its group, where need be by giving others another one.

        The shortest way of such exchanges is looked for; what no way leads on from is never looked at again.
        """
        came: dict[str, tuple[OneTwin, int]] = {}
        waiting = deque([wanting])
        while waiting:
            one = waiting.popleft()
            for name, numbers in group.items():
                found = self._best(numbers, one, holding=holding) if name not in came else None
                if found is None:
                    continue
                came[name] = one, found
                holder = self._holders.get(name)
                if holder is None:
                    self._exchange(name, came, wanting)
                    return
                waiting.append(holder)
        for name in came:
            del group[name]

    def _exchange(self, name: str, came: Mapping[str, tuple[OneTwin, int]], wanting: OneTwin) -> None:
        while True:
            one, found = came[name]
            before = self.given.get(one.fingerprint)
            self._give(one, name, found)
            if one is wanting or before is None:
                return
            name = before[0]

    def _best(self, numbers: Iterable[int], one: OneTwin, *, holding: bool) -> int | None:
        ranked = [(self._rank(at, one), at) for at in numbers]
        ranked = [found for found in ranked if not holding or found[0][0] == 0]
        return min(ranked)[1] if ranked else None

    def _give(self, one: OneTwin, name: str, number: int) -> None:
        self.given[one.fingerprint] = name, number
        self._holders[name] = one
