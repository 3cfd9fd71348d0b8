"""Where secgate's own data lies: policies, rules and reports, from a wheel or from a checkout.

A wheel carries them under `secgate/_data/`; an editable install finds them beside the package. The wheel's copy is
looked for first, so
that a checkout in the working directory can never shadow an installed secgate.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from secgate.errors import InternalError

Folder = Literal["policies", "rules", "reports"]

_PACKAGE = Path(__file__).resolve().parent
_DECIDING: tuple[Folder, ...] = ("policies", "reports")


def data_dir(folder: Folder) -> Path:
    """Give the absolute path of one of secgate's data folders. Raises InternalError when the installation lacks it."""
    for candidate in (_PACKAGE / "_data" / folder, _PACKAGE.parent / folder):
        if candidate.is_dir():
            return candidate
    raise InternalError(
        f"the installation has no {folder}/ folder",
        remedy="reinstall secgate; a wheel carries the folder, a checkout has it at its top",
    )


def files_under(root: Path, *suffixes: str) -> Iterator[tuple[str, bytes]]:
    """Give (POSIX path below `root`, bytes) of the regular files that end in one of `suffixes`, sorted, no links."""
    for path in sorted(root.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        if suffixes and not path.name.endswith(suffixes):
            continue
        yield path.relative_to(root).as_posix(), path.read_bytes()


def folder_digest(root: Path, *suffixes: str) -> str:
    """Give one SHA-256 over names and bytes of the files under `root`, independent of where it lies."""
    total = hashlib.sha256()
    for name, data in files_under(root, *suffixes):
        total.update(f"{len(name.encode())}:{name}:{len(data)}:".encode())
        total.update(data)
    return total.hexdigest()


def program_digest() -> str:
    """Give one SHA-256 over secgate's own code, policies and templates: the same from a wheel and from a checkout."""
    total = hashlib.sha256()
    for name, data in files_under(_PACKAGE, ".py"):
        if not name.startswith("_data/"):
            total.update(f"{len(name.encode())}:{name}:{len(data)}:".encode() + data)
    for folder in _DECIDING:
        total.update(folder_digest(data_dir(folder)).encode())
    return total.hexdigest()


def first_unreadable(root: Path, names: Iterable[str]) -> str:
    """Give the first of `names` under `root`, or what is below it, that may not be read; "" where all may.

    A walk passes over a folder that it may not read as if it were empty: what counts by its absence asks here first.
    """
    if not os.access(root, os.R_OK | os.X_OK):
        return "."
    for name in names:
        top = root / name
        for one in (top, *sorted(top.rglob("*"))):
            needed = os.R_OK | os.X_OK if one.is_dir() else os.R_OK
            if not one.is_symlink() and one.exists() and not os.access(one, needed):
                return one.relative_to(root).as_posix()
    return ""
