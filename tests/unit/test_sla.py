"""Boundaries are to the second; nothing recorded is loosened."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secgate.model import Obligation
from secgate.sla import added, closing, due_epoch_s, earliest, is_overdue, left_s, length_words, standing_words

DAY = 86400


def duty(basis: str = "severity:high", start: int = 0, limit: int = 7 * DAY, **more: object) -> Obligation:
    return Obligation(finding="f", basis=basis, start_epoch_s=start, limit_s=limit, **more)  # type: ignore[arg-type]


duties = st.lists(
    st.builds(
        duty,
        basis=st.sampled_from(["a", "b", "c"]),
        start=st.integers(0, 1000),
        limit=st.integers(1, 1000),
        superseded=st.booleans(),
    )
)


@pytest.mark.parametrize(("now", "overdue"), [(DAY - 1, False), (DAY, False), (DAY + 1, True)])
def test_equal_is_within(now: int, overdue: bool) -> None:
    assert is_overdue([duty(limit=DAY)], now_epoch_s=now) is overdue


def test_earliest_standing_duty_counts() -> None:
    late, soon, gone = duty(limit=9), duty("kev", limit=5), duty("old", limit=1, superseded=True)
    assert earliest([late, gone, soon]) == soon
    assert due_epoch_s([gone]) is None
    assert left_s([late], now_epoch_s=10) == -1


@given(duties, st.integers(0, 3000))
def test_superseding_never_shortens_and_order_does_not_matter(held: list[Obligation], now: int) -> None:
    assert earliest(held) == earliest(list(reversed(held)))
    standing = [one for one in held if not one.superseded]
    assert is_overdue(held, now_epoch_s=now) == any(one.due_epoch_s < now for one in standing)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (307, "5 min 7 s"),
        (3600, "1 h"),
        (19 * 3600 + 120, "19 h 2 min"),
        (DAY, "24 h"),
        (2 * DAY - 1, "47 h 59 min"),
        (2 * DAY, "2 d"),
        (2 * DAY + 3 * 3600 + 59, "2 d 3 h"),
        (90 * DAY, "90 d"),
    ],
)
def test_length_words(seconds: int, words: str) -> None:
    assert length_words(seconds) == words


def test_negative_length_is_refused() -> None:
    with pytest.raises(ValueError, match="not negative"):
        length_words(-1)


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (5 * 3600, "19 h of 24 h left"),
        (DAY, "due now"),
        (DAY + 1, "overdue by 1 s"),
        (DAY + 2 * DAY + 3 * 3600, "overdue by 2 d 3 h"),
    ],
)
def test_standing_words(now: int, words: str) -> None:
    assert standing_words([duty(limit=DAY)], now_epoch_s=now) == words
    assert standing_words([], now_epoch_s=now) == "no limit"


def test_standing_of_a_duty_that_has_not_begun() -> None:
    assert standing_words([duty(start=7200)], now_epoch_s=0) == "starts in 2 h"


def test_added_leaves_out_what_is_held() -> None:
    fresh = duty("kev", limit=3)
    decided = [duty(limit=1), fresh, duty("kev", limit=9), duty("old", limit=1)]
    recorded = {"f": (duty(), duty("old", superseded=True))}
    assert added(decided, recorded=recorded) == (fresh,)


@given(duties, duties)
def test_added_never_moves_a_due_time_back(decided: list[Obligation], held: list[Obligation]) -> None:
    before = due_epoch_s(held)
    after = due_epoch_s([*held, *added(decided, recorded={"f": held})])
    assert before is None or (after is not None and after <= before)


@pytest.mark.parametrize(
    ("closed", "waived", "said"),
    [
        (DAY, [], "met"),
        (DAY + 1, [], "missed"),
        (5 * DAY, [(0, 5 * DAY)], "excepted"),
        (5 * DAY + 1, [(0, 5 * DAY)], "missed"),
        (5 * DAY, [(DAY, 6 * DAY)], "excepted"),
        (5 * DAY, [(DAY + 1, 6 * DAY)], "missed"),
        (5 * DAY, [(3 * DAY, 6 * DAY), (0, 3 * DAY)], "excepted"),
        (5 * DAY, [(3 * DAY + 1, 6 * DAY), (0, 3 * DAY)], "missed"),
    ],
)
def test_how_it_was_closed(closed: int, waived: list[tuple[int, int]], said: str) -> None:
    assert closing([duty(limit=DAY)], closed_epoch_s=closed, waived=waived) == said
    assert closing([], closed_epoch_s=closed, waived=waived) == "met"
