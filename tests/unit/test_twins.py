"""Twins: exactly as many are waived as there are waivers, whatever is added, removed or put in another order."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from secgate.model import Finding, Lane, RawResult, Region
from secgate.twins import TwinWaiver, share_out, twin_group
from tests.unit.identity_kit import compared, findings_of, found_in, normalised, scan_of


def _twins(count: int, between: str = "") -> tuple[Finding, ...]:
    return found_in({"a.py": "def f(x):\n" + f"    eval(x)\n{between}" * count})


def _waivers(*findings: Finding) -> list[TwinWaiver]:
    return [TwinWaiver(fingerprint=one.fingerprint, group=twin_group(one)) for one in findings]


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 5), st.integers(0, 6), st.integers(1, 5), st.randoms(use_true_random=False))
def test_as_many_as_there_are_waivers(before: int, waived: int, after: int, chance: random.Random) -> None:
    then, now = list(_twins(before)), list(_twins(after, "    y = 1\n"))
    waivers = _waivers(*chance.sample(then, min(waived, before)))
    given_out = share_out(now, waivers)
    assert len(given_out) == min(len(waivers), after)
    assert len(set(given_out.values())) == len(given_out)
    chance.shuffle(now)
    assert share_out(now, waivers) == given_out


def test_its_own_waiver_comes_first() -> None:
    first, second, third = _twins(3)
    assert share_out([first, second, third], _waivers(third)) == {third.fingerprint: 0}


def test_two_waivers_of_one_finding_are_one() -> None:
    first, second = _twins(2)
    assert share_out([first, second], _waivers(first, first)) == {first.fingerprint: 0}


def test_a_waiver_is_for_no_statement_that_is_another() -> None:
    (waived,) = _twins(1)
    others = found_in({"a.py": "def f(x):\n    eval(y)\n", "b.py": "def f(x):\n    eval(x)\n"})
    assert share_out(others, _waivers(waived)) == {}


def test_an_older_name_counts() -> None:
    before, after = {"a.py": "def f(x):\n    eval(x)\n"}, {"a.py": "def f(x):\n    eval(x + 1)\n"}
    (then,), (now,) = found_in(before), compared(before, after).findings
    assert share_out([now], _waivers(then)) == {now.fingerprint: 0}


def test_secrets_are_never_twins() -> None:
    text = 'A = {\n    "token": "q8Zk2pLw",\n    "token": "w9Xv4rTm",\n}\n'
    raws = [RawResult(rule="k", message="m", path="a.py", region=Region(start_line=line)) for line in (2, 3)]
    done = findings_of(normalised({"a.py": text}, [scan_of("s", raws, Lane.SECRETS)]))
    first, second = done.findings
    assert share_out([second], _waivers(first)) == {}
