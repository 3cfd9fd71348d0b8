"""Break-glass: who may, for what, for how long, and whether somebody looked at it afterwards."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from secgate import overrides
from secgate.errors import SignatureError
from secgate.hearing import Refused
from secgate.model import Decision, KnownStatement, Outcome, encode
from secgate.overrides import Given, Limits, Override, ReviewStatement
from secgate.people import People, Person
from secgate.waivers import statement_id
from tests.factories import DAY, HOUR, NOW, decision, target

PEOPLE = People(
    persons=(Person(id="ada", roles=("approver",)), Person(id="eve", roles=("break-glass",)), Person(id="gil"))
)
COMMIT = "c" * 40


def override(**changes: Any) -> Override:
    values: dict[str, Any] = {
        "repository": "example.org/shop",
        "line": "main",
        "reason": "the shop is down",
        "by": "eve",
        "given_epoch_s": NOW,
        "until_epoch_s": NOW + 6 * HOUR,
    }
    return Override(**(values | changes))


def review(said: Override | None = None, **changes: Any) -> ReviewStatement:
    values: dict[str, Any] = {
        "override": statement_id(encode(said or override())),
        "by": "ada",
        "word": "justified",
        "reason": "read the incident",
        "reviewed_epoch_s": NOW + DAY,
    }
    return ReviewStatement(**(values | changes))


def stated(value: Override | ReviewStatement | bytes, by: str, *, at: int = NOW, kind: str = "") -> KnownStatement:
    data = value if isinstance(value, bytes) else encode(value)
    kind = kind or (overrides.GIVEN if isinstance(value, Override) else overrides.REVIEWED)
    return KnownStatement(sequence=at, type=kind, statement=data.decode(), signature=by, at_epoch_s=at)


def check(one: KnownStatement, namespace: str) -> str:
    assert namespace == overrides.NAMESPACES[one.type]
    if one.signature == "nobody":
        raise SignatureError("the signature does not verify", remedy="")
    return one.signature


def gathered(*statements: KnownStatement) -> tuple[tuple[Given, ...], tuple[Refused, ...]]:
    return overrides.gather(statements, check=check, people=PEOPLE)


def stands(*statements: KnownStatement, now: int = NOW, **limits: int) -> overrides.Standing:
    (given,), refused = gathered(*statements)
    assert refused == ()
    return overrides.standing(given, now_epoch_s=now, limits=Limits(**limits))


@pytest.mark.parametrize(
    ("until", "now", "is_in_force"),
    [(6 * HOUR, 6 * HOUR - 1, True), (6 * HOUR, 6 * HOUR, False), (99 * HOUR, DAY - 1, True), (99 * HOUR, DAY, False)],
)
def test_it_ends_to_the_second_and_after_a_day_whatever_it_says(until: int, now: int, is_in_force: bool) -> None:
    said = override(until_epoch_s=NOW + until)
    assert stands(stated(said, "eve"), now=NOW + now).in_force is is_in_force


def test_the_ledgers_time_counts_and_not_the_one_that_is_said() -> None:
    said = override(given_epoch_s=NOW + DAY, until_epoch_s=NOW + 2 * DAY)
    assert stands(stated(said, "eve", at=NOW)).until_epoch_s == NOW + DAY


def test_a_policy_may_be_stricter() -> None:
    assert stands(stated(override(), "eve"), longest_s=HOUR).until_epoch_s == NOW + HOUR


def test_without_the_role_it_is_void_and_not_forgotten() -> None:
    found = stands(stated(override(by="gil"), "gil"))
    assert (found.in_force, found.deviation) == (False, False)
    assert found.given.void == "`gil` may not override: the role `break-glass` is missing in people.toml"


@pytest.mark.parametrize(
    ("at", "word", "now", "state", "deviation"),
    [
        (None, "", 5 * DAY, "pending", False),
        (None, "", 5 * DAY + 1, "missing", True),
        (5 * DAY, "justified", 9 * DAY, "reviewed", False),
        (5 * DAY + 1, "justified", 9 * DAY, "late", True),
        (DAY, "not-justified", 9 * DAY, "reviewed", True),
    ],
)
def test_it_is_reviewed_in_time_or_a_deviation(at: int | None, word: Any, now: int, state: str, deviation: Any) -> None:
    said = [stated(override(), "eve")]
    said += [] if at is None else [stated(review(word=word), "ada", at=NOW + at)]
    found = stands(*said, now=NOW + now)
    assert (found.review, found.deviation) == (state, deviation)


EXTRA = msgspec.json.decode(encode(override())) | {"repositories": ["all"]}


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        ([stated(override(), "nobody")], "does not verify"),
        ([stated(override(), "machine:ci")], "nobody of people.toml"),
        ([stated(override(), "ada")], "it names `eve` and `ada` signed it"),
        ([stated(encode(EXTRA), "eve", kind=overrides.GIVEN)], "unknown field `repositories`"),
        ([stated(b'{"schema":"secgate/override/v1"}', "eve", kind=overrides.GIVEN)], "does not read"),
        ([stated(override(), "eve"), stated(review(by="eve"), "eve")], "cannot review"),
        ([stated(override(), "eve"), stated(review(by="gil"), "gil")], "the role `approver` is missing"),
        ([stated(override(), "eve"), stated(review(), "eve")], "it names `ada` and `eve` signed it"),
        ([stated(review(), "ada")], "there is no override"),
    ],
)
def test_what_counts_for_nothing(statements: list[KnownStatement], told: str) -> None:
    found, refused = gathered(*statements)
    assert told in refused[-1].why
    assert all(one.word is None for one in found)


def test_what_is_said_of_another_repository_is_not_looked_at() -> None:
    foreign = override(repository="example.org/other")
    unread = stated(b"", "x", kind=overrides.GIVEN)
    said = [stated(foreign, "eve"), stated(review(foreign), "ada"), stated(override(), "eve"), unread]
    assert overrides.about(said, repository="example.org/shop") == tuple(said[2:])


@pytest.mark.parametrize(
    ("said", "changes", "holds"),
    [
        ({}, {}, True),
        ({}, {"line": "release"}, False),
        ({}, {"repository": "example.org/other"}, False),
        ({}, {"fork": True}, False),
        ({}, {"dirty": True}, True),
        ({"commit": COMMIT}, {}, True),
        ({"commit": COMMIT}, {"commit": "d" * 40}, False),
        ({"commit": COMMIT}, {"dirty": True}, False),
    ],
)
def test_it_holds_for_its_line_and_commit_alone(said: dict[str, Any], changes: dict[str, Any], holds: bool) -> None:
    run = target(**({"repository": "example.org/shop", "line": "main", "commit": COMMIT, "fork": False} | changes))
    found = overrides.in_force([stands(stated(override(**said), "eve"))], run)
    assert (found is not None) is holds


def under(outcome: Outcome) -> Decision:
    return overrides.overridden(decision(outcome), stands(stated(override(ticket="INC-7"), "eve")))


@pytest.mark.parametrize(
    ("outcome", "code", "words", "told"),
    [
        (Outcome.FAIL, 0, " (OVERRIDDEN, NOT ENFORCED)", "OVERRIDDEN until 2026-01-01 06:00:00 UTC by eve: the shop"),
        (Outcome.INCONCLUSIVE, 0, " (OVERRIDDEN, NOT ENFORCED)", "OVERRIDDEN until"),
        (Outcome.PASS, 0, " (AN OVERRIDE IS IN FORCE)", "was not needed, until"),
        (Outcome.POLICY_ERROR, 4, "", "does not cover this"),
        (Outcome.LEDGER_ERROR, 5, "", "does not cover this"),
        (Outcome.INTERNAL_ERROR, 70, "", "does not cover this"),
        (Outcome.USAGE_ERROR, 2, "", "does not cover this"),
    ],
)
def test_it_changes_the_exit_code_of_two_outcomes(outcome: Outcome, code: int, words: str, told: str) -> None:
    made = under(outcome)
    assert (made.outcome, made.all_outcomes, made.mode) == (outcome, decision(outcome).all_outcomes, "overridden")
    assert made.exit_code == code
    assert overrides.mode_words(made) == words
    assert told in overrides.override_words(made)
    assert "(INC-7)" in overrides.override_words(made)
