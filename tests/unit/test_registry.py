"""Names to plug-ins."""

from __future__ import annotations

import pytest

from secgate import registry
from secgate.errors import UsageError


@pytest.mark.parametrize("kind", ["scanners", "engines", "reporters", "signers", "populations"])
def test_every_built_in_can_be_found(kind: registry.Kind) -> None:
    assert [registry.find(kind, name).__name__ for name in registry.BUILTIN[kind]]


@pytest.mark.parametrize("name", sorted(registry.BUILTIN["scanners"]))
def test_every_scanner_is_complete_and_named_as_in_the_table(name: str) -> None:
    assert registry.scanner(name).name == name


@pytest.mark.parametrize("name", sorted(registry.BUILTIN["reporters"]))
def test_every_reporter_is_complete_and_named_as_in_the_table(name: str) -> None:
    assert registry.reporter(name).name == name


def test_an_unknown_name_is_said_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="bandit"):
        registry.scanner("bandid")


def test_a_plug_in_that_lacks_a_member_is_refused_when_loaded() -> None:
    class Half:
        name = "half"

    with pytest.raises(UsageError, match=r"lacks .*plan.*read"):
        registry.checked("scanners", "half", Half())
