"""Manifests of Python packages: what they pin, what they leave open, and where each entry stands. One module a format.

Markers are evaluated for no environment: entries of every environment are kept and every pin is audited.
"""

from __future__ import annotations

from collections.abc import Mapping

from secgate.manifests import (
    pipfile_lock,
    poetry_lock,
    project,
    pylock,
    pyproject,
    requirements,
    uv_lock,
)
from secgate.manifests.manifest import (
    Entry,
    IndexAddress,
    Manifest,
    ManifestFault,
    Problem,
    Reader,
)
from secgate.manifests.settle import Settled, settle

__all__ = [
    "KINDS",
    "Entry",
    "IndexAddress",
    "Manifest",
    "Problem",
    "Reader",
    "Settled",
    "read",
    "settle",
]

KINDS: Mapping[str, str] = {
    "pip-requirements": "requirements files of pip",
    "pip-constraints": "constraints files of pip",
    "pylock": "pylock.toml",
    "poetry-lock": "poetry.lock",
    "uv-lock": "uv.lock",
    "pipfile-lock": "Pipfile.lock",
    "pyproject": "pyproject.toml",
    "pipfile": "Pipfile",
    "setup-cfg": "setup.cfg",
    "setup-py": "setup.py",
}
"""Kinds of files that `read` understands, with what they are called."""


def read(path: str, kind: str, data: bytes, *, reader: Reader | None = None) -> Manifest:
    """Read the manifest `data` that stands at `path` in the view, of one of KINDS.

    Files that it refers to are asked of `reader`; without one they are problems. Nothing in the file makes this
    raise: what cannot be read is a `Problem`. Raises KeyError for another kind.
    """
    if kind not in KINDS:
        raise KeyError(kind)
    try:
        return _read(path, kind, data, reader)
    except ManifestFault as fault:
        return Manifest(path=path, kind=kind, problems=(fault.problem(path),))


def _read(path: str, kind: str, data: bytes, reader: Reader | None) -> Manifest:
    if kind in ("pip-requirements", "pip-constraints"):
        return requirements.read(path, kind, data, reader)
    if kind == "pyproject":
        return pyproject.read(path, data, reader)
    if kind in ("pipfile", "setup-cfg", "setup-py"):
        return project.read(path, kind, data)
    formats = {
        "pylock": pylock.read,
        "poetry-lock": poetry_lock.read,
        "uv-lock": uv_lock.read,
        "pipfile-lock": pipfile_lock.read,
    }
    return formats[kind](path, data)
