"""Codes of secrets: they tell copies and rotation, and nothing without the key."""

from __future__ import annotations

import hashlib

import pytest

from secgate.errors import ConfigError
from secgate.matching import Tier, known, match
from secgate.model import Finding, Lane, RawResult, Region, encode
from secgate.secret_binding import SecretKey, copies, is_bound, read_secret_key
from tests.unit.identity_kit import Scan, findings_of, normalised, scan_of

_KEY, _OTHER = SecretKey(bytes(range(32))), SecretKey(bytes(range(1, 33)))
_TEXT = "q8Zk2pLwV5nT"


def _scans(*, narrow: bool = True) -> list[Scan]:
    region = Region(start_line=1, start_column=10, end_line=1, end_column=22)
    wide = RawResult(rule="wide", message="m", path="a.py", region=Region(start_line=1))
    exact = RawResult(rule="exact", message="m", path="a.py", region=region, secrets=(_TEXT,))
    return [scan_of("k", [wide], Lane.SECRETS), *([scan_of("d", [exact], Lane.SECRETS)] if narrow else [])]


def _found(text: str, scans: list[Scan], key: SecretKey | None = _KEY, path: str = "a.py") -> Finding:
    done = normalised({path: text}, scans)
    (found,) = findings_of(done, codes=key.codes if key else None).findings
    return found


def test_without_a_key_there_is_nothing_of_the_text() -> None:
    text = f'TOKEN = "{_TEXT}"\n'
    found = _found(text, _scans(), key=None)
    assert found.secret_macs == ()
    stored = encode(found)
    for name in ("sha1", "sha256", "md5"):
        assert hashlib.new(name, _TEXT.encode(), usedforsecurity=False).hexdigest().encode() not in stored
    assert _TEXT.encode() not in stored


def test_a_code_is_no_hash_of_the_text_and_names_its_key() -> None:
    macs = _found(f'TOKEN = "{_TEXT}"\n', _scans()).secret_macs
    assert macs
    assert all(code.startswith(f"{_KEY.id}:") for code in macs)
    assert hashlib.sha256(_TEXT.encode()).hexdigest() not in "".join(macs)


def test_bound_until_the_text_is_another() -> None:
    waived = _found(f'TOKEN = "{_TEXT}"\n', _scans()).secret_macs
    moved = _found(f'PASSWORD = "{_TEXT}"\n', _scans(narrow=False))
    rotated = _found(f'TOKEN = "{_TEXT[::-1]}"\n', _scans(narrow=False))
    assert is_bound(waived, moved.secret_macs)
    assert not is_bound(waived, rotated.secret_macs)


def test_a_tool_less_keeps_a_waiver_bound() -> None:
    text = f'TOKEN = "{_TEXT}"\n'
    assert is_bound(_found(text, _scans()).secret_macs, _found(text, _scans(narrow=False)).secret_macs)


def test_another_key_and_no_key_bind_nothing() -> None:
    text = f'TOKEN = "{_TEXT}"\n'
    waived = _found(text, _scans()).secret_macs
    assert not is_bound(waived, _found(text, _scans(), key=_OTHER).secret_macs)
    assert not is_bound(waived, ())
    assert not is_bound((), ())


def test_copies_are_linked_through_what_they_share() -> None:
    codes = {"1": ("k:a", "k:b"), "2": ("k:c",), "3": ("k:b",), "4": ("k:d",), "5": ("k:d", "k:e"), "6": ()}
    assert copies(codes) == (("1", "3"), ("4", "5"))
    assert copies({"1": ("k:a",), "2": ("k:b",), "3": ("k:a", "k:b")}) == (("1", "2", "3"),)


def test_a_secret_carried_to_another_file_is_known_by_its_code_alone() -> None:
    raw = RawResult(rule="wide", message="m", path="b.py", region=Region(start_line=1))
    then = known(_found(f'TOKEN = "{_TEXT}"\n', _scans(narrow=False)))
    same, other = (
        known(_found(f'TOKEN = "{text}"\n', [scan_of("k", [raw], Lane.SECRETS)], path="b.py"))
        for text in (_TEXT, _TEXT[::-1])
    )
    assert [pair.tier for pair in match([same], [then]).pairs] == [Tier.CARRIED]
    assert not match([other], [then]).pairs


@pytest.mark.parametrize("text", ["00" * 31, "zz", "00" * 32, "c2hvcnQ="])
def test_weak_and_broken_keys_are_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_secret_key(text)
    assert text not in str(caught.value)


def test_a_key_reads_as_hexadecimal_and_base64_and_shows_nothing() -> None:
    one, other = (
        read_secret_key(bytes(range(32)).hex()),
        read_secret_key("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"),
    )
    assert one is not None
    assert other is not None
    assert one.id == other.id == _KEY.id
    assert repr(one) == f"SecretKey({one.id})"
    assert read_secret_key(" ") is None
