"""Which addresses never leave this machine."""

from __future__ import annotations

import pytest

from secgate.addresses import is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1"])
def test_figures_of_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "localhost", "localhost.", "127.0.0.1.example.com", "127.1", "2130706433", "10.0.0.1", "::"]
)
def test_threat_12_a_name_or_what_only_looks_like_figures_is_elsewhere(host: str) -> None:
    assert not is_loopback(host)
