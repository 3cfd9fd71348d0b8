"""Secrets out of text by place and by wording."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secgate.languages.source import Source
from secgate.masking import Masker


def _masker(text: str, *secrets: str, path: str = "a") -> tuple[Masker, Source]:
    source, masker = Source(text.encode()), Masker()
    masker.add(
        path, source, [(source.text.index(secret), source.text.index(secret) + len(secret)) for secret in secrets]
    )
    return masker, source


@pytest.mark.parametrize(
    ("secret", "message", "masked"),
    [
        ("hunter2", "Possible password: 'hunter2'", "Possible password: '[secret]'"),
        ("abc", "password: 'abc' in abc", "password: '[secret]' in abc"),
        ("secret", "the secret 'secret' [secret]", "the secret '[secret]' [secret]"),
        ("secret", "PASSWORD=secret, or: secret store", "PASSWORD=[secret], or: [secret] store"),
        ("line one\nline two", "line two", "[secret]"),
        ('say \\"it\\"', 'say "it"', "[secret]"),
        ("pässword", "p\\xe4ssword", "[secret]"),
        ("aaa1", "aaa1aaa1", "[secret][secret]"),
        ("pass", "password and pass, but `pass`", "password and pass, but `[secret]`"),
    ],
)
def test_text(secret: str, message: str, masked: str) -> None:
    masker, _ = _masker(f"x = {secret}", secret)
    assert masker.text("a", message) == masked
    assert masker.text("a", masked) == masked
    assert masker.text("b", message) == message
    assert masker.everywhere(message) == masked


def test_longest_first() -> None:
    masker, _ = _masker("token1 token1-of-more", "token1", "token1-of-more")
    assert masker.text("a", "token1-of-more token1") == "[secret] [secret]"


def test_cut_masks_by_place() -> None:
    masker, source = _masker("é a='x1' b='y2'", "x1", "y2", "1' b='y")
    assert masker.cut("a", source, 0, 99) == "é a='[secret]'"
    assert masker.cut("a", source, 6, 9) == "[secret]"
    assert masker.cut("a", source, 0, 4) == "é a="


def test_lines_mask_by_place_over_lines() -> None:
    masker, _ = _masker("😀 = '''ab\ncd\nef''' # é", "ab\ncd\nef")
    assert masker.lines("a", ["😀 = '''ab", "cd", "ef''' # é"], 1) == (
        "😀 = '''[secret]",
        "[secret]",
        "[secret]''' # é",
    )
    assert masker.lines("a", ["cd"], 2) == ("[secret]",)
    assert masker.lines("a", ["zz"], 9) == ("zz",)


def test_no_secret_in_what_a_masker_shows_of_itself() -> None:
    assert "hunter2" not in repr(_masker("hunter2", "hunter2")[0])


@settings(deadline=None)
@given(st.text(alphabet="ab[secrt]é😀", min_size=4, max_size=9), st.text(alphabet="ab[secrt]'", max_size=30))
def test_masking_twice_is_masking_once(secret: str, message: str) -> None:
    masker, _ = _masker(secret, secret)
    assert masker.text("a", masker.text("a", message)) == masker.text("a", message)


def test_many_secrets_cost_little() -> None:
    masker = Masker()
    for number in range(50_000):
        masker.add_text("a", f"key-{number:08d}-of-many")
    assert masker.text("a", "x" * 100_000 + "key-00049999-of-many") == "x" * 100_000 + "[secret]"
