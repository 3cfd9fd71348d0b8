"""`Pipfile.lock`. The format does not tell what is asked for directly: all entries count as direct."""

from __future__ import annotations

import posixpath

from secgate.manifests.json import Document, parse
from secgate.manifests.manifest import (
    MAX_ENTRIES,
    Entry,
    IndexAddress,
    Manifest,
    ManifestFault,
    known_hashes,
    without_credentials,
)
from secgate.manifests.requirement import locked
from secgate.manifests.shape import array, dig, text, want_table

_ELSEWHERE = {
    "git": "vcs",
    "hg": "vcs",
    "svn": "vcs",
    "bzr": "vcs",
    "path": "local-path",
    "file": "url",
}


def read(path: str, data: bytes) -> Manifest:
    """Read a lock. Raises ManifestFault. Every section but `default` is a development group."""
    document = parse(data)
    want_table(document.data.get("_meta"), "_meta")
    sections = [s for s in document.data if s != "_meta"]
    entries: list[Entry] = []
    for section in sections:
        packages = want_table(document.data[section], section)
        if len(entries) + len(packages) > MAX_ENTRIES:
            raise ManifestFault("too-many", f"more than {MAX_ENTRIES} entries")
        entries += [_entry(path, document, section, name) for name in packages]
    indexes = tuple(
        IndexAddress(
            path=path,
            line=document.line("_meta", "sources"),
            option="_meta.sources",
            address=address,
        )
        for source in array(dig(document.data, "_meta", "sources"))
        if (address := without_credentials(text(dig(source, "url"))))
    )
    return Manifest(
        path=path,
        kind="pipfile-lock",
        lock=True,
        entries=tuple(entries),
        indexes=indexes,
        covers=(posixpath.dirname(path),),
    )


def _entry(path: str, document: Document, section: str, name: str) -> Entry:
    line = document.line(section, name)
    values = want_table(dig(document.data, section, name), name)
    source = next((reason for key, reason in _ELSEWHERE.items() if key in values), "")
    return locked(
        name,
        text(values.get("version")).removeprefix("=="),
        path=path,
        line=line,
        source="editable" if values.get("editable") else source,
        development=section != "default",
        hashed=bool(array(values.get("hashes"))),
        hashes=known_hashes(text(one) for one in array(values.get("hashes"))),
        marker=text(values.get("markers")),
    )
