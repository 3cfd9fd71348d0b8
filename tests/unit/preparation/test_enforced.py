"""The organisation's directory: what is refused before anything is judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from secgate.errors import ConfigError, UsageError
from secgate.preparation import read_enforced
from tests.signing_support import ADA, allowed, enforced_layer, make_key


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    folder = tmp_path / "organisation"
    folder.mkdir()
    (folder / "enforced.toml").write_text("version = 1\n")
    return folder


def test_a_directory_of_its_own_is_read(layer: Path, tmp_path: Path) -> None:
    assert read_enforced(str(layer), tree=str(tmp_path / "tree")).settings is not None


def test_a_link_of_the_scanned_tree_does_not_lead_to_it(layer: Path, tmp_path: Path) -> None:
    (tmp_path / "tree" / "deep").mkdir(parents=True)
    (tmp_path / "tree" / "deep" / "link").symlink_to(layer)
    with pytest.raises(UsageError, match="inside the scanned tree"):
        read_enforced(str(tmp_path / "tree" / "deep" / "link"), tree=str(tmp_path / "tree"))


def test_a_directory_that_would_enforce_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    with pytest.raises(UsageError, match="would enforce nothing"):
        read_enforced(str(tmp_path), tree="")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("exposed.rego", "lies beside policies/ and would judge nothing"),
        ("policy/exposed.rego", "`policy` is no part of the enforced layer"),
        ("control/own.json", "`control` is no part of the enforced layer"),
        ("enforce.toml", "`enforce.toml` is no part of the enforced layer"),
        ("allowed_signer", "`allowed_signer` is no part of the enforced layer"),
    ],
)
def test_what_is_meant_to_be_enforced_is_not_passed_over(layer: Path, name: str, told: str) -> None:
    (layer / name).parent.mkdir(exist_ok=True)
    (layer / name).write_text("")
    with pytest.raises(UsageError, match=told):
        read_enforced(str(layer), tree="")


@pytest.mark.parametrize("name", ["README.md", ".git/config", "docs/why.md", "people.toml.orig", "tests/policies.sh"])
def test_what_else_lies_there_is_nobodys_concern(layer: Path, name: str) -> None:
    (layer / name).parent.mkdir(exist_ok=True)
    (layer / name).write_text("")
    assert read_enforced(str(layer), tree="").settings is not None


@pytest.mark.parametrize("name", ["policies", "data/limits.json"])
def test_a_link_in_it_is_not_passed_over(layer: Path, tmp_path: Path, name: str) -> None:
    (layer / name).parent.mkdir(exist_ok=True)
    (layer / name).symlink_to(tmp_path)
    with pytest.raises(UsageError, match="holds a link"):
        read_enforced(str(layer), tree="")


def test_a_signature_without_what_it_signs_is_not_passed_over(layer: Path) -> None:
    (layer / "retired.toml.sig").write_text("signature")
    with pytest.raises(UsageError, match="which it signs, is not"):
        read_enforced(str(layer), tree="")


def test_it_says_who_there_is_and_whose_keys_count(tmp_path: Path) -> None:
    key = make_key(tmp_path / "keys", "ada")
    read = read_enforced(str(enforced_layer(tmp_path / "organisation", allowed(ADA, key))), tree="")
    assert read.people.by_email("ada@example.org") == read.people.person(ADA)
    assert read.trust.allowed_signers.decode() == allowed(ADA, key)


def test_faults_of_people_signers_and_revocations_are_told_at_once(tmp_path: Path) -> None:
    key = make_key(tmp_path / "keys", "ada")
    layer = enforced_layer(tmp_path / "organisation", allowed("p-nobody", key), allowed("*", key), revoked="rubbish\n")
    with pytest.raises(ConfigError) as caught:
        read_enforced(str(layer), tree="")
    assert [place for place, _, _ in caught.value.faults] == ["allowed_signers:1", "allowed_signers:2", "revoked:1"]


def test_without_it_nobody_is_there_and_no_key_counts() -> None:
    read = read_enforced("", tree="")
    assert (read.people.persons, read.trust.allowed_signers) == ((), b"")
