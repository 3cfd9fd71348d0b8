"""What an edited crosswalk made of findings that go on: parts that no name tells, and witnesses of another's.

Names are made of the place and the text, so where an edited crosswalk splits what was edited or renamed since the run
before, no part but the one that is paired has a name in common with it. What its rules were witnesses of tells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from msgspec.structs import replace

from secgate.fingerprint import fingerprint, secret_fingerprint, weakness_fingerprint
from secgate.model import Fingerprint, KnownFinding, Lane
from secgate.placeless import is_spoken, is_untold

Key: TypeAlias = tuple[object, ...]
Pairs: TypeAlias = Sequence[tuple[int, int]]
"""Finding of now and of then, as places in the two lists."""
_Place: TypeAlias = tuple[str, Lane, str, str, int]


def every_name(one: KnownFinding) -> list[Key]:
    """Every fingerprint of a finding with its algorithm, its own first."""
    names = [(one.algorithm, one.fingerprint), *sorted((alias.algorithm, alias.value) for alias in one.aliases)]
    return list(dict.fromkeys(names))


def names_of(one: KnownFinding, rules: Iterable[str], *, path: str) -> list[Fingerprint]:
    """Give the names that witnesses, as `scanner:rule`, of its text would give it in a file."""
    place = {"path": path, "symbol": one.symbol}
    names = []
    for rule in sorted(rules):
        code = weakness_fingerprint(f"witness {rule}", **place, anchored=one.anchor, ordinal=one.ordinal)
        names += [code, secret_fingerprint(f"witness {rule}", **place, ordinal=one.ordinal)]
    return [fingerprint(value) for value in names]


def renamed(one: KnownFinding, path: str) -> KnownFinding:
    """Give it also under the names that it has in the file that its own was renamed to."""
    names = names_of(one, (f"{scanner}:{rule}" for scanner, rule in one.rules), path=path)
    return replace(one, aliases=tuple(dict.fromkeys((*one.aliases, *names))))


def kind_of(one: KnownFinding, fits: Callable[[KnownFinding], bool]) -> list[Key]:
    """What is said of one definition, where that `fits`."""
    return [(one.path, one.lane, one.weakness, one.symbol)] if fits(one) else []


def position_of(one: KnownFinding) -> tuple[str, int, int, str, str]:
    """What findings are put in order by."""
    return one.path, one.start_line, one.ordinal, one.weakness, one.fingerprint


def merges_and_splits(
    now: Sequence[KnownFinding],
    then: Sequence[KnownFinding],
    pairs: Pairs,
    left: tuple[Sequence[int], Sequence[int]],
) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
    """Find merges and splits: a fingerprint in common with a finding that is paired with another.

    `left` is what is not paired, of now and of then. With the same weakness that is a twin which one of two tools does
    not see: then it stays new or absent. An advisory has no twins: there it is one that learned, or lost, a name of the
    other. Nor has what is known by its message.
    """
    left_now, left_then = left
    if not left_now and not left_then:
        return (), ()
    gone = {name for at in left_then for name in every_name(then[at])}
    come = {name for at in left_now for name in every_name(now[at])}
    parts = {**parts_beside(now, then, pairs, left_now), **_parts(now, then, pairs, left_now)}
    homes = _homes(gone, now, [pair[0] for pair in pairs])
    origins = _homes(come, then, [pair[1] for pair in pairs])
    merged = ((home, at) for at in left_then if (home := _home(then[at], homes, now)) >= 0)
    split = ((at, was) for at in left_now if (was := parts.get(at, _home(now[at], origins, then))) >= 0)
    return tuple(sorted(merged)), tuple(sorted(split))


def _parts(
    now: Sequence[KnownFinding], then: Sequence[KnownFinding], pairs: Pairs, left: Sequence[int]
) -> Mapping[int, int]:
    """Give, for what is left of now, the finding that may have held it: one from before messages told them apart."""
    wholes = {key: was for _, was in pairs for key in kind_of(then[was], is_untold)}
    kinds = {at: kind_of(now[at], is_spoken) for at in left} if wholes else {}
    return {at: wholes[key] for at, keys in kinds.items() for key in keys if key in wholes}


def _homes(wanted: set[Key], side: Sequence[KnownFinding], paired: Iterable[int]) -> Mapping[Key, list[int]]:
    """Give which paired findings of a side have each of the wanted names."""
    found: dict[Key, list[int]] = {}
    for at in paired if wanted else ():
        one = side[at]
        for name in ((one.algorithm, one.fingerprint), *((alias.algorithm, alias.value) for alias in one.aliases)):
            if name in wanted:
                found.setdefault(name, []).append(at)
    return found


def _home(one: KnownFinding, homes: Mapping[Key, list[int]], side: Sequence[KnownFinding]) -> int:
    fitting = {
        at
        for name in every_name(one)
        for at in homes.get(name, ())
        if one.lane is Lane.DEPENDENCIES or side[at].weakness != one.weakness or is_spoken(one)
    }
    # Names of what was split off before are kept: whoever sees it last is the one it was with.
    rules, scanners = set(one.rules), set(one.scanners)

    def fit(at: int) -> tuple[object, ...]:
        return not rules <= set(side[at].rules), not scanners <= set(side[at].scanners), position_of(side[at])

    return min(fitting, key=fit, default=-1)


def parts_beside(
    now: Sequence[KnownFinding], then: Sequence[KnownFinding], pairs: Iterable[tuple[int, int]], left: Sequence[int]
) -> Mapping[int, int]:
    """Give, for what is `left` of now, the finding of then that held it; `pairs` are (now, then).

    It stands at the very place of what that became, under another weakness; all its rules were witnesses
    of that and are not of what it became; and it is not worse than that was. Anything else at that place came anew.
    """
    wanted = {_place(now[at]) for at in left if _is_told(now[at])}
    beside: dict[_Place, list[tuple[int, int]]] = {}
    for pair in pairs if wanted else ():
        if (place := _place(now[pair[0]])) in wanted:
            beside.setdefault(place, []).append(pair)
    found: dict[int, int] = {}
    for at in left if beside else ():
        one = now[at]
        around = beside.get(_place(one), []) if _is_told(one) else []
        for stays, was in sorted(around, key=lambda pair: now[pair[0]].fingerprint):
            whole, rules = then[was], set(one.rules)
            is_split = rules <= set(whole.rules) and rules.isdisjoint(now[stays].rules)
            if is_split and one.weakness != now[stays].weakness and one.severity.rank <= whole.severity.rank:
                found.setdefault(at, was)
    return found


def taken_over(
    now: Sequence[KnownFinding],
    then: Sequence[KnownFinding],
    pairs: Pairs,
    merged: Pairs,
    split: Pairs,
) -> tuple[tuple[int, int], ...]:
    """Give, as (now, then), what is seen by a rule that was another finding's witness at this very place, sorted.

    `pairs`, `merged` and `split` say already of which finding it is. An advisory shares its names with others as it is.
    """
    was: dict[int, set[int]] = {}
    for at, before in (*(pair for pair in pairs if now[pair[0]].rules != then[pair[1]].rules), *split):
        was.setdefault(at, set()).add(before)
    for at, before in merged if was else ():
        if at in was:
            was[at].add(before)
    wanted: dict[str, list[int]] = {}
    for at, befores in was.items():
        if now[at].lane is not Lane.DEPENDENCIES and _new_rules(now[at], then, befores):
            for name in now[at].aliases:
                wanted.setdefault(name.value, []).append(at)
    found: set[tuple[int, int]] = set()
    for before, one in enumerate(then if wanted else ()):
        for name in one.aliases:
            for at in wanted.get(name.value, ()):
                is_other = before not in was[at] and one.weakness != now[at].weakness
                if is_other and _new_rules(now[at], then, was[at]) & set(one.rules):
                    found.add((at, before))
    return tuple(sorted(found))


def _new_rules(one: KnownFinding, then: Sequence[KnownFinding], befores: Iterable[int]) -> set[tuple[str, str]]:
    return set(one.rules).difference(*(then[before].rules for before in befores))


def _is_told(one: KnownFinding) -> bool:
    return bool(one.anchor and one.rules and one.start_line) and one.lane not in (Lane.SECRETS, Lane.DEPENDENCIES)


def _place(one: KnownFinding) -> _Place:
    return one.path, one.lane, one.symbol, one.anchor, one.ordinal
