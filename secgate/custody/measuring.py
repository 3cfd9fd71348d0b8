"""An artefact as somebody names it: a digest, or a file that is read in pieces."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from secgate.attest import HASHES, digest_of
from secgate.errors import UsageError
from secgate.escape import plain

_READ_BYTES = 1024 * 1024


class Measured(NamedTuple):
    """An artefact as somebody named it: its digests by algorithm, and what it is called."""

    digests: Mapping[str, str]
    name: str


def measure(text: str, *, cwd: str, algorithms: Sequence[str] = tuple(HASHES)) -> Measured:
    """Give the digests of an artefact: a digest as it was written, or those of a regular file, read in pieces.

    Raises UsageError for a digest that is wrong, a link, what is no regular file, and a file that changes meanwhile.
    """
    digest = digest_of(text)
    if digest:
        kind, _, value = digest.partition(":")
        return Measured(MappingProxyType({kind: value}), "")
    shown = plain(text)
    try:
        handle = os.open(Path(cwd, text), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            sums = _sums(handle, algorithms, place=shown)
        finally:
            os.close(handle)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.ELOOP:
            raise UsageError("it is a link", place=shown, remedy="name the file that it leads to") from error
        what = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"it cannot be read: {what}", place=shown, remedy="give a file, or sha256:HEX") from error
    return Measured(MappingProxyType(sums), Path(text).name)


def _sums(handle: int, algorithms: Sequence[str], *, place: str) -> dict[str, str]:
    before = os.fstat(handle)
    if not stat.S_ISREG(before.st_mode):
        raise UsageError("it is no regular file", place=place, remedy="give a file, or sha256:HEX")
    sums = {name: hashlib.new(name) for name in algorithms}
    while piece := os.read(handle, _READ_BYTES):
        for one in sums.values():
            one.update(piece)
    after = os.fstat(handle)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise UsageError("it changed while it was read", place=place, remedy="wait until it is built, then try again")
    return {name: one.hexdigest() for name, one in sums.items()}
