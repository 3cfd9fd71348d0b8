"""Twins: exactly as many are waived as there are waivers, whatever is added, removed or put in another order."""

from __future__ import annotations

import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from secgate.model import Finding, Lane, RawResult, Region
from secgate.twins import Seen, TwinWaiver, share_out, twin_group
from tests.unit.identity_kit import compared, findings_of, found_in, normalised, scan_of


def _twins(count: int, between: str = "") -> tuple[Finding, ...]:
    return found_in({"a.py": "def f(x):\n" + f"    eval(x)\n{between}" * count})


def _hold(at: int, one: Seen) -> tuple[int, ...]:
    """Every waiver holds for every finding."""
    del at, one
    return (0,)


def _waivers(*findings: Finding) -> list[TwinWaiver]:
    return [TwinWaiver(fingerprint=one.fingerprint, group=twin_group(one)) for one in findings]


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 5), st.integers(0, 6), st.integers(1, 5), st.randoms(use_true_random=False))
def test_as_many_as_there_are_waivers(before: int, waived: int, after: int, chance: random.Random) -> None:
    then, now = list(_twins(before)), list(_twins(after, "    y = 1\n"))
    waivers = _waivers(*chance.sample(then, min(waived, before)))
    given_out = share_out(map(Seen, now), waivers, _hold)
    assert len(given_out) == min(len(waivers), after)
    assert len(set(given_out.values())) == len(given_out)
    chance.shuffle(now)
    assert share_out(map(Seen, now), waivers, _hold) == given_out


def test_its_own_waiver_comes_first() -> None:
    first, second, third = _twins(3)
    assert share_out(map(Seen, [first, second, third]), _waivers(third), _hold) == {third.fingerprint: 0}


def test_two_waivers_of_one_finding_are_one() -> None:
    first, second = _twins(2)
    assert share_out(map(Seen, [first, second]), _waivers(first, first), _hold) == {first.fingerprint: 0}


def test_a_waiver_is_for_no_statement_that_is_another() -> None:
    (waived,) = _twins(1)
    others = found_in({"a.py": "def f(x):\n    eval(y)\n", "b.py": "def f(x):\n    eval(x)\n"})
    assert share_out(map(Seen, others), _waivers(waived), _hold) == {}


def test_an_older_name_counts() -> None:
    before, after = {"a.py": "def f(x):\n    eval(x)\n"}, {"a.py": "def f(x):\n    eval(x + 1)\n"}
    (then,), (now,) = found_in(before), compared(before, after).findings
    assert share_out(map(Seen, [now]), _waivers(then), _hold) == {now.fingerprint: 0}


def test_secrets_are_never_twins() -> None:
    text = 'A = {\n    "token": "q8Zk2pLw",\n    "token": "w9Xv4rTm",\n}\n'
    raws = [RawResult(rule="k", message="m", path="a.py", region=Region(start_line=line)) for line in (2, 3)]
    done = findings_of(normalised({"a.py": text}, [scan_of("s", raws, Lane.SECRETS)]))
    first, second = done.findings
    assert share_out(map(Seen, [second]), _waivers(first), _hold) == {}


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 4), st.lists(st.integers(0, 15), min_size=1, max_size=4))
def test_as_many_are_waived_as_waivers_can_hold(count: int, tables: list[int]) -> None:
    """Each table says, by its bits, for which of the twins one waiver holds, whose own finding is gone."""
    then = _twins(count + len(tables))
    now, waivers = then[:count], _waivers(*then[count:])
    places = {one.fingerprint: place for place, one in enumerate(now)}

    def holds(at: int, one: Finding) -> bool:
        return bool(tables[at] >> places[one.fingerprint] & 1)

    given_out = share_out(map(Seen, now), waivers, lambda at, one: (0 if holds(at, one.finding) else 1,))
    held = sum(holds(given_out[one.fingerprint], one) for one in now if one.fingerprint in given_out)
    hands = itertools.permutations([*range(len(tables)), *[None] * count], count)
    assert held == max(
        sum(at is not None and holds(at, one) for at, one in zip(hand, now, strict=True)) for hand in hands
    )
    # What holds for nothing is still said of whoever is left.
    assert len(given_out) == min(count, len(tables))
    assert len(set(given_out.values())) == len(given_out)
