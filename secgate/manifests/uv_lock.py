"""`uv.lock`, version 1."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping

from packaging.utils import canonicalize_name

from secgate.manifests.manifest import (
    Entry,
    IndexAddress,
    Manifest,
    ManifestFault,
    known_hashes,
    without_credentials,
)
from secgate.manifests.requirement import locked
from secgate.manifests.shape import array, dig, table, text, want_array, want_table, want_text
from secgate.manifests.toml import Document, parse

_ELSEWHERE = {"git": "vcs", "url": "url", "path": "local-path", "directory": "local-path",
              "editable": "local-path", "virtual": "local-path"}  # fmt: skip
_FOLDERS = ("editable", "virtual", "directory")


def read(path: str, data: bytes) -> Manifest:
    """Read a lock. Raises ManifestFault. Packages made from folders of the tree are `own`, not entries."""
    document = parse(data)
    if document.data.get("version") != 1:
        raise ManifestFault("shape", "the lock's version is not 1", document.line("version"))
    packages = [want_table(p, "a package") for p in want_array(document.data.get("package", []), "package")]
    folders = {i: folder for i, p in enumerate(packages) if (folder := _folder(path, p)) is not None}
    own = [packages[i] for i in sorted(folders)]
    direct, development = _reached(packages, own)
    entries = tuple(
        _entry(path, document.line("package", i, "name"), p, direct=direct, development=development)
        for i, p in enumerate(packages)
        if i not in folders
    )
    return Manifest(
        path=path,
        kind="uv-lock",
        lock=True,
        entries=entries,
        indexes=_indexes(path, document, packages),
        covers=tuple(sorted({posixpath.dirname(path), *folders.values()})),
        own=tuple(sorted({_name(p) for p in own})),
    )


def _folder(path: str, package: Mapping[str, object]) -> str | None:
    """Give the folder of the tree that a package is made from, None for one from elsewhere."""
    source = table(package.get("source"))
    for key in _FOLDERS:
        if key in source:
            folder = posixpath.normpath(posixpath.join(posixpath.dirname(path), text(source[key])))
            inside = not folder.startswith(("../", "/")) and folder != ".."
            return ("" if folder == "." else folder) if inside else None
    return None


def _name(package: Mapping[str, object]) -> str:
    return str(canonicalize_name(text(package.get("name"))))


def _names(values: object) -> Iterable[str]:
    return (str(canonicalize_name(text(table(v).get("name")))) for v in array(values))


def _reached(packages: list[Mapping[str, object]], own: list[Mapping[str, object]]) -> tuple[set[str], set[str]]:
    """Give the names that own packages ask for, and those reached through development groups alone."""
    edges: dict[str, set[str]] = {}
    for package in packages:
        reached = edges.setdefault(_name(package), set())
        reached.update(_names(package.get("dependencies")))
        for extra in table(package.get("optional-dependencies")).values():
            reached.update(_names(extra))
    groups = {n for p in own for g in table(p.get("dev-dependencies")).values() for n in _names(g)}
    own_names = {_name(p) for p in own}
    running = {n for name in own_names for n in edges.get(name, ())}
    production = _closure(running, edges)
    return running | groups, _closure(groups, edges) - production


def _closure(start: set[str], edges: Mapping[str, set[str]]) -> set[str]:
    seen, todo = set(start), list(start)
    while todo:
        for name in edges.get(todo.pop(), ()):
            if name not in seen:
                seen.add(name)
                todo.append(name)
    return seen


def _entry(
    path: str,
    line: int,
    package: Mapping[str, object],
    *,
    direct: set[str],
    development: set[str],
) -> Entry:
    name = want_text(package.get("name"), "a package's name", line)
    source = table(package.get("source"))
    files = [f for f in (package.get("sdist"), *array(package.get("wheels"))) if f is not None]
    normal = _name(package)
    return locked(
        name,
        text(package.get("version")),
        path=path,
        line=line,
        source=next((reason for key, reason in _ELSEWHERE.items() if key in source), ""),
        direct=normal in direct,
        development=normal in development,
        hashed=bool(files) and all(text(table(f).get("hash")) for f in files),
        hashes=known_hashes(text(table(f).get("hash")) for f in files),
    )


def _indexes(path: str, document: Document, packages: list[Mapping[str, object]]) -> tuple[IndexAddress, ...]:
    found: dict[str, IndexAddress] = {}
    for number, package in enumerate(packages):
        address = without_credentials(text(dig(package, "source", "registry")))
        if address and address not in found:
            line = document.line("package", number, "source")
            found[address] = IndexAddress(path=path, line=line, option="source.registry", address=address)
    return tuple(found.values())
