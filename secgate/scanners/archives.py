"""Which archives kingfisher does not open, told from their own bytes: it counts those as scanned like any other file.

Measured with kingfisher 2.14: it opens zip (stored and deflated members), tar, gzip, bzip2 and xz, and searches what
is in them. Of an encrypted or damaged archive, of another form, and of what lies past its own limit on unpacked bytes
(256 MiB of a zip) it searches the packed bytes alone, where nothing can be found, and says that it completed.
"""

from __future__ import annotations

import bz2
import io
import lzma
import struct
import zipfile
import zlib

MOST_UNPACKED = 128 * 1024 * 1024
"""Archives of more unpacked bytes than this are not believed to be searched whole; half of the tool's own limit."""

_PART = 1024 * 1024
_ZIP = b"PK\x03\x04"
_GZIP = b"\x1f\x8b"
_OTHER_FORMS = {
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"MSCF\0\0\0\0": "cab",
}
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
"""Bit 0 of a member's flags. Source: APPNOTE.TXT 6.3.10, 4.4.4."""
_TOO_MUCH = f"it unpacks to more than {MOST_UNPACKED >> 20} MiB"
_DAMAGED = "it is damaged"


def unopened(path: str, data: bytes) -> str:
    """Say why the tool did not look into the archive `data`; "" for one that it opens, and for what is no archive.

    Of `path` only the extension counts. Nothing is unpacked past MOST_UNPACKED bytes, and nothing is kept.
    """
    for mark, name in _OTHER_FORMS.items():
        if data.startswith(mark):
            return f"the tool opens no {name} archives"
    if data.startswith(_GZIP):
        return _gzip(data)
    if data.startswith(b"BZh"):
        return _stream(bz2.BZ2File(io.BytesIO(data)))
    if data.startswith(b"\xfd7zXZ\0"):
        return _stream(lzma.LZMAFile(io.BytesIO(data)))
    if zipfile.is_zipfile(io.BytesIO(data)):
        return _zip(path, data)
    return _DAMAGED if data.startswith(_ZIP) else ""


def _zip(path: str, data: bytes) -> str:
    if not data.startswith(b"PK") and not path.lower().endswith(".zip"):
        return "it is a zip archive behind other bytes"
    try:
        members = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error):
        return _DAMAGED
    if any(member.flag_bits & _ENCRYPTED for member in members):
        return "it is encrypted"
    if any(member.compress_type not in _METHODS for member in members):
        return "it is packed by a method that the tool does not know"
    return _TOO_MUCH if sum(member.file_size for member in members) > MOST_UNPACKED else ""


def _gzip(data: bytes) -> str:
    """Read to the end; the tool stops after the first of several members (RFC 1952, 2.2)."""
    first = zlib.decompressobj(wbits=31)
    size, rest = 0, data
    try:
        while rest and not first.eof and size <= MOST_UNPACKED:
            size += len(first.decompress(rest, _PART))
            rest = first.unconsumed_tail
    except zlib.error:
        return _DAMAGED
    if size > MOST_UNPACKED:
        return _TOO_MUCH
    if not first.eof:
        return _DAMAGED
    return "it has several parts, of which the tool reads the first" if first.unused_data[:2] == _GZIP else ""


def _stream(file: bz2.BZ2File | lzma.LZMAFile) -> str:
    size = 0
    try:
        while part := file.read(_PART):
            size += len(part)
            if size > MOST_UNPACKED:
                return _TOO_MUCH
    except (OSError, EOFError, lzma.LZMAError, ValueError):
        return _DAMAGED
    return ""
