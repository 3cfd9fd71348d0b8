"""An edited statement is told from another one by the words that it keeps; each case was met in real history."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secgate.languages.tokens import normalised
from secgate.likeness import ALIKE, MUCH_ALIKE, likeness, sketch, word_count
from secgate.matching import Tier, match
from secgate.model import KnownFinding, Lane, Severity
from tests.ledger_support import fingerprint


def known(
    text: str, *, line: int = 1, path: str = "a.py", symbol: str = "reset", severity: Severity = Severity.LOW
) -> KnownFinding:
    tokens = normalised("python", text)
    return KnownFinding(
        fingerprint=fingerprint(f"{path}:{symbol}:{text}:{line}"),
        algorithm="secgate/v1",
        lane=Lane.SAST,
        weakness="assert-in-code",
        severity=severity,
        path=path,
        symbol=symbol,
        anchor=fingerprint(" ".join(tokens)),
        start_line=line,
        sketch=sketch(tokens),
    )


def paired(now: Sequence[KnownFinding], then: Sequence[KnownFinding]) -> list[tuple[int, int, Tier]]:
    return [(pair.now, pair.then, pair.tier) for pair in match(now, then).pairs]


def test_a_sketch_is_the_same_for_the_same_words_and_no_longer_than_sixteen() -> None:
    words = " ".join(f"name{number}" for number in range(90))
    assert sketch([words]) == sketch(reversed(words.split()))
    assert (word_count(sketch([words])), word_count(sketch(["a b a"])), sketch([])) == (16, 2, "")


def test_of_several_edited_statements_each_goes_on_with_the_one_it_was() -> None:
    then = [
        known('assert key[:4] == "key_", "No key at all."', line=1),
        known('assert user is not None, "Missing user."', line=2),
        known('assert moment is not None, "Missing moment."', line=3),
    ]
    now = [
        known('assert one == other, "They differ in length."', line=1),
        known('assert user, "Missing user."', line=2),
        known('assert moment, "Missing moment."', line=3),
    ]
    assert paired(now, then) == [(1, 1, Tier.EDITED), (2, 2, Tier.EDITED)]


def test_another_statement_in_the_same_definition_is_new_though_one_went() -> None:
    then = [known('assert old_password, "Missing old password"')]
    now = [known('assert 0 <= time() - login <= limit, "Log in again, it is too long ago"')]
    assert paired(now, then) == []


def test_an_edited_statement_is_kept_where_its_definition_went_to_another_file() -> None:
    then = [known('row = await db.fetchone(f"SELECT * FROM {table} LIMIT 1", values)', path="crud.py")]
    now = [known('return await db.fetchone(f"SELECT * FROM {table} LIMIT 1", values, Row)', path="crud/rows.py")]
    assert paired(now, then) == [(0, 0, Tier.REWORKED)]


def test_twins_go_to_another_file_together() -> None:
    then = [known("except Exception:", path="old.py", line=line) for line in (5, 9)]
    now = [known("except Exception:", path="new.py", line=line) for line in (15, 19)]
    pairs = match(now, then).pairs
    assert [(pair.now, pair.then, pair.ambiguous) for pair in pairs] == [(0, 0, True), (1, 1, True)]


def test_a_long_text_is_known_in_another_file_by_itself() -> None:
    text = 'assert stop_name, "No function to stop the work was found in this module"'
    then, now = [known(text, path="helpers.py", symbol="_stop")], [known(text, path="manager.py", symbol="stop")]
    assert paired(now, then) == [(0, 0, Tier.CARRIED)]


def test_a_short_text_is_not() -> None:
    then, now = [known("return eval(text)", symbol="a")], [known("return eval(text)", path="b.py", symbol="b")]
    assert paired(now, then) == []


OLD = ['assert data.old, "Missing old password"', 'assert is_same, "Invalid credentials."']


def _at(texts: list[str], path: str, symbol: str) -> list[KnownFinding]:
    return [known(text, path=path, symbol=symbol, line=line) for line, text in enumerate(texts, 1)]


def test_short_texts_that_went_together_are_known_by_each_other() -> None:
    then = _at(OLD, "crud.py", "update")
    now = _at(['assert data.user, "Another check."', *OLD], "views.py", "change")
    assert paired(now, then) == [(1, 0, Tier.CARRIED), (2, 1, Tier.CARRIED)]


@pytest.mark.parametrize(
    "now",
    [
        _at(OLD[:1], "views.py", "change"),  # one alone
        _at(OLD[::-1], "views.py", "change"),  # in another order
        [*_at(OLD[:1], "views.py", "change"), *_at(OLD[1:], "views.py", "other")],  # in two definitions
        [*_at(OLD, "views.py", "change"), *_at(OLD, "more.py", "change")],  # written twice
        _at(OLD, "views.py", ""),  # in no definition
    ],
)
def test_short_texts_that_did_not_go_together_are_new(now: list[KnownFinding]) -> None:
    assert paired(now, _at(OLD, "crud.py", "update")) == []


def test_two_texts_of_the_same_few_words_are_too_little_even_together() -> None:
    texts = ["assert user, name", "assert name, user, text"]
    assert paired(_at(texts, "views.py", "change"), _at(texts, "crud.py", "update")) == []


def test_nothing_went_together_from_where_nobody_looked() -> None:
    then = _at(OLD, "crud.py", "update")
    assert not match(_at(OLD, "views.py", "change"), then, unseen=lambda _: True).pairs


def test_what_is_worse_than_it_was_is_new() -> None:
    then = [known('assert user is not None, "Missing user."')]
    now = [known('assert user, "Missing user."', severity=Severity.HIGH)]
    assert paired(now, then) == []


def test_a_record_without_a_sketch_is_matched_by_its_symbol_as_before() -> None:
    then = [known('assert user is not None, "Missing user."')]
    old = [KnownFinding(**{name: getattr(then[0], name) for name in then[0].__struct_fields__ if name != "sketch"})]
    assert paired([known("assert wholly.other(thing)")], old) == [(0, 0, Tier.EDITED)]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("proc = run(cmd, capture_output=True)", "proc = run(cmd, capture_output=True, check=False)", True),
        ("proc = Popen(cmd, stdout=PIPE)", "with Popen(cmd, stdout=PIPE) as proc:", True),
        ('execute(f"UPDATE t SET {x} WHERE id = ?", tuple(v))', 'execute(f"UPDATE t SET {x} WHERE id = :id", v)', True),
        ("return eval(text)", "return pickle.loads(blob)", False),
        ('assert a, "Invalid credentials."', 'assert b.id == c.id, "Wrong owner"', False),
    ],
)
def test_edited_and_other(one: str, other: str, *, same: bool) -> None:
    degree = likeness(*(sketch(normalised("python", text)) for text in (one, other)))
    assert degree >= ALIKE if same else degree < ALIKE < MUCH_ALIKE


TEXTS = ["assert user", "assert user, one", "assert user, one, two", "x = eval(y)", "x = eval(y) or user"]
SOME = st.lists(
    st.builds(
        known, st.sampled_from(TEXTS), line=st.integers(1, 9), path=st.sampled_from("ab"), symbol=st.sampled_from("fg")
    ),
    max_size=12,
    unique_by=lambda one: one.fingerprint,
)


@given(now=SOME, then=SOME, order=st.randoms())
def test_pairs_are_one_to_one_whatever_the_order(
    now: list[KnownFinding], then: list[KnownFinding], order: object
) -> None:
    shuffled = list(now)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    first = {(now[pair.now].fingerprint, then[pair.then].fingerprint) for pair in match(now, then).pairs}
    second = {(shuffled[pair.now].fingerprint, then[pair.then].fingerprint) for pair in match(shuffled, then).pairs}
    assert first == second
    assert len({one for one, _ in first}) == len({other for _, other in first}) == len(first)
