"""What every signer promises. A third party's signer joins by one line in `KINDS`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from secgate.config import Machine
from secgate.errors import SignatureError
from secgate.executors.local import LocalExecutor
from secgate.model import Trust
from secgate.ports import Signer
from secgate.registry import signer as make_signer
from tests.signing_support import KEYGEN, Key, allowed, krl, make_key, trust

pytestmark = pytest.mark.skipif(not KEYGEN, reason="ssh-keygen is not installed")

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KIND = "secgate-baseline"
STATEMENT = b'{"what": "exactly these bytes"}\n'
KINDS = {"sshsig": "p-4f2a", "dsse": "machine:release"}
"""Signer -> a principal as it uses them."""


@pytest.fixture(params=KINDS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def who(name: str) -> str:
    return KINDS[name]


@pytest.fixture
def signer(name: str, tmp_path: Path) -> Signer:
    env = {"PATH": str(Path(KEYGEN).parent)}
    runner = LocalExecutor(environment=env, python="", parallel=1, scratch=str(tmp_path))
    machine = Machine(env=env, cwd=str(tmp_path), python="", prefix="", state=str(tmp_path))
    return make_signer(name, machine=machine, runner=runner, scratch=str(tmp_path))


@pytest.fixture
def key(tmp_path: Path) -> Key:
    return make_key(tmp_path / "keys", "one")


@pytest.fixture
def signature(signer: Signer, key: Key) -> bytes:
    return signer.sign(STATEMENT, namespace=KIND, key=str(key.path))


Verify = Callable[..., str]


@pytest.fixture
def verify(signer: Signer, signature: bytes) -> Verify:
    def check(
        given: Trust,
        *,
        statement: bytes = STATEMENT,
        namespace: str = KIND,
        at: datetime = NOW,
        made: bytes = signature,
    ) -> str:
        return signer.verify(statement, made, namespace=namespace, trust=given, at=at).principal

    return check


def test_what_was_signed_verifies_and_says_who_and_with_which_key(
    signer: Signer, signature: bytes, who: str, key: Key
) -> None:
    signed = signer.verify(STATEMENT, signature, namespace=KIND, trust=trust(allowed(who, key)), at=NOW)
    assert signed.principal == who
    assert signed.key.startswith("SHA256:")


def test_the_right_one_of_many_is_named(verify: Verify, who: str, key: Key, tmp_path: Path) -> None:
    other = make_key(tmp_path / "keys", "other")
    assert verify(trust(allowed("p-other", other), allowed(who, key))) == who


def test_another_statement_does_not_verify(verify: Verify, who: str, key: Key) -> None:
    with pytest.raises(SignatureError):
        verify(trust(allowed(who, key)), statement=STATEMENT + b" ")


def test_another_namespace_does_not_verify(verify: Verify, who: str, key: Key) -> None:
    with pytest.raises(SignatureError):
        verify(trust(allowed(who, key)), namespace="secgate-override")


def test_a_key_counts_only_for_its_namespaces(verify: Verify, who: str, key: Key) -> None:
    with pytest.raises(SignatureError):
        verify(trust(allowed(who, key, 'namespaces="secgate-*,!secgate-baseline"')))


def test_an_unknown_signer_is_refused(verify: Verify, who: str, tmp_path: Path) -> None:
    other = make_key(tmp_path / "keys", "other")
    with pytest.raises(SignatureError, match="nobody who counts"):
        verify(trust(allowed(who, other)))


def test_without_trust_nobody_counts(verify: Verify) -> None:
    with pytest.raises(SignatureError, match="nobody"):
        verify(Trust())


@pytest.mark.parametrize(
    ("at", "counts"),
    [("20260228115959", False), ("20260228120000", True), ("20260302120000", True), ("20260302120001", False)],
)
def test_a_key_counts_from_and_until_its_time(verify: Verify, who: str, key: Key, at: str, counts: bool) -> None:
    line = allowed(who, key, 'namespaces="secgate-*",valid-after="20260228120000",valid-before="20260302120000"')
    moment = datetime.strptime(at, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    if counts:
        assert verify(trust(line), at=moment) == who
    else:
        with pytest.raises(SignatureError):
            verify(trust(line), at=moment)


@pytest.mark.parametrize("name", ["sshsig"])
@pytest.mark.parametrize(
    ("options", "told"),
    [
        ('namespaces="secgate-override"', r"of `p-4f2a` is not for secgate-baseline: it is for secgate-override"),
        (
            'namespaces="secgate-*",valid-before="20260201"',
            r"at 2026-03-01 12:00 UTC: that of `p-4f2a` counts until 2026-02-01 00:00 UTC",
        ),
        ('namespaces="secgate-*",valid-after="20260401"', "counts from 2026-04-01 00:00 UTC"),
    ],
)
def test_what_is_the_matter_with_a_known_key_is_said(
    verify: Verify, who: str, key: Key, options: str, told: str
) -> None:
    with pytest.raises(SignatureError, match=told):
        verify(trust(allowed(who, key, options)))


@pytest.mark.parametrize("name", ["sshsig"])
def test_no_place_of_this_machine_is_told(verify: Verify, who: str, key: Key, tmp_path: Path) -> None:
    """The words go into a run's notes, which are the same wherever it is made."""
    with pytest.raises(SignatureError) as caught:
        verify(trust(allowed(who, key)), statement=b"another")
    assert str(tmp_path) not in str(caught.value)


