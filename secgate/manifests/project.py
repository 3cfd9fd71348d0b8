"""Project files whose list of packages only another tool can tell: `setup.py`, `setup.cfg`, `Pipfile`.

Nothing of them is run and none of their forms is read. They are known so that a project which says here alone what it
needs is not taken for one without dependencies: a lock beside the file stands for it, else it stays open.
"""

from __future__ import annotations

import re

from secgate.manifests.manifest import Entry, Manifest

_LISTS = re.compile(rb"\b(?:install|extras|setup|tests)_require|^[ \t]*\[(?:dev-)?packages\]", re.MULTILINE)
_IN_A_PROGRAM = re.compile(rb"(?<!python)_require|\*\*")
"""A program may build the name of a list, or hand over a mapping that holds one."""


def read(path: str, kind: str, data: bytes) -> Manifest:
    """Give one entry of no name at the first list of packages, or what may be one; no entry without."""
    found = (_IN_A_PROGRAM if kind == "setup-py" else _LISTS).search(data)
    if found is None:
        return Manifest(path=path, kind=kind)
    line = 1 + data.count(b"\n", 0, found.start())
    unknown = Entry(name="", path=path, line=line, problem="dynamic", text="packages of the project")
    return Manifest(path=path, kind=kind, entries=(unknown,))
