"""A file put in the place of another: readers see the old one or the new one, and nothing half written is left."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def replace_file(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """Write `data` to `path`, whole or not at all, and lasting before it is there.

    `mode` are its permissions; without it they stay as they were, and a new file gets those of any new file. Raises
    OSError where it cannot be written.
    """
    if mode is None:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_mask()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(handle)
        temporary.chmod(mode)
        temporary.replace(path)
    finally:
        # After a rename there is nothing of this name any more.
        temporary.unlink(missing_ok=True)


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
