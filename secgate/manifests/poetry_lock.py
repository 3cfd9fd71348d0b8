"""`poetry.lock`, formats 1 and 2."""

from __future__ import annotations

import posixpath

from packaging.utils import canonicalize_name

from secgate.manifests.manifest import Entry, IndexAddress, Manifest, known_hashes, without_credentials
from secgate.manifests.requirement import locked
from secgate.manifests.shape import array, dig, table, text, want_array, want_table, want_text
from secgate.manifests.toml import Document, parse

_ELSEWHERE = {
    "git": "vcs",
    "hg": "vcs",
    "svn": "vcs",
    "url": "url",
    "directory": "local-path",
    "file": "local-path",
}


def read(path: str, data: bytes) -> Manifest:
    """Read a lock. Raises ManifestFault. A lock of an empty project has no packages."""
    document = parse(data)
    want_table(document.data.get("metadata"), "metadata")
    packages = [want_table(p, "a package") for p in want_array(document.data.get("package", []), "package")]
    needed = {str(canonicalize_name(n)) for p in packages for n in table(p.get("dependencies"))}
    entries = tuple(_entry(path, document, i, needed) for i in range(len(packages)))
    indexes: dict[str, IndexAddress] = {}
    for number, package in enumerate(packages):
        address = without_credentials(text(dig(package, "source", "url")))
        if dig(package, "source", "type") == "legacy" and address not in indexes:
            line = document.line("package", number, "source", "url")
            indexes[address] = IndexAddress(path=path, line=line, option="package.source", address=address)
    return Manifest(
        path=path,
        kind="poetry-lock",
        lock=True,
        entries=entries,
        indexes=tuple(indexes.values()),
        covers=(posixpath.dirname(path),),
    )


def _entry(path: str, document: Document, number: int, needed: set[str]) -> Entry:
    values = table(array(document.data["package"])[number])
    line = document.line("package", number, "name")
    name = want_text(values.get("name"), "a package's name", line)
    groups = [g for g in array(values.get("groups")) if isinstance(g, str)]
    files = array(values.get("files")) or array(dig(document.data, "metadata", "files", name))
    kind = text(dig(values, "source", "type"))
    return locked(
        name,
        text(values.get("version")),
        path=path,
        line=line,
        source="" if kind in ("", "legacy") else _ELSEWHERE.get(kind, "url"),
        direct=str(canonicalize_name(name)) not in needed,
        development=(bool(groups) and "main" not in groups) or values.get("category") == "dev",
        hashed=bool(files) and all(text(table(f).get("hash")) for f in files),
        hashes=known_hashes(text(table(f).get("hash")) for f in files),
        marker=text(values.get("markers")),
    )
