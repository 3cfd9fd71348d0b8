"""Every threat rule has a test of its own, and docs/threats.md names tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = range(1, 16)
TESTS = frozenset(
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^ *def (test_\w+)\(", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
)


def sections() -> dict[int, str]:
    text = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (\d+)\. ", text, flags=re.MULTILINE)[1:]
    return {int(number): body for number, body in zip(parts[::2], parts[1::2], strict=True)}


def test_every_rule_is_described_once_in_order() -> None:
    assert list(sections()) == list(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_rule_has_a_test_of_its_own(rule: int) -> None:
    assert [name for name in TESTS if name.startswith(f"test_threat_{rule:02}_")]


@pytest.mark.parametrize("rule", RULES)
def test_named_tests_exist(rule: int) -> None:
    named = set(re.findall(r"`(test_\w+)`", sections()[rule]))
    assert named
    assert named - TESTS == set()
