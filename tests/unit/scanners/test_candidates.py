"""The pass before detect-secrets: wide enough, and not for everything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secgate.scanners.candidates import entropy, may_hold_secrets

HOLDING = (
    'db_password = "x"',
    "API_KEY: y",
    "url = 'postgres://me:pw1@host/db'",
    "-----BEGIN RSA PRIVATE " + "KEY-----",
    "t = 'AKIAIOSFODNN7EXAMPLE'",
    "jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.c2ln'",
    "k = 'q8Zk2mVx7Tn4Rw9Lp3Jc6Hd5'",
    "h = '0a1b2c3d4e5f60718293'",
    "bot: 12345678:" + "AAaaBBbbCCccDDddEEeeFFffGGggHHhhIIi",
)


@pytest.mark.parametrize("text", HOLDING)
def test_a_text_that_may_hold_a_secret_is_a_candidate(text: str) -> None:
    assert may_hold_secrets("a.py", text)


@pytest.mark.parametrize("text", ["", "x = 1\n", "def add(a, b):\n    return a + b\n", "name = 'a plain sentence'"])
def test_plain_code_is_not(text: str) -> None:
    assert not may_hold_secrets("a.py", text)


@pytest.mark.parametrize(("path", "expected"), [("a.yaml", True), ("a.env", True), ("a.py", False)])
def test_values_need_no_quotes_in_yaml_and_the_like(path: str, expected: bool) -> None:
    assert may_hold_secrets(path, "key: 0a1b2c3d4e5f60718293\n") is expected


@given(st.text(), st.text(), st.sampled_from(HOLDING))
def test_what_stands_around_it_does_not_hide_it(before: str, after: str, text: str) -> None:
    assert may_hold_secrets("a.py", f"{before}\n{text}\n{after}")


@given(st.text(min_size=1))
def test_entropy_is_between_none_and_the_logarithm_of_the_length(text: str) -> None:
    assert entropy(text) + 1e-9 >= 0.0
    assert entropy(text) <= len(text).bit_length() + 1e-9


@pytest.mark.parametrize("text", ["=" * 127 + " ", "=a" * 60 + " ", "://a:", "'", "a" * 43 + "\n", "0" * 8 + ":"])
def test_hostile_texts_take_time_in_proportion_to_their_length(text: str) -> None:
    """With a square cost this would not end: half a million characters of what the patterns begin with."""
    may_hold_secrets("a.txt", text * (500_000 // len(text)))
