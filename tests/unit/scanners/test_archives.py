"""Archives that kingfisher counts as scanned without opening them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secgate.scanners import archives
from secgate.scanners.archives import unopened


def zipped(*, method: int = zipfile.ZIP_DEFLATED, data: bytes = b"text") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("in.txt", data)
    return buffer.getvalue()


def encrypted() -> bytes:
    """A zip whose central entry says that its member is encrypted."""
    data = bytearray(zipped())
    at = data.index(b"PK\x01\x02") + 8
    data[at : at + 2] = struct.pack("<H", 1)
    return bytes(data)


OPENED = [
    zipped(),
    zipped(method=zipfile.ZIP_STORED),
    gzip.compress(b"x"),
    bz2.compress(b"x"),
    lzma.compress(b"x"),
    b"",
    b"plain\0bytes",
]
SHUT = {
    "encrypted": encrypted(),
    "damaged": zipped()[:-30],
    "method": zipped(method=zipfile.ZIP_LZMA),
    "behind other bytes": b"\x89PNG\0" + zipped(),
    "several parts": gzip.compress(b"x") + gzip.compress(b"y"),
    "it is damaged": gzip.compress(b"xyz")[:-9],
    "zstd": b"\x28\xb5\x2f\xfd\0",
}


@pytest.mark.parametrize("data", OPENED)
def test_what_the_tool_opens_is_not_named(data: bytes) -> None:
    assert unopened("a.bin", data) == ""


@pytest.mark.parametrize("why", SHUT)
def test_what_the_tool_does_not_open_is_named_with_why(why: str) -> None:
    assert why in unopened("a.bin", SHUT[why])


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, lambda data: zipped(data=data)])
def test_an_archive_that_unpacks_to_too_much_is_named(pack: object) -> None:
    assert callable(pack)
    bomb = pack(b"\0" * (archives.MOST_UNPACKED + 1))
    assert "128 MiB" in unopened("a.bin", bomb)


@given(st.sampled_from([*OPENED[:5], *SHUT.values()]), st.integers(0, 200), st.binary(max_size=8))
def test_damage_anywhere_never_breaks_off(data: bytes, at: int, patch: bytes) -> None:
    broken = data[: at % (len(data) + 1)] + patch + data[at % (len(data) + 1) + len(patch) :]
    assert isinstance(unopened("a.zip", broken), str)
