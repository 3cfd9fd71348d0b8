"""Which addresses never leave this machine."""

from __future__ import annotations

import pytest

from secgate.addresses import is_loopback, without_credentials


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1"])
def test_figures_of_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "localhost", "localhost.", "127.0.0.1.example.com", "127.1", "2130706433", "10.0.0.1", "::"]
)
def test_threat_12_a_name_or_what_only_looks_like_figures_is_elsewhere(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://someone:hush@example.com/a@b", "https://example.com/a@b"),
        ("https://someone:hu@sh@example.com/", "https://example.com/"),
        ("ssh://git@example.com/a and https://x:y@b.example/", "ssh://example.com/a and https://b.example/"),
        ("https://example.com?mail=a@b", "https://example.com?mail=a@b"),
        ("git@example.com:a/b", "git@example.com:a/b"),
    ],
)
def test_threat_12_an_address_is_shown_without_its_credentials(text: str, shown: str) -> None:
    assert without_credentials(text) == shown
