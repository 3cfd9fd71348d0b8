"""What is a part of an edited, moved or renamed finding, though no name tells so any more.

Names are made of the place and the text, so where an edited crosswalk splits what was edited or renamed since the run
before, no part but the one that is paired has a name in common with it. What its rules were witnesses of tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from secgate.model import KnownFinding, Lane

_Place: TypeAlias = tuple[str, Lane, str, str, int]


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


def _is_told(one: KnownFinding) -> bool:
    return bool(one.anchor and one.rules and one.start_line) and one.lane not in (Lane.SECRETS, Lane.DEPENDENCIES)


def _place(one: KnownFinding) -> _Place:
    return one.path, one.lane, one.symbol, one.anchor, one.ordinal
