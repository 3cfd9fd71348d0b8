"""The last head of each ledger that this machine has seen, kept apart from it: a ledger cut short is then noticed.

It is a help on machines that last. A runner's disk goes with its job: there a checkpoint in the settings does this.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from secgate.errors import LedgerError
from secgate.model import Head


class SeenHeads:
    """Heads by ledger address, one small file each, in the folder `root`."""

    def __init__(self, root: str) -> None:
        self._root = Path(root)

    def of(self, address: str) -> Head | None:
        """Give the head last seen, None for a ledger that was never seen. Raises LedgerError for a damaged note."""
        path = self._path(address)
        try:
            return msgspec.json.decode(path.read_bytes(), type=Head)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            raise LedgerError(
                f"the note of the ledger's last head cannot be read: {error}",
                place=str(path),
                remedy="restore it, or remove it after verifying the ledger against a checkpoint",
            ) from error

    def keep(self, address: str, head: Head) -> None:
        """Note a head, whole or not at all; a note of a longer ledger stays. Raises LedgerError where it cannot."""
        known = self.of(address)
        if known is not None and known.size > head.size:
            return
        path = self._path(address)
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            building = path.with_suffix(f".{os.getpid()}.new")
            building.write_bytes(msgspec.json.encode(head))
            building.replace(path)
        except OSError as error:
            raise LedgerError(
                f"the ledger's head cannot be noted: {error.strerror}",
                place=str(path),
                remedy="make the state folder writable",
            ) from error

    def _path(self, address: str) -> Path:
        return self._root / f"{hashlib.sha256(address.encode()).hexdigest()[:24]}.json"
