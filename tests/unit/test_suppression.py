"""Comments that ask a tool for silence, taken apart."""

from __future__ import annotations

import pytest

from secgate.suppression import NAMES, Comment, comment_in, is_about


@pytest.mark.parametrize(
    ("text", "name", "rules", "reason"),
    [
        ("# nosec", "nosec", (), ""),
        ("# nosec B307 - looked at", "nosec", ("B307",), "looked at"),
        ("# nosec: B307, B602 ours alone # noqa", "nosec", ("B307", "B602"), "ours alone"),
        ("# NOSEC assert_used", "nosec", ("assert_used",), ""),
        ("# nosec reviewed by us", "nosec", (), "reviewed by us"),
        ("# nosec # nosemgrep: why", "nosec", (), ""),
        ("nosemgrep: python.lang.eval, other -- why not", "nosemgrep", ("python.lang.eval", "other"), "why not"),
        ("nosem", "nosemgrep", (), ""),
        ("checkov:skip=CKV_AWS_18:the logs are elsewhere", "checkov:skip", ("CKV_AWS_18",), "the logs are elsewhere"),
        ("# zizmor: ignore[unpinned-uses, artipacked] fine", "zizmor: ignore", ("unpinned-uses", "artipacked"), "fine"),
        ("pragma: allowlist nextline secret", "pragma: allowlist secret", (), ""),
        ("pragma: whitelist secret: made up", "pragma: allowlist secret", (), "made up"),
        ("kingfisher:ignore", "kingfisher:ignore", (), ""),
        ("// gitleaks:allow */", "gitleaks:allow", (), ""),
    ],
)
def test_a_comment_says_which_rules_and_why(text: str, name: str, rules: tuple[str, ...], reason: str) -> None:
    assert comment_in(text) == Comment(name, rules, reason)
    assert name in NAMES


@pytest.mark.parametrize("text", ["", "nosecond", "looked at", "checkov:skip", "zizmor: ignore"])
def test_what_is_no_comment_is_none(text: str) -> None:
    assert comment_in(text) is None


@pytest.mark.parametrize(
    ("text", "rules", "told"),
    [
        ("# nosec", ("B307",), True),
        ("# nosec B307", ("B307", "blacklist"), True),
        ("# nosec B999", ("B307", "blacklist"), False),
        ("# nosec assert_used", ("B101", "assert_used"), True),
        ("nosemgrep: eval", ("rules.python.eval",), True),
        ("nosemgrep: val", ("rules.python.eval",), False),
        ("of a form that only its tool knows", ("X",), True),
    ],
)
def test_a_comment_that_names_other_rules_is_about_them_alone(text: str, rules: tuple[str, ...], told: bool) -> None:
    assert is_about(text, rules) is told


def test_a_long_text_is_read_in_one_pass() -> None:
    assert comment_in("nosec " + "B101, " * 20_000) is not None
    assert comment_in("pragma: " * 20_000) is None
