"""`pylock.toml`. Source: PyPA specification "pylock.toml", version 1.0 (PEP 751)."""

from __future__ import annotations

import posixpath

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

_ELSEWHERE = {"vcs": "vcs", "directory": "local-path", "archive": "url"}


def read(path: str, data: bytes) -> Manifest:
    """Read a lock. Raises ManifestFault."""
    document = parse(data)
    version = text(document.data.get("lock-version"))
    if version.split(".")[0] != "1":
        raise ManifestFault(
            "shape",
            f"lock-version {version or 'missing'}, known is 1",
            document.line("lock-version"),
        )
    packages = want_array(document.data.get("packages"), "packages")
    tables = [want_table(p, "a package") for p in packages]
    needed = {str(canonicalize_name(text(dig(d, "name")))) for t in tables for d in array(t.get("dependencies"))}
    entries = tuple(_entry(path, document, i, t, needed) for i, t in enumerate(tables))
    return Manifest(
        path=path,
        kind="pylock",
        lock=True,
        entries=entries,
        indexes=_indexes(path, document, tables),
        covers=(posixpath.dirname(path),),
    )


def _entry(path: str, document: Document, number: int, package: object, needed: set[str]) -> Entry:
    values = table(package)
    line = document.line("packages", number, "name")
    name = want_text(values.get("name"), "a package's name", line)
    source = next((reason for key, reason in _ELSEWHERE.items() if key in values), "")
    marker = text(values.get("marker"))
    files = [f for f in (values.get("sdist"), *array(values.get("wheels"))) if f is not None]
    return locked(
        name,
        text(values.get("version")),
        path=path,
        line=line,
        source=source,
        direct=str(canonicalize_name(name)) not in needed,
        development="dependency_groups" in marker,
        hashed=bool(files) and all(table(table(f).get("hashes")) for f in files),
        hashes=known_hashes(
            f"{alg}:{text(value)}" for f in files for alg, value in table(table(f).get("hashes")).items()
        ),
        marker=marker,
    )


def _indexes(path: str, document: Document, packages: object) -> tuple[IndexAddress, ...]:
    found: dict[str, IndexAddress] = {}
    for number, package in enumerate(array(packages)):
        address = without_credentials(text(table(package).get("index")))
        if address and address not in found:
            line = document.line("packages", number, "index")
            found[address] = IndexAddress(path=path, line=line, option="packages.index", address=address)
    return tuple(found.values())
