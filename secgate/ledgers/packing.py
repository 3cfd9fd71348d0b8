"""How a SQLite ledger keeps the bytes of a blob: packed where that makes them fewer, else as they are."""

from __future__ import annotations

import zlib
from hashlib import sha256
from typing import TypeAlias

from secgate.model import Digest

_COMPRESS_FROM_BYTES = 512

Packed: TypeAlias = tuple[str, int, bytes]
"""Coding, number of bytes unpacked, and what is kept of them."""


def packed(data: bytes) -> Packed:
    """Give a blob as it is kept."""
    if len(data) >= _COMPRESS_FROM_BYTES:
        fewer = zlib.compress(data, 6)
        if len(fewer) < len(data):
            return "zlib", len(data), fewer
    return "raw", len(data), data


def unpacked(row: Packed) -> bytes:
    """Give what is kept: as it stands there where it does not unpack."""
    coding, size, data = row
    found = _inflated(data, size) if coding == "zlib" else None
    return bytes(data) if found is None else found


def whole(row: Packed, digest: Digest) -> bytes | None:
    """Give what is kept, None where that is not what its digest says."""
    data = unpacked(row)
    return data if sha256(data).hexdigest() == digest else None


def _inflated(data: bytes, size: int) -> bytes | None:
    """Give the bytes, or None if they are not `size` many: what was put in their place may be a bomb."""
    try:
        inflater = zlib.decompressobj()
        plain = inflater.decompress(data, size + 1)
    except zlib.error:
        return None
    return plain if len(plain) == size else None
