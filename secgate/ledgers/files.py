"""What the stores of ledgers share: files that are there whole or not at all, blobs that are what they are called."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from secgate.errors import InternalError, LedgerError
from secgate.model import Digest


def matching_blob(digest: Digest, data: bytes) -> bytes:
    """Give `data`; raises InternalError if its digest is another one."""
    if sha256(data).hexdigest() != digest:
        raise InternalError(f"a blob was given under a digest that is not its own: {digest}")
    return data


@contextmanager
def new_file(path: str) -> Iterator[Path]:
    """Give a name to write to; at the end the file takes the name `path`, which nothing has yet.

    Raises LedgerError where something has that name, or it cannot be written.
    """
    wanted = Path(path)
    building = wanted.with_name(f".{wanted.name}.{os.getpid()}.new")
    if wanted.exists():
        raise LedgerError("there is something already", place=path, remedy="give a new name; nothing is written over")
    try:
        yield building
        with building.open("rb") as written:
            os.fsync(written.fileno())
        building.replace(wanted)
    except OSError as error:
        raise LedgerError(f"it cannot be written: {error.strerror}", place=path, remedy="name another place") from error
    finally:
        building.unlink(missing_ok=True)
