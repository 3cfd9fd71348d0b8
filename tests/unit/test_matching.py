"""Matching: one to one, whatever the order, nothing new and absent at once."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secgate.matching import NEAR_LINES, Matching, Tier, match
from secgate.model import Fingerprint, KnownFinding, Lane, Rename, Severity
from tests.work import calls_of


def _known(value: str, **more: object) -> KnownFinding:
    fields: dict[str, object] = {
        "fingerprint": value,
        "algorithm": "secgate/v1",
        "lane": Lane.SAST,
        "weakness": "w",
        "severity": Severity.HIGH,
        "path": "a",
        "anchor": value,
        "start_line": 1,
    }
    return KnownFinding(**(fields | more))  # type: ignore[arg-type]


def _alias(*values: str) -> tuple[Fingerprint, ...]:
    return tuple(Fingerprint(algorithm="secgate/v1", value=value) for value in values)


_SOME = st.builds(
    lambda path, weakness, symbol, anchor, ordinal, lane, severity, alias, line, rules: _known(
        f"{path}{weakness}{symbol}{anchor}{ordinal}{lane}",
        path=path,
        weakness=weakness,
        symbol=symbol,
        anchor=anchor,
        ordinal=ordinal,
        lane=lane,
        severity=severity,
        aliases=_alias(*alias),
        start_line=line,
        scanners=("tool",),
        rules=tuple(("tool", rule) for rule in sorted(rules)),
    ),
    st.sampled_from("ab"),
    st.sampled_from("vw"),
    st.sampled_from(["", "f"]),
    st.sampled_from("xyz"),
    st.integers(1, 2),
    st.sampled_from([Lane.SAST, Lane.DEPENDENCIES]),
    st.sampled_from(list(Severity)),
    st.lists(st.sampled_from("123"), max_size=2),
    st.sampled_from([1, 2, 90, 300]),
    st.sets(st.sampled_from("rst"), max_size=2),
)
_SIDE = st.lists(_SOME, max_size=8, unique_by=lambda one: one.fingerprint)
_RENAMES = st.sampled_from([(), (Rename(old="a", new="b"),), (Rename(old="a", new="b"), Rename(old="b", new="a"))])


def _named(now: Sequence[KnownFinding], then: Sequence[KnownFinding], done: Matching) -> set[tuple[object, ...]]:
    """Everything that a matching says, by fingerprint."""
    found: set[tuple[object, ...]] = {
        (now[pair.now].fingerprint, then[pair.then].fingerprint, pair.tier, pair.ambiguous) for pair in done.pairs
    }
    found |= {("merged", now[one].fingerprint, then[other].fingerprint) for one, other in done.merged}
    found |= {("split", now[one].fingerprint, then[other].fingerprint) for one, other in done.split}
    return found | {("unsure", now[at].fingerprint) for at in done.unsure}


@settings(deadline=None)
@given(_SIDE, _SIDE, _RENAMES, st.booleans())
def test_one_to_one(
    now: list[KnownFinding], then: list[KnownFinding], renames: tuple[Rename, ...], across_tools: bool
) -> None:
    done = match(now, then, renames, across_tools=across_tools)
    assert len({pair.now for pair in done.pairs}) == len(done.pairs) == len({pair.then for pair in done.pairs})
    assert not {pair.then for pair in done.pairs} & {at for _, at in done.merged}
    assert not {pair.now for pair in done.pairs} & {at for at, _ in done.split}


@settings(deadline=None)
@given(_SIDE, _SIDE, _RENAMES, st.booleans(), st.randoms(use_true_random=False))
def test_order_does_not_matter(
    now: list[KnownFinding],
    then: list[KnownFinding],
    renames: tuple[Rename, ...],
    across_tools: bool,
    chance: random.Random,
) -> None:
    expected = _named(now, then, match(now, then, renames, across_tools=across_tools))
    others, more = list(now), list(then)
    chance.shuffle(others)
    chance.shuffle(more)
    assert _named(others, more, match(others, more, renames, across_tools=across_tools)) == expected


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


def test_a_rule_of_another_name_is_known_only_where_the_tool_may_be_another() -> None:
    before = _known("1", weakness="tool:old", anchor="t", symbol="f", scanners=("tool",))
    after = _known("2", weakness="tool:new", anchor="t", symbol="f", scanners=("tool",), severity=Severity.CRITICAL)
    assert not match([after], [before]).pairs
    assert [pair.tier for pair in match([after], [before], across_tools=True).pairs] == [Tier.RULE]
    other = _known("3", weakness="else:new", anchor="t", symbol="f", scanners=("else",))
    assert not match([other], [before], across_tools=True).pairs


def test_of_two_rules_on_one_text_the_last_part_of_the_name_tells() -> None:
    before = [_known(name, weakness=f"t:old.{name}", anchor="t", scanners=("t",)) for name in "xy"]
    after = [_known(f"{name}2", weakness=f"t:new.place.{name}", anchor="t", scanners=("t",)) for name in "yx"]
    assert {(pair.now, pair.then) for pair in match(after, before, across_tools=True).pairs} == {(0, 1), (1, 0)}


def test_a_definition_carried_to_another_file_is_the_same_unless_there_are_two() -> None:
    before = _known("1", path="a", symbol="f", anchor="t")
    copies = [_known(name, path=name, symbol="f", anchor="t") for name in "bc"]
    assert [pair.tier for pair in match(copies[:1], [before]).pairs] == [Tier.CARRIED]
    assert not match(copies, [before]).pairs


def test_what_has_no_definition_around_it_is_not_carried() -> None:
    assert not match([_known("2", path="b", anchor="t")], [_known("1", anchor="t")]).pairs


@pytest.mark.parametrize(("line", "pairs"), [(20, 1), (20 + NEAR_LINES, 1), (21 + NEAR_LINES, 0)])
def test_without_a_definition_an_edit_is_known_by_its_neighbourhood(line: int, pairs: int) -> None:
    """What was mended at one end of a long file must not hide what was added at the other."""
    assert len(match([_known("2", start_line=line)], [_known("1", start_line=20)]).pairs) == pairs


def test_neighbours_that_moved_take_the_neighbourhood_along() -> None:
    before = [_known("n", start_line=10, weakness="v"), _known("1", start_line=12)]
    after = [_known("n", start_line=510, weakness="v"), _known("2", start_line=513)]
    assert [pair.tier for pair in match(after, before).pairs] == [Tier.EXACT, Tier.EDITED]
    assert len(match([after[0], _known("2", start_line=11)], before).pairs) == 1


def test_twins_whose_number_changed_are_called_ambiguous() -> None:
    before = [_known(str(at), anchor="t", symbol="f", ordinal=at) for at in (1, 2)]
    after = [_known(str(at), anchor="t", symbol="f", ordinal=at) for at in (1, 2, 3)]
    done = match(after, before)
    assert [pair.ambiguous for pair in done.pairs] == [True, True]
    assert done.unsure == {2}
    assert not any(pair.ambiguous for pair in match(before, before).pairs)


def test_growth_is_linear() -> None:
    """Ten times as many, every hundredth of them edited, take about ten times the calls."""

    def spent(count: int) -> int:
        now = [_known(f"{at}{'e' * (at % 100 == 0)}", path=f"p{at % 97}", start_line=at) for at in range(count)]
        then = [_known(str(at), path=f"p{at % 97}", start_line=at) for at in range(count * 95 // 100)]
        return calls_of(lambda: match(now, then))

    assert spent(20_000) < 12 * spent(2_000)


def test_linear_on_twins() -> None:
    now = [_known(f"n{at}", anchor="same", severity=Severity.HIGH) for at in range(20_000)]
    then = [_known(f"t{at}", anchor="else", severity=Severity.LOW) for at in range(20_000)]
    assert not match(now, then).pairs


@pytest.mark.parametrize(
    ("part", "stays", "is_part"),
    [
        ({}, {}, True),
        ({"rules": (("beta", "other"),)}, {}, False),
        ({"rules": (("beta", "b"), ("beta", "other"))}, {}, False),
        ({"severity": Severity.CRITICAL}, {}, False),
        ({"anchor": "elsewhere"}, {}, False),
        ({"symbol": "g"}, {}, False),
        ({"ordinal": 2}, {}, False),
        ({"rules": ()}, {}, False),
        ({}, {"rules": (("alpha", "a"), ("beta", "b"))}, False),
    ],
)
def test_of_what_is_split_and_renamed_at_once_rules_tell_the_part(
    part: dict[str, object], stays: dict[str, object], is_part: bool
) -> None:
    there = {"symbol": "f", "anchor": "x"}
    whole = _known("then", **there, weakness="v", rules=(("alpha", "a"), ("beta", "b")))
    one = _known("stays", **(there | {"path": "b", "weakness": "v", "rules": (("alpha", "a"),)} | stays))
    other = _known("part", **(there | {"path": "b", "weakness": "w", "rules": (("beta", "b"),)} | part))
    done = match([one, other], [whole], [Rename(old="a", new="b")])
    assert [(pair.now, pair.tier) for pair in done.pairs] == [(0, Tier.RENAMED)]
    assert done.split == (((1, 0),) if is_part else ())
