"""What a marked text looks like: by itself and by its key, never by its file."""

from __future__ import annotations

import hashlib

import pytest

from secgate.languages.parse import FileIndex
from secgate.model import Confidence, RawResult, Region
from secgate.secret_likeness import (
    CHECKSUM,
    CREDENTIAL,
    EXAMPLE,
    HEADER,
    KEY_BODY_WITHIN,
    PUBLISHED,
    RANDOM,
    REFERENCE,
    Likeness,
    certain_likeness,
    likeness,
)
from secgate.secret_spans import secret_text

_SHA1 = "11bd71901bbe5b1630ceea73d27597364c9af683"


@pytest.mark.parametrize(
    "text",
    [
        *("secret-key", "password", "Password123", "p@ssw0rd", "changeMe", "user-pass", "pass", "12345678", "xxxxxxxx"),
        *("my_super_secret", "hard-coded-secret", "pa%73sword", "-", "qwerty", "base64 encoded random bytes", "test"),
        *("made-up", "made-up-pass1", "T0KEN", "S3CR3T", "secret-exposure"),
        "Password must be 8 to 18 characters",
        "Only admin.example:8000 may come here, you are ",
    ],
)
def test_words_that_anybody_would_try(text: str) -> None:
    assert likeness(text, key="password", is_random=False) == EXAMPLE


@pytest.mark.parametrize(
    "text",
    [
        *("Tr4ub4dor", "hunter2x9q", "s3cr3tKq81", "kX9vQ2mZ", "correcthorsebattery", "8f3b2c"),
        *("a.b9:Zx", "q8Zk 2pLw w9Xv 4rTm s6Bn"),
    ],
)
def test_what_nobody_would_guess_stands(text: str) -> None:
    assert likeness(text, key="password", is_random=False) is None


@pytest.mark.parametrize(
    "text",
    ["${DB_PASSWORD}", "{{ token }}", "<password>", "settings.SECRET_KEY", "get_password()", "%(pass)s", "", "a.b:C"],
)
def test_a_reference_holds_no_secret(text: str) -> None:
    assert likeness(text, key="password", is_random=False) == REFERENCE


@pytest.mark.parametrize("key", ["rev", "repos[0].rev", "sha256", "etag", "integrity"])
def test_revision_or_checksum(key: str) -> None:
    assert likeness(_SHA1, key=key, is_random=True) == CHECKSUM


@pytest.mark.parametrize("key", ["SHA-256", "secgate:commit", "secgate:tree", "version"])
def test_what_a_bill_of_materials_calls_a_checksum(key: str) -> None:
    assert likeness(_SHA1, key=key, is_random=True) == CHECKSUM
    assert likeness(_SHA1[:-1], key=key, is_random=True) == RANDOM


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"alg": "SHA-256",\n  "content": "%s"}', "SHA-256"),
        ('{"name":"DB_PASSWORD","value":"%s"}', "DB_PASSWORD"),
        ('{"content": "%s", "alg": "SHA-256"}', "content"),
        ('{"alg": "SHA-256", "note": "", "content": "%s"}', "content"),
        ('[{"alg": "SHA-256"}, {"content": "%s"}]', "content"),
        ('{"token": "%s"}', "token"),
    ],
)
def test_a_text_stands_under_the_name_that_a_member_beside_it_gives(text: str, key: str) -> None:
    """Of its own object and right before it: what stands farther off names something else."""
    data = (text % _SHA1).encode()
    raw = RawResult(
        rule="Hex High Entropy String",
        message="",
        path="a.json",
        region=Region(start_line=data[: data.index(_SHA1.encode())].count(b"\n") + 1),
        secret_sha1=hashlib.sha1(_SHA1.encode(), usedforsecurity=False).hexdigest(),
    )
    assert secret_text(FileIndex("json", data), raw) == (data.index(_SHA1.encode()), _SHA1, key)


@pytest.mark.parametrize("key", ["revision", "down_revision", "alembic.revision", "rev", "commit"])
@pytest.mark.parametrize("text", ["2b017edaa91f", "a975ef6", "0123456789abcdef"])
def test_a_revision_in_short(key: str, text: str) -> None:
    assert likeness(text, key=key, is_random=True) == CHECKSUM


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("password", "2b017edaa91f"),
        ("", "2b017edaa91f"),
        ("revision", "Zb017edaa91f"),
        ("revision_key", "2b017edaa91f"),
    ],
)
def test_what_is_no_revision_in_short(key: str, text: str) -> None:
    assert likeness(text, key=key, is_random=True) in (RANDOM, CREDENTIAL)


@pytest.mark.parametrize(
    ("value", "after", "expected"),
    [
        ("AKIAIOSFODNN7EXAMPLE", "", PUBLISHED),
        ("'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'", "", PUBLISHED),
        ("AKIA" + "Q4RT7ZK2MX9PL3EX", "", None),
        ("AKIA" + "Q4RT7ZK2EXAMPLE", "", None),
        ("BEGIN RSA PRIVATE KEY", '-----", "and no more"', HEADER),
        ("BEGIN PRIVATE KEY", "-----\\nMIIE...", HEADER),
        ("BEGIN OPENSSH PRIVATE KEY", "-----\n" + "aB3d" * 16, None),
        ("BEGIN EC PRIVATE KEY", '-----\\n" +\n    "' + "aB3d" * 16, None),
        ("BEGIN RSA PRIVATE KEY", "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A\n\n" + "aB3d" * 16, None),
        ("BEGIN RSA PRIVATE KEY", " " * KEY_BODY_WITHIN + "aB3d" * 16, HEADER),
        ("BEGIN CERTIFICATE", "", None),
        ("${PASSWORD}", "", REFERENCE),
    ],
)
def test_a_form_that_is_certain_and_no_credential_all_the_same(
    value: str, after: str, expected: Likeness | None
) -> None:
    assert certain_likeness(value, after=after) == expected


def test_integrity_needs_no_key() -> None:
    assert likeness("sha384-B4gt1jrGC7Jh4AgTPSdUtOBvfO8shuf57BaghqFfPlYxofvL8", key="", is_random=True) == CHECKSUM


@pytest.mark.parametrize("key", ["DO_API_TOKEN", "secretKey", "encryption_key", "db.auth", "client-secret"])
def test_random_text_under_the_name_of_a_secret_counts(key: str) -> None:
    assert likeness(_SHA1, key=key, is_random=True) == CREDENTIAL


@pytest.mark.parametrize("key", ["", "nonce", "public_key", "csrf_token", "key_id"])
def test_random_text_under_another_name_is_a_guess(key: str) -> None:
    found = likeness(_SHA1, key=key, is_random=True)
    assert found == RANDOM
    assert found.confidence is Confidence.LOW
