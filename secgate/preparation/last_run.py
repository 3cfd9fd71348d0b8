"""The last run of a tree that no ledger holds: staged runs, forks, and trees whose ledger is switched off.

One file a tree in the state folder, so that what a laptop just refused can be explained; the next run replaces it.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

import msgspec

from secgate.config import Machine
from secgate.errors import UsageError
from secgate.model import RunDocument, encode

MAX_BYTES = 512 * 1024 * 1024


def keep_last(document: RunDocument, *, root: str, machine: Machine) -> bool:
    """Keep a run for this user alone; False where the state folder cannot be written."""
    path = _path(root, machine)
    temporary = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            stream.write(encode(document))
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        return False
    return True


def last_kept(*, root: str, machine: Machine) -> RunDocument | None:
    """Give the run that was kept, None for none. Raises UsageError for a file that cannot be read."""
    path = _path(root, machine)
    try:
        data = path.read_bytes() if path.is_file() and path.stat().st_size <= MAX_BYTES else b""
        return msgspec.json.decode(data, type=RunDocument) if data else None
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError(
            f"the last run that no ledger holds cannot be read: {error}", place=str(path), remedy="run again"
        ) from error


def _path(root: str, machine: Machine) -> Path:
    return Path(machine.state) / "last-runs" / f"{hashlib.sha256(root.encode()).hexdigest()[:24]}.json"
