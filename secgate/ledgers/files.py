"""What the stores of ledgers share: files that are there whole or not at all, blobs that are what they are called."""

from __future__ import annotations

import os
import shutil
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
def new_place(path: str) -> Iterator[Path]:
    """Give a name to write a file or a folder to; at the end that takes the name `path`, which nothing has yet.

    Raises LedgerError where something has that name, or it cannot be written; then nothing is left.
    """
    wanted = Path(path)
    building = wanted.with_name(f".{wanted.name}.{os.getpid()}.new")
    try:
        if os.path.lexists(wanted):
            raise LedgerError(
                "there is something already", place=path, remedy="give a new name; nothing is written over"
            )
        # One that was killed may have had this number.
        _clear(building)
        # Said now, and not when all that goes there has been read.
        building.touch()
        building.unlink()
    except OSError as error:
        raise unwritable(path, error.strerror or "") from error
    try:
        yield building
        if building.is_file():
            with building.open("rb") as written:
                os.fsync(written.fileno())
        building.rename(wanted)
    except LedgerError as error:
        error.place = path if error.place == str(building) else error.place
        raise
    except OSError as error:
        raise unwritable(path, error.strerror or "") from error
    finally:
        _clear(building)


def unwritable(path: str, why: str) -> LedgerError:
    """Give the error for a place where nothing can be written."""
    return LedgerError(f"it cannot be written: {why}", place=path, remedy="name another place, which takes it")


def _clear(building: Path) -> None:
    if building.is_dir():
        shutil.rmtree(building)
    else:
        building.unlink(missing_ok=True)
