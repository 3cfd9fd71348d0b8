"""Whose signatures count: what is refused in `allowed_signers` and `revoked`."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secgate.errors import ConfigError
from secgate.model import Trust
from secgate.trust import allowed_keys, revocations
from tests.signing_support import KEYGEN, Key, allowed, krl, make_key, trust

pytestmark = pytest.mark.skipif(not KEYGEN, reason="ssh-keygen is not installed")


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    return make_key(tmp_path_factory.mktemp("keys"), "one")


def test_comments_and_empty_lines_are_passed_over(key: Key) -> None:
    assert len(allowed_keys(trust("# whose\n", "\n", allowed("p-1", key)))) == 1


@pytest.mark.parametrize(
    ("principal", "options", "what"),
    [
        ("*", 'namespaces="secgate-*"', "not one person's id"),
        ("p-1,p-2", 'namespaces="secgate-*"', "not one person's id"),
        ("ada@example.org", 'namespaces="secgate-*"', "not one person's id"),
        ("p-1", "", "names no namespaces"),
        ("p-1", 'namespaces=""', "names no namespaces"),
        ("p-1", 'cert-authority,namespaces="secgate-*"', "`cert-authority` is not taken"),
        ("p-1", 'namespaces="secgate-*",valid-after="soon"', "is no time"),
        ("p-1", 'namespaces="secgate-*",valid-before="20261301"', "is no time"),
        ("p-1", 'namespaces="a",namespaces="secgate-*"', "do not read"),
        ("p-3", 'namespaces="secgate-*"', "nobody of people.toml"),
    ],
)
def test_a_line_that_says_too_much_or_too_little_is_a_fault(key: Key, principal: str, options: str, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        allowed_keys(trust(allowed(principal, key, options)), persons=("p-1", "p-2"))
    assert what in str(caught.value)
    assert "allowed_signers:1" in str(caught.value)


def test_every_fault_is_told_at_once(key: Key) -> None:
    with pytest.raises(ConfigError) as caught:
        allowed_keys(trust(allowed("*", key), "p-1 rubbish\n", allowed("p-1", key, "")))
    assert [place for place, _, _ in caught.value.faults] == [f"allowed_signers:{n}" for n in (1, 2, 3)]


def test_a_key_that_says_another_type_is_a_fault(key: Key) -> None:
    line = allowed("p-1", key).replace("ssh-ed25519 ", "ssh-rsa ")
    with pytest.raises(ConfigError, match="says that it is"):
        allowed_keys(trust(line))


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("read", [allowed_keys, revocations])
def test_a_key_that_lost_its_tail_is_a_fault(tmp_path: Path, kind: str, read: Callable[[Trust], object]) -> None:
    """As a revocation it would revoke a key that nobody has, and the real one would count on."""
    name, blob = make_key(tmp_path, "one", kind).public.split()
    whole = base64.b64decode(blob)
    ends = [at for at in range(1, len(whole)) if at % 16 == 1]
    for end in ends:
        line = f"{name} {base64.b64encode(whole[:end]).decode()}\n"
        with pytest.raises(ConfigError) as caught:
            read(trust(f'ada namespaces="secgate-*" {line}', revoked=line))
        assert "the key" in caught.value.faults[0][1]
    read(trust(f'ada namespaces="secgate-*" {name} {blob}\n', revoked=f"{name} {blob}\n"))


def test_a_fingerprint_revokes_as_the_key_does(key: Key) -> None:
    from secgate.trust import key_fingerprint

    blob = allowed_keys(trust(allowed("p-1", key)))[0].blob
    for line in (key_fingerprint(blob), f'from="20200101" {key_fingerprint(blob)}', key.public):
        assert revocations(trust(revoked=line)).reason(blob, at_epoch_s=1_800_000_000)


@pytest.mark.parametrize("line", ['until="20260101" KEY', 'from="then" KEY', "SHA256:short", "KEY,KEY"])
def test_a_revocation_that_does_not_read_is_a_fault(key: Key, line: str) -> None:
    with pytest.raises(ConfigError):
        revocations(trust(revoked=line.replace("KEY", key.public.split()[1])))


def test_a_cut_revocation_list_is_a_fault(key: Key, tmp_path: Path) -> None:
    whole = krl(tmp_path, key)
    for size in range(8, len(whole) - 1):
        if size == 44:  # the head alone: a list of nothing, and so it reads
            continue
        with pytest.raises(ConfigError):
            revocations(Trust(revoked=whole[:size]))


@given(st.binary(max_size=200), st.sampled_from([b"", b"SSHKRL\n\0", b"p-1 namespaces="]))
def test_no_bytes_make_anything_but_a_configuration_error(data: bytes, head: bytes) -> None:
    for read in (allowed_keys, revocations):
        with contextlib.suppress(ConfigError):
            read(Trust(allowed_signers=head + data, revoked=head + data))
