"""Which lock stands for a project's ranges.

A project file (`pyproject.toml`, `setup.cfg`, `NAME.in`) asks for ranges; a lock beside it says what they became. The
lock stands for a range when it holds the package in a version that the range allows; what it does not hold, or holds
in another version, stays open: a stale lock covers nothing it does not know. For packages that only the project's
build can tell, the lock has to be one that a tool made of the whole project, with hashes if it is a requirements
file. Every lock is audited on its own in any
case.

The order of locks in one folder: `pylock.toml`, `uv.lock`, `poetry.lock`, `Pipfile.lock`, then a requirements file
that pins everything. The first that leaves nothing open stands; if all leave something open, the first. A `uv.lock`
further up stands for the projects that it names.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from secgate.manifests.manifest import Entry, Manifest
from secgate.model import Value

_COMPILED = "requirements.txt"
"""What `pip-compile --generate-hashes` writes for a project."""
_ORDER = ("pylock", "uv-lock", "poetry-lock", "pipfile-lock", "pip-requirements")


class Settled(Value, frozen=True, kw_only=True):
    """A manifest, the path of the lock that stands for its ranges ("" for none), and the entries that nothing pins.

    `direct` are the names that the project asks for itself where `manifest` is the lock of such a project, empty
    where nobody tells.
    """

    manifest: Manifest
    lock: str = ""
    open: tuple[Entry, ...] = ()
    direct: frozenset[str] = frozenset()


def settle(manifests: Sequence[Manifest]) -> tuple[Settled, ...]:
    """Find for each manifest the lock that stands for its ranges, in the order given."""
    settled = [_settle(m, manifests) for m in manifests]
    names: dict[str, set[str]] = {}
    for one in settled:
        if one.lock:
            names.setdefault(one.lock, set()).update(e.name for e in one.manifest.entries)
    return tuple(
        Settled(
            manifest=s.manifest,
            lock=s.lock,
            open=s.open,
            direct=frozenset(names.get(s.manifest.path, ())),
        )
        for s in settled
    )


def _settle(manifest: Manifest, manifests: Sequence[Manifest]) -> Settled:
    if manifest.kind == "pip-constraints":
        return Settled(manifest=manifest)  # a range in it asks for nothing
    if not manifest.unpinned or manifest.lock:
        return Settled(manifest=manifest, open=manifest.unpinned)
    best: tuple[str, tuple[Entry, ...]] | None = None
    for lock in _locks(manifest, manifests):
        left = tuple(e for e in manifest.unpinned if not _holds(lock, e, manifest.kind))
        if not left:
            return Settled(manifest=manifest, lock=lock.path)
        best = best or (lock.path, left)
    if best is None:
        return Settled(manifest=manifest, open=manifest.unpinned)
    return Settled(manifest=manifest, lock=best[0], open=best[1])


def _locks(manifest: Manifest, manifests: Sequence[Manifest]) -> list[Manifest]:
    """Give the locks that may stand for `manifest`, best first."""
    folder = posixpath.dirname(manifest.path)
    if manifest.kind == "pip-requirements":
        stem, suffix = posixpath.splitext(manifest.path)
        wanted = f"{stem}.txt" if suffix == ".in" else ""
        return [m for m in manifests if m.path == wanted and _is_pinned(m)]
    found = [
        m
        for m in manifests
        if m.kind in _ORDER
        and not m.problems
        and ((m.lock and folder in m.covers) or (_is_pinned(m) and posixpath.dirname(m.path) == folder))
    ]
    # The nearest folder first, then the order of kinds, then the path.
    return sorted(found, key=lambda m: (-len(posixpath.dirname(m.path)), _ORDER.index(m.kind), m.path))


def _is_pinned(manifest: Manifest) -> bool:
    return bool(manifest.entries) and not manifest.unpinned and not manifest.problems


def _was_made_from(lock: Manifest, kind: str) -> bool:
    """Tell whether `lock` holds all that a project of `kind` asks for, which its build alone knows.

    That a file pins something says nothing of it: only what a locking tool writes for the whole project does.
    """
    if kind == "pipfile":
        return lock.kind == "pipfile-lock"
    is_output = lock.kind != "pip-requirements" or posixpath.basename(lock.path) == _COMPILED
    return lock.lock and is_output


def _holds(lock: Manifest, entry: Entry, kind: str) -> bool:
    if entry.problem == "dynamic":
        return _was_made_from(lock, kind)
    if entry.name and entry.name in lock.own:
        return True
    same = [e for e in lock.entries if e.name == entry.name]
    if entry.problem != "range":
        # From elsewhere than an index: the lock's own entry says so and is reported there.
        return bool(entry.name) and bool(same)
    try:
        allowed = SpecifierSet(entry.specifier)
    except InvalidSpecifier:
        return False
    return any(not e.version or allowed.contains(e.version, prereleases=True) for e in same)
