"""Keys made, replaced and revoked on disk, and what that means for what they sign."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from secgate import keys
from secgate.errors import ConfigError, SignatureError, UsageError
from secgate.keyring import KeyEntry
from secgate.keys import KeyMade, KeysRevoked, KeyWish
from secgate.model import Trust
from secgate.registry import signer
from tests.product import DAY, NOW, Product
from tests.signing_support import ADA, EVE, Key, allowed, enforced_layer, krl, make_key
from tests.unit.conftest import Git, SubprocessRunner


class Desk:
    """An enforced layer in which Eve has a key already, and a folder for new ones."""

    def __init__(self, product: Product, folder: Path) -> None:
        self.product = product
        self.home = folder / "home"
        self.home.mkdir()
        self.eve = make_key(folder / "old", "eve")
        self.layer = enforced_layer(
            folder / "organisation", "# who may sign\n", allowed(EVE, self.eve).rstrip() + " eve's laptop\n"
        )

    def make(self, who: str = ADA, name: str = "key", **options: object) -> KeyMade:
        given: dict[str, object] = {"enforced": str(self.layer), **options}
        namespaces = given.pop("namespaces", ())
        wish = KeyWish(principal=who, file=str(self.home / name), namespaces=namespaces)  # type: ignore[arg-type]
        return keys.create_key(wish, machine=self.product.machine(), now=NOW, **given)  # type: ignore[arg-type]

    def rotate(self, who: str = EVE, days: float = 7) -> KeyMade:
        wish = KeyWish(principal=who, file=str(self.home / "new"))
        return keys.rotate_key(
            wish, overlap_s=int(days * 86400), enforced=str(self.layer), machine=self.product.machine(), now=NOW
        )

    def revoke(self, which: str, days: float | None = None, reason: str = "laptop stolen") -> KeysRevoked:
        since = None if days is None else NOW + days * DAY
        machine = self.product.machine()
        return keys.revoke_keys(which, since=since, reason=reason, enforced=str(self.layer), machine=machine, now=NOW)

    def entries(self, days: float = 0) -> tuple[KeyEntry, ...]:
        return keys.listed_keys(enforced=str(self.layer), machine=self.product.machine(), now=NOW + days * DAY)

    def listed(self, days: float = 0) -> list[tuple[str, str]]:
        return [(one.key.principal, one.state) for one in self.entries(days)]

    def text(self, name: str = "allowed_signers") -> str:
        return (self.layer / name).read_text()

    def signs(self, key: Path, days: float, *, name: str = "sshsig", namespace: str = "secgate-waiver-request") -> str:
        """Give who signed by that key at a day, "" where it does not count."""
        made = signer(name, machine=self.product.machine(), runner=SubprocessRunner(), scratch=str(self.home))
        signature = made.sign(b"statement", namespace=namespace, key=str(key))
        trust = Trust(allowed_signers=self.text().encode(), revoked=(self.layer / "revoked").read_bytes())
        try:
            return made.verify(
                b"statement", signature, namespace=namespace, trust=trust, at=NOW + timedelta(days=days)
            ).principal
        except SignatureError:
            return ""


@pytest.fixture
def desk(product: Product, tmp_path: Path) -> Desk:
    return Desk(product, tmp_path)


def test_a_key_is_made_for_its_owner_alone_and_counts(desk: Desk) -> None:
    made = desk.make()
    path = desk.home / "key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(one.name for one in desk.home.iterdir()) == ["key", "key.pub"]
    assert made.line == f'{ADA} namespaces="secgate-*" {Key(path).public}'
    assert desk.text() == f"# who may sign\n{allowed(EVE, desk.eve).rstrip()} eve's laptop\n{made.line}\n"
    assert desk.signs(path, 0) == ADA


def test_a_machines_key_signs_envelopes(desk: Desk) -> None:
    desk.make("machine:release", "release")
    assert desk.signs(desk.home / "release", 0, name="dsse", namespace="in-toto") == "machine:release"
    assert desk.signs(desk.home / "release", 0, name="dsse", namespace="secgate-override") == ""


def test_nothing_is_written_but_the_key_where_no_layer_is_named(desk: Desk) -> None:
    before = desk.text()
    assert not desk.make("p-new", enforced="").written
    assert desk.text() == before


@pytest.mark.parametrize(
    ("who", "options", "told"),
    [
        ("p-nobody", {}, "nobody of people.toml"),
        ("Ada", {}, "is no person's id"),
        ("machine:", {}, "is no person's id"),
        (ADA, {"namespaces": ('x" ssh-ed25519 AAAA',)}, "is no namespace"),
        (ADA, {"name": "../organisation/key"}, "no place for private keys"),
        (ADA, {"name": "nowhere/key"}, "there is no folder"),
        (ADA, {"name": "../old/eve"}, "is there already"),
    ],
)
def test_what_is_not_made(desk: Desk, who: str, options: dict[str, object], told: str) -> None:
    before = desk.text()
    with pytest.raises(UsageError, match=told):
        desk.make(who, **options)  # type: ignore[arg-type]
    assert (desk.text(), list(desk.home.iterdir())) == (before, [])


def test_no_key_is_made_in_a_repository(desk: Desk, git: Git) -> None:
    (git.root / "deep").mkdir()
    with pytest.raises(UsageError, match="is a repository: no place for private keys"):
        desk.make(name=os.path.relpath(git.root / "deep" / "key", desk.home))


def test_a_rotated_key_counts_for_what_it_signed_before(desk: Desk) -> None:
    made = desk.rotate()
    assert [one for one in desk.text().splitlines() if "eve's laptop" in one] == [
        f'{EVE} namespaces="secgate-*",valid-before="20260308120000" {desk.eve.public} eve\'s laptop'
    ]
    assert made.ended == (desk.entries()[0].fingerprint,)
    assert [desk.signs(desk.eve.path, day) for day in (-9, 7, 7.001)] == [EVE, EVE, ""]
    assert [desk.signs(desk.home / "new", day) for day in (-0.001, 0, 900)] == ["", EVE, EVE]
    assert desk.listed(8) == [(EVE, "ended"), (EVE, "counts")]


def test_there_must_be_a_key_to_rotate(desk: Desk) -> None:
    with pytest.raises(UsageError, match=f"`{ADA}` has no key here"):
        desk.rotate(ADA)


@pytest.mark.parametrize(("days", "counts"), [(-2, [EVE, ""]), (None, ["", ""])])
def test_a_revoked_key(desk: Desk, days: float | None, counts: list[str]) -> None:
    ((gone,), _) = desk.revoke(EVE, days)
    assert gone.key.principal == EVE
    assert [desk.signs(desk.eve.path, day) for day in (-3, -1)] == counts
    assert desk.listed() == [(EVE, "revoked")]


def test_what_is_revoked_already_is_left_as_it_is_and_an_earlier_time_is_not(desk: Desk) -> None:
    desk.revoke(EVE, -2)
    before = desk.text("revoked")
    for days in (-2, -1):
        assert [one.key.principal for one in desk.revoke(EVE, days).already] == [EVE]
    assert desk.text("revoked") == before
    assert (len(desk.revoke(EVE, -3).revoked), len(desk.revoke(EVE).revoked)) == (1, 1)
    assert desk.text("revoked").count("ssh-ed25519") == 3
    assert desk.entries()[0].revoked_epoch_s == 0


def test_a_key_is_not_revoked_without_a_reason(desk: Desk) -> None:
    with pytest.raises(UsageError, match="the reason says nothing"):
        desk.revoke(EVE, reason=" - ")
    assert desk.text("revoked") == ""


def test_a_reason_is_a_comment_whatever_it_says(desk: Desk) -> None:
    desk.make()
    first, other = (one.fingerprint for one in desk.entries())
    desk.revoke(first[:20], None, f"x\n\x1b[2J {other}")
    assert desk.text("revoked") == f"{desk.eve.public} {EVE}, x [2J {other} (noted 2026-03-01)\n"
    assert desk.listed() == [(EVE, "revoked"), (ADA, "counts")]


def test_a_key_revocation_list_is_left_alone(desk: Desk) -> None:
    (desk.layer / "revoked").write_bytes(krl(desk.home, desk.eve))
    before = (desk.layer / "revoked").read_bytes()
    with pytest.raises(UsageError, match="key revocation list"):
        desk.revoke(EVE)
    assert (desk.layer / "revoked").read_bytes() == before
    assert desk.listed() == [(EVE, "revoked")]


def test_a_layer_with_a_fault_is_not_written_to(desk: Desk) -> None:
    (desk.layer / "allowed_signers").write_text("nonsense\n")
    with pytest.raises(ConfigError):
        desk.make()
    assert desk.text() == "nonsense\n"
    assert list(desk.home.iterdir()) == []


def test_a_key_whose_line_cannot_be_written_is_not_left_behind(desk: Desk) -> None:
    if os.geteuid() == 0:
        pytest.skip("root writes everywhere")
    desk.layer.chmod(0o555)
    with pytest.raises(UsageError, match="cannot write"):
        desk.make()
    assert list(desk.home.iterdir()) == []


def test_a_layer_begins_with_an_empty_folder(desk: Desk, tmp_path: Path) -> None:
    layer = tmp_path / "new"

    def said(who: str, code: int) -> str:
        ended = desk.product.cli("keys", "create", who, "--out", "k", "--enforced", str(layer), cwd=desk.home)
        assert ended.code == code, ended
        return ended.err

    assert f"try: make the folder, outside of the trees that are scanned: mkdir {layer}" in said("machine:ci", 2)
    layer.mkdir()
    (layer / ".git").mkdir()
    # A person has to be known first, and the remedy is to be done as it stands.
    assert "write `version = 1` and a line `[people.p-1]`" in said("p-1", 2)
    said("machine:ci", 0)
    (layer / "people.toml").write_text("version = 1\n[people.p-1]\n")
    (desk.home / "k").unlink()
    (desk.home / "k.pub").unlink()
    said("p-1", 0)
    listed = keys.listed_keys(enforced=str(layer), machine=desk.product.machine(), now=NOW)
    assert [one.key.principal for one in listed] == ["machine:ci", "p-1"]
    # Another folder is none by mistake.
    other = tmp_path / "photos"
    other.mkdir()
    (other / "cat.png").touch()
    with pytest.raises(UsageError, match="would enforce nothing"):
        desk.make("machine:ci", "other", enforced=str(other))
    assert [one.name for one in other.iterdir()] == ["cat.png"]


def test_the_command_line(desk: Desk) -> None:
    def said(*arguments: str, code: int = 0) -> str:
        ended = desk.product.cli("keys", *arguments, "--enforced", str(desk.layer), cwd=desk.home)
        assert ended.code == code, ended
        return ended.out

    assert said("create", ADA, "--out", "ada").startswith(f'{ADA} namespaces="secgate-*" ssh-ed25519 ')
    said("create", ADA, "--out", "ada", code=2)
    said("rotate", EVE, "--out", "eve", "--overlap", "1d")
    said("revoke", ADA, "--reason", "lost", code=2)
    said("revoke", ADA, "--reason", "lost", "--from", "2999-01-01", code=2)
    said("revoke", ADA, "--reason", "lost", "--from", "2026-03-01")
    assert 'from="20260301000000" ssh-ed25519' in desk.text("revoked")
    listing = said("list")
    assert f"  {ADA}  revoked from 2026-03-01 00:00 UTC\n" in listing
    assert max(map(len, listing.splitlines())) <= 80
    assert [one["state"] for one in json.loads(said("list", "--format", "json"))] == ["counts", "revoked", "counts"]
    by_name = desk.product.cli("keys", "list", cwd=desk.home, SECGATE_ENFORCED=str(desk.layer))
    assert by_name.out == listing
    unnamed = desk.product.cli("keys", "list", cwd=desk.home)
    assert (unnamed.code, "give --enforced DIR, or set SECGATE_ENFORCED" in unnamed.err) == (2, True)
