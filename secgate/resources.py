"""Where secgate's own data lies: policies, rules and reports, from a wheel or from a checkout.

A wheel carries them under `secgate/_data/`; an editable install finds them beside the package. The wheel's copy is
looked for first, so
that a checkout in the working directory can never shadow an installed secgate.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
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
