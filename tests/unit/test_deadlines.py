"""Duties in words: what each rests on, however an organisation names it."""

from __future__ import annotations

import pytest

from secgate.deadlines import duty_words, state_of
from secgate.model import Obligation

DAY = 86400


def duty(basis: str, start: int = 0, limit: int = 3 * DAY) -> Obligation:
    return Obligation(finding="f", basis=basis, start_epoch_s=start, limit_s=limit)


@pytest.mark.parametrize(
    ("basis", "words"),
    [
        ("severity:high", "high severity"),
        ("severity:high:exposed", "high severity in exposed"),
        ("baseline:low", "known debt, listed as low"),
        ("known-exploited", "known to be exploited"),
        ("known-exploited:exposed", "known to be exploited, and exposed"),
        ("epss:v2026.06.15", "likely to be exploited, by EPSS model v2026.06.15"),
        ("bod-26-04:3-days", "BOD 26-04"),
        ("exposed:workflow", "exposed:workflow"),
        ("mine:{0.__class__}:{x}", "mine:{0.__class__}:{x}"),
    ],
)
def test_what_a_duty_rests_on(basis: str, words: str) -> None:
    assert duty_words(duty(basis)) == f"{words} allows 3 d from 1970-01-01 00:00 UTC, so it is due 1970-01-04 00:00 UTC"


@pytest.mark.parametrize(
    ("now", "waived_until", "state"),
    [
        (3 * DAY, 0, "within"),
        (3 * DAY, 9 * DAY, "within"),
        (3 * DAY + 1, 0, "overdue"),
        (3 * DAY + 1, 9 * DAY, "waived"),
        (9 * DAY, 9 * DAY, "overdue"),
    ],
)
def test_standing_to_the_second(now: int, waived_until: int, state: str) -> None:
    assert state_of([duty("severity:high")], waived_until_epoch_s=waived_until, now_epoch_s=now) == state
    assert state_of([], waived_until_epoch_s=waived_until, now_epoch_s=now) == "no-limit"
