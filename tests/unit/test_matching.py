"""Matching: one to one, whatever the order, nothing new and absent at once."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from secgate.matching import Matching, Tier, match
from secgate.model import Fingerprint, KnownFinding, Lane, Rename, Severity


def _known(value: str, **more: object) -> KnownFinding:
    fields: dict[str, object] = {
        "fingerprint": value,
        "algorithm": "secgate/v1",
        "lane": Lane.SAST,
        "weakness": "w",
        "severity": Severity.HIGH,
        "path": "a",
        "anchor": value,
    }
    return KnownFinding(**(fields | more))  # type: ignore[arg-type]


def _alias(*values: str) -> tuple[Fingerprint, ...]:
    return tuple(Fingerprint(algorithm="secgate/v1", value=value) for value in values)


_SOME = st.builds(
    lambda path, weakness, symbol, anchor, ordinal, lane, severity, alias: _known(
        f"{path}{weakness}{symbol}{anchor}{ordinal}{lane}",
        path=path,
        weakness=weakness,
        symbol=symbol,
        anchor=anchor,
        ordinal=ordinal,
        lane=lane,
        severity=severity,
        aliases=_alias(*alias),
    ),
    st.sampled_from("ab"),
    st.sampled_from("vw"),
    st.sampled_from(["", "f"]),
    st.sampled_from("xyz"),
    st.integers(1, 2),
    st.sampled_from([Lane.SAST, Lane.DEPENDENCIES]),
    st.sampled_from(list(Severity)),
    st.lists(st.sampled_from("123"), max_size=2),
)
_SIDE = st.lists(_SOME, max_size=8, unique_by=lambda one: one.fingerprint)
_RENAMES = st.sampled_from([(), (Rename(old="a", new="b"),), (Rename(old="a", new="b"), Rename(old="b", new="a"))])


def _named(now: Sequence[KnownFinding], then: Sequence[KnownFinding], done: Matching) -> set[tuple[str, str, str]]:
    return {(now[pair.now].fingerprint, then[pair.then].fingerprint, pair.tier.value) for pair in done.pairs}


@settings(deadline=None)
@given(_SIDE, _SIDE, _RENAMES)
def test_one_to_one(now: list[KnownFinding], then: list[KnownFinding], renames: tuple[Rename, ...]) -> None:
    done = match(now, then, renames)
    assert len({pair.now for pair in done.pairs}) == len(done.pairs) == len({pair.then for pair in done.pairs})
    assert not {pair.then for pair in done.pairs} & {at for _, at in done.merged}
    assert not {pair.now for pair in done.pairs} & {at for at, _ in done.split}


@settings(deadline=None)
@given(_SIDE, _SIDE, _RENAMES, st.randoms(use_true_random=False))
def test_order_does_not_matter(
    now: list[KnownFinding], then: list[KnownFinding], renames: tuple[Rename, ...], chance: random.Random
) -> None:
    expected = _named(now, then, match(now, then, renames))
    others, more = list(now), list(then)
    chance.shuffle(others)
    chance.shuffle(more)
    assert _named(others, more, match(others, more, renames)) == expected


@settings(deadline=None)
@given(_SIDE, _SIDE)
def test_the_same_fingerprint_is_never_left_on_both_sides(now: list[KnownFinding], then: list[KnownFinding]) -> None:
    done = match(now, then)
    new = {one.fingerprint for at, one in enumerate(now) if at not in {pair.now for pair in done.pairs}}
    gone = {one.fingerprint for at, one in enumerate(then) if at not in {pair.then for pair in done.pairs}}
    assert not new & gone


@settings(deadline=None)
@given(_SIDE)
def test_matching_with_itself_is_exact(side: list[KnownFinding]) -> None:
    assert {pair.tier for pair in match(side, side).pairs} <= {Tier.EXACT}
    assert len(match(side, side).pairs) == len(side)


def test_edited_is_not_for_what_is_worse() -> None:
    before = _known("1", severity=Severity.MEDIUM)
    assert not match([_known("2", severity=Severity.HIGH)], [before]).pairs
    assert match([_known("2", severity=Severity.LOW)], [before]).pairs[0].tier is Tier.EDITED


def test_another_advisory_is_not_an_edit() -> None:
    assert not match([_known("1", lane=Lane.DEPENDENCIES)], [_known("2", lane=Lane.DEPENDENCIES)]).pairs


def test_ambiguous_is_said() -> None:
    then = [_known("1", start_line=1), _known("2", start_line=9)]
    (pair,) = match([_known("3")], then).pairs
    assert (pair.then, pair.tier, pair.ambiguous) == (0, Tier.EDITED, True)


def test_a_twin_that_one_tool_does_not_see_stays_new() -> None:
    then = [_known("1", aliases=_alias("A1", "B1"))]
    now = [_known("1", aliases=_alias("A1")), _known("2", anchor="1", aliases=_alias("A2", "B1"))]
    done = match(now, then)
    assert [pair.now for pair in done.pairs] == [0]
    assert not done.split


def test_linear_on_twins() -> None:
    now = [_known(f"n{at}", anchor="same", severity=Severity.HIGH) for at in range(20_000)]
    then = [_known(f"t{at}", anchor="else", severity=Severity.LOW) for at in range(20_000)]
    assert not match(now, then).pairs