def test_a_revoked_key_verifies_nothing_ever(verify: Verify, who: str, key: Key) -> None:
    given = trust(allowed(who, key), revoked=f"{key.public} lost\n")
    for at in (NOW, NOW - timedelta(days=3650)):
        with pytest.raises(SignatureError, match="is revoked"):
            verify(given, at=at)


def test_a_key_revoked_from_a_time_verifies_until_then(verify: Verify, who: str, key: Key) -> None:
    given = trust(allowed(who, key), revoked=f'from="20260301120000Z" {key.public}\n')
    assert verify(given, at=NOW - timedelta(seconds=1)) == who
    with pytest.raises(SignatureError, match="revoked from 2026-03-01 12:00:00 UTC"):
        verify(given, at=NOW)


def test_a_revocation_list_of_openssh_counts_the_same(verify: Verify, who: str, key: Key, tmp_path: Path) -> None:
    with pytest.raises(SignatureError, match="is revoked"):
        verify(trust(allowed(who, key), revoked=krl(tmp_path, key)))
    other = make_key(tmp_path / "keys", "other")
    assert verify(trust(allowed(who, key), revoked=krl(tmp_path, other))) == who


def test_a_revocation_list_that_cannot_be_read_closes_the_gate(verify: Verify, who: str, key: Key) -> None:
    with pytest.raises(SignatureError, match="fault"):
        verify(trust(allowed(who, key), revoked="gibberish\n"))


@pytest.mark.parametrize("cut", [0, 1, 40, -2])
def test_a_damaged_signature_is_an_error_of_ours(
    verify: Verify, who: str, key: Key, signature: bytes, cut: int
) -> None:
    for made in (signature[:cut], signature[:60] + b"A" + signature[61:], b"\xff" + signature, b"[" * 5000):
        with pytest.raises(SignatureError):
            verify(trust(allowed(who, key)), made=made)


@pytest.mark.parametrize("content", [None, "no key", ""])
def test_a_key_that_is_not_there_or_none_signs_nothing(signer: Signer, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_text(content)
        path.chmod(0o600)
    with pytest.raises(SignatureError):
        signer.sign(STATEMENT, namespace=KIND, key=str(path))


def test_a_key_in_two_hands_verifies_for_neither(verify: Verify, who: str, key: Key) -> None:
    with pytest.raises(SignatureError):
        verify(trust(allowed(who, key), allowed("p-other", key)))
