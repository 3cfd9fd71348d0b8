"""Stable names of repositories."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secgate.repository.address import normalised


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://user:secret@Git.Example.org/team/shop.git", "git.example.org/team/shop"),
        ("https://git.example.org/team/shop?token=secret#x", "git.example.org/team/shop"),
        ("git@git.example.org:team/shop.git", "git.example.org/team/shop"),
        ("git.example.org:team/shop", "git.example.org/team/shop"),
        ("ssh://git@git.example.org:22/team/shop.git/", "git.example.org/team/shop"),
        ("ssh://git@git.example.org:7999/team/shop.git", "git.example.org:7999/team/shop"),
        ("file:///srv/git/shop.git", "shop"),
        ("/srv/git/shop.git", "shop"),
        ("../shop", "shop"),
        ("https://git.example.org:port/x", ""),
        ("", ""),
    ],
)
def test_addresses(address: str, name: str) -> None:
    assert normalised(address) == name


@given(st.from_regex(r"[a-z0-9]{8,12}", fullmatch=True), st.text(max_size=20))
def test_a_password_is_never_in_the_name(password: str, path: str) -> None:
    name = normalised(f"https://someone:{password}@host.example/{path}")
    assert password not in name.removeprefix("host.example/") or password in path
