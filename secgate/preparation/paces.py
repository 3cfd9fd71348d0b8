"""How long the scanners took in the last run of a tree that somebody watched: one small file a tree, this machine's.

A ledger has the durations of every machine that writes to it, which say nothing of this one.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from secgate.config import Machine
from secgate.model import Invocation, encode
from secgate.pace import Pace, paces

MAX_BYTES = 65_536


def keep_paces(invocations: Iterable[Invocation], *, tree: str, machine: Machine) -> None:
    """Keep the paces of a run; that it cannot be kept costs the next one its estimate and nothing else."""
    path = _path(tree, machine)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(encode(paces(invocations)))
    except OSError as error:
        logging.getLogger(__name__).info("the paces cannot be kept: %s", error.strerror)


def known_paces(*, tree: str, machine: Machine) -> Mapping[str, Pace]:
    """Give what was kept, by scanner; nothing where there is none or it cannot be read."""
    path = _path(tree, machine)
    try:
        data = path.read_bytes() if path.is_file() and path.stat().st_size <= MAX_BYTES else b"[]"
        return {one.scanner: one for one in msgspec.json.decode(data, type=tuple[Pace, ...])}
    except (OSError, msgspec.DecodeError) as error:
        logging.getLogger(__name__).info("the paces cannot be read: %s", error)
        return {}


def _path(tree: str, machine: Machine) -> Path:
    return Path(machine.state) / "cache" / "paces" / f"{hashlib.sha256(tree.encode()).hexdigest()[:24]}.json"
