"""Text made inert: what a reader cannot see or a terminal obeys is shown as its code point."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secgate.escape import inert, json_text, log_line, log_text, markdown_text, plain
from tests.factories import HOSTILE

ANY = st.text(st.characters(exclude_categories=[]))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a b-ü漢", "a b-ü漢"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x9b2J", r"\x9b2J"),
        ("a\r\nb\tc", r"a\r\nb c"),
        ("\u202eabc\u2066", r"\u202eabc\u2066"),
        ("if\u3164(x)", r"if\u3164(x)"),
        ("a\u200bb\ufeff", r"a\u200bb\ufeff"),
        ("\U000e0101", r"\U000e0101"),
        ("\udc80", r"\udc80"),
        ("👩\u200d💻", "👩\u200d💻"),
    ],
)
def test_plain(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(ANY)
def test_plain_is_one_printable_line(text: str) -> None:
    shown = plain(text)
    assert all(character.isprintable() or character in "\u200c\u200d" for character in shown)
    assert plain(shown) == shown


def test_inert_keeps_lines() -> None:
    assert inert("a\x1b\nb\r") == "a\\x1b\nb\\r"


@pytest.mark.parametrize("command", ["##vso[task.complete]", "x ##[error]y", "##teamcity[buildStop]", "###[group]"])
def test_no_command_of_a_ci_is_left_in_a_log_text(command: str) -> None:
    assert "##vso[" not in log_text(command)
    assert "##[" not in log_text(command)
    assert "##teamcity[" not in log_text(command)


def test_headings_are_no_commands() -> None:
    assert log_text("## Title [x]") == "## Title [x]"


@pytest.mark.parametrize(("line", "shown"), [("::error::x", r"\x3a:error::x"), ("a::b", "a::b"), (":x", ":x")])
def test_log_line(line: str, shown: str) -> None:
    assert log_line(line) == shown


@pytest.mark.parametrize(
    ("text", "is_told_as_it_is"),
    [("28.5 %", True), ("0.1.0", True), ("1. first", False), ("7)", False), (" 3.", False), ("1234567890. x", True)],
)
def test_a_number_is_legible_markdown_and_begins_no_list(text: str, is_told_as_it_is: bool) -> None:
    assert (markdown_text(text) == text) is is_told_as_it_is


@given(st.text())
def test_json_keeps_its_value(text: str) -> None:
    document = json.dumps({"a": text}, ensure_ascii=False).encode()
    assert json.loads(json_text(document)) == {"a": text}


def test_json_is_inert() -> None:
    shown = json_text(json.dumps({"a": HOSTILE}, ensure_ascii=False).encode()).decode()
    assert "##vso[" not in shown
    assert shown.isprintable()
