"""Waivers of what an edited crosswalk parted or put together: several for one finding, and one for several parts.

Requests name the rules that were looked at, so each rule of a finding is covered or not, whatever it is called by now.
The gate and evidence count by this one piece.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from secgate.bounds import Bound, union
from secgate.twins import Twin


class Part(Twin, Protocol):
    """What has to be known of a finding besides what makes it a twin."""

    @property
    def place(self) -> tuple[str, ...]:
        """Where it is, as far as all parts of one whole agree."""

    @property
    def rules(self) -> Collection[str]:
        """By which rules it is seen, as `scanner:rule`."""

    @property
    def values(self) -> Collection[str]:
        """What `Bound.values` of it are now."""


class Offer(NamedTuple):
    """A waiver in force: the fingerprint that it names, what it is bound to, when it ends."""

    id: str
    name: str
    bound: Bound
    until_epoch_s: int


OnePart = TypeVar("OnePart", bound=Part)


def complete(
    findings: Iterable[OnePart],
    offers: Sequence[Offer],
    held: Mapping[str, str],
    fits: Callable[[Bound, OnePart], bool],
) -> dict[str, tuple[Offer, ...]]:
    """Give, by fingerprint, the fewest offers that hold together for what has none by itself, the last to end first.

    `held` gives the name of the offers that each finding has by itself; `fits` tells whether a bound is of
    each rule of a finding. Offers are looked for under every name that a finding has or had, and under those that were
    given to a twin of what it was a part of. The offers of one name serve several parts where these are at one place
    and have no rule in common.
    """
    ordered = sorted(findings, key=lambda one: one.position)
    by_name: dict[str, list[Offer]] = defaultdict(list)
    for offer in sorted(offers, key=lambda one: (-one.until_epoch_s, one.id)):
        by_name[offer.name].append(offer)
    users: dict[str, list[OnePart]] = defaultdict(list)
    given: dict[str, list[str]] = defaultdict(list)
    for one in ordered:
        if (name := held.get(one.fingerprint)) is not None:
            users[name].append(one)
            for own in (one.fingerprint, *one.older_names):
                given[own].append(name)
    found = {}
    for one in ordered:
        if one.fingerprint in held:
            continue
        names = (one.fingerprint, *one.older_names)
        wanted = dict.fromkeys((*names, *(name for own in names for name in given.get(own, ()))))
        mine = [offer for name in wanted if _is_free(users.get(name, ()), one) for offer in by_name.get(name, ())]
        mine.sort(key=lambda offer: (-offer.until_epoch_s, offer.id))
        if chosen := _fewest(mine, one, fits):
            found[one.fingerprint] = chosen
            for name in dict.fromkeys(offer.name for offer in chosen):
                users[name].append(one)
    return found


def _is_free(users: Iterable[OnePart], one: OnePart) -> bool:
    return all(user.place == one.place and not set(user.rules) & set(one.rules) for user in users)


def _fewest(mine: Sequence[Offer], one: OnePart, fits: Callable[[Bound, OnePart], bool]) -> tuple[Offer, ...]:
    """Give the offers, longest first, that are of all of it together, and none that is not needed; () for none."""

    def is_enough(offers: Sequence[Offer]) -> bool:
        bounds = [offer.bound for offer in offers]
        is_one_form = len({bound.form for bound in bounds}) == 1 and all(bound.scanners for bound in bounds)
        return is_one_form and fits(union(bounds), one)

    chosen: list[Offer] = []
    for offer in mine:
        if set(offer.bound.rules) & set(one.rules) and set(offer.bound.values) & set(one.values):
            chosen.append(offer)
            if is_enough(chosen):
                break
    else:
        return ()
    for offer in list(chosen):
        rest = [other for other in chosen if other is not offer]
        if is_enough(rest):
            chosen = rest
    return tuple(chosen)
