"""`pyproject.toml`: the project table, dependency groups, and the tables of Poetry, uv and PDM.

Sources: PyPA specifications "pyproject.toml" and "Dependency Groups"; the documentation of Poetry and uv for their
tables.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

import msgspec
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from secgate.manifests import requirements
from secgate.manifests.manifest import (
    MAX_ENTRIES,
    Entry,
    IndexAddress,
    Manifest,
    ManifestFault,
    Reader,
    clip,
    without_credentials,
)
from secgate.manifests.requirement import from_text, name_text, pin_of, poetry_specifier
from secgate.manifests.shape import array, dig, table, text, want_array
from secgate.manifests.toml import Document, Key, parse

_ELSEWHERE = {
    "git": "vcs",
    "path": "local-path",
    "url": "url",
    "file": "local-path",
    "workspace": "local-path",
}


def read(path: str, data: bytes, reader: Reader | None) -> Manifest:
    """Read a project file. Raises ManifestFault. One without a project (only tools' tables) has no entries."""
    document = parse(data)
    own = str(
        canonicalize_name(
            text(dig(document.data, "project", "name")) or text(dig(document.data, "tool", "poetry", "name"))
        )
    )
    entries = [*_project(path, document), *_poetry(path, document)]
    if len(entries) > MAX_ENTRIES:
        raise ManifestFault("too-many", f"more than {MAX_ENTRIES} entries")
    sources = table(dig(document.data, "tool", "uv", "sources"))
    named = {str(canonicalize_name(n)): s for n, s in sources.items()}
    entries = [_from_source(e, named) for e in entries if not own or e.name != own]
    manifest = Manifest(
        path=path,
        kind="pyproject",
        entries=tuple(entries),
        indexes=tuple(_indexes(path, document)),
        own=(own,) if own else (),
        notices=_notices(path, document),
    )
    return _dynamic(manifest, document, reader)


def _project(path: str, document: Document) -> Iterator[Entry]:
    """Give the entries of every list of requirements."""
    lists: list[tuple[Key, bool]] = [(("project", "dependencies"), False)]
    lists += [
        (("project", "optional-dependencies", n), False)
        for n in table(dig(document.data, "project", "optional-dependencies"))
    ]
    lists += [(("dependency-groups", n), True) for n in table(document.data.get("dependency-groups"))]
    lists += [(("tool", "uv", "dev-dependencies"), True)]
    lists += [
        (("tool", "pdm", "dev-dependencies", n), True)
        for n in table(dig(document.data, "tool", "pdm", "dev-dependencies"))
    ]
    for key, development in lists:
        value = dig(document.data, *(str(k) for k in key))
        if value is None:
            continue
        for number, item in enumerate(want_array(value, ".".join(str(k) for k in key))):
            line = document.line(*key, number)
            if isinstance(item, dict) and "include-group" in item:
                continue  # that group is a list of its own
            if not isinstance(item, str):
                raise ManifestFault("shape", "a requirement is not text", line)
            yield from_text(item, path=path, line=line, development=development)


def _poetry(path: str, document: Document) -> Iterator[Entry]:
    tables: list[tuple[Key, bool]] = [
        (("tool", "poetry", "dependencies"), False),
        (("tool", "poetry", "dev-dependencies"), True),
    ]
    groups = table(dig(document.data, "tool", "poetry", "group"))
    tables += [(("tool", "poetry", "group", g, "dependencies"), g != "main") for g in groups]
    for key, development in tables:
        for name, value in table(dig(document.data, *(str(k) for k in key))).items():
            if name.lower() == "python":
                continue
            for part in value if isinstance(value, list) else [value]:
                line = document.line(*key, name)
                yield _poetry_entry(name, part, path=path, line=line, development=development)


def _poetry_entry(name: str, value: object, *, path: str, line: int, development: bool) -> Entry:
    """Give the entry of `name = "^1.2"` or `name = {version = "^1.2", ...}`.

    Poetry's own names for markers (`python`, `platform`) are left out: markers are evaluated for no environment.
    """
    values = table(value)
    constraint = value if isinstance(value, str) else text(values.get("version"))
    problem = next((reason for key, reason in _ELSEWHERE.items() if key in values), "")
    specifier = poetry_specifier(constraint) if len(constraint) <= 200 else None
    version = ""
    if not problem:
        version = pin_of(SpecifierSet(specifier or ""))
        problem = "" if version else ("invalid" if specifier is None else "range")
    extras = [name_text(e) for e in array(values.get("extras")) if isinstance(e, str)]
    known = name_text(name)
    if not known or not all(extras):
        version, problem = "", "invalid"
    return Entry(
        name=known,
        version=version,
        specifier=specifier or "",
        extras=tuple(sorted(extras)),
        path=path,
        line=line,
        development=development,
        problem=problem,
        text=clip(f"{name} {constraint}"),
    )


def _from_source(entry: Entry, sources: Mapping[str, object]) -> Entry:
    """Mark an entry that `tool.uv.sources` takes from elsewhere than an index.

    Resolving its name there would find a stranger.
    """
    source = sources.get(entry.name)
    for one in source if isinstance(source, list) else [source]:
        for key, reason in _ELSEWHERE.items():
            if key in table(one):
                return msgspec.structs.replace(entry, problem=reason, version="")
    return entry


def _dynamic(manifest: Manifest, document: Document, reader: Reader | None) -> Manifest:
    """Add what a dynamic list of dependencies means.

    The files that setuptools is told to read, else an entry that says nobody knows.
    """
    dynamic = array(dig(document.data, "project", "dynamic"))
    if "dependencies" not in dynamic:
        return manifest
    line = document.line("project", "dynamic", dynamic.index("dependencies"))
    files = dig(document.data, "tool", "setuptools", "dynamic", "dependencies", "file")
    names = [f for f in (files if isinstance(files, list) else [files]) if isinstance(f, str)]
    if not names or reader is None:
        unknown = Entry(name="", path=manifest.path, line=line, problem="dynamic", text="dynamic dependencies")
        return msgspec.structs.replace(manifest, entries=(*manifest.entries, unknown))
    # Read as a requirements file beside the project that refers to each of them.
    lines = "".join(f"-r {_quoted(name)}\n" for name in names)
    beside = requirements.read(manifest.path, "pip-requirements", lines.encode(), reader)
    placed = tuple(msgspec.structs.replace(p, line=line) if p.path == manifest.path else p for p in beside.problems)
    return msgspec.structs.replace(
        manifest,
        entries=(*manifest.entries, *beside.entries),
        indexes=(*manifest.indexes, *beside.indexes),
        references=tuple(sorted({*manifest.references, *beside.references})),
        problems=(*manifest.problems, *placed),
    )


def _quoted(name: str) -> str:
    return shlex.quote(" ".join(name.split()))


def _indexes(path: str, document: Document) -> Iterator[IndexAddress]:
    places: tuple[tuple[str, ...], ...] = (
        ("tool", "uv", "index"),
        ("tool", "poetry", "source"),
        ("tool", "pdm", "source"),
    )
    for place in places:
        for number, index in enumerate(array(dig(document.data, *place))):
            address = without_credentials(text(dig(index, "url")))
            line = document.line(*place, number, "url")
            if address:
                yield IndexAddress(path=path, line=line, option=".".join(place), address=address)
    for scope in (("tool", "uv"), ("tool", "uv", "pip")):
        for option in ("index-url", "extra-index-url", "find-links"):
            value = dig(document.data, *scope, option)
            for given in value if isinstance(value, list) else [value]:
                if isinstance(given, str):
                    line = document.line(*scope, option)
                    yield IndexAddress(
                        path=path,
                        line=line,
                        option=".".join((*scope, option)),
                        address=without_credentials(given),
                    )


def _notices(path: str, document: Document) -> tuple[str, ...]:
    """Say what is not read: packages that only building or a tool's own environments need."""
    found = []
    if array(dig(document.data, "build-system", "requires")):
        found.append(f"{path}: packages of build-system.requires are not audited")
    if table(dig(document.data, "tool", "hatch", "envs")):
        found.append(f"{path}: packages of tool.hatch.envs are not audited")
    return tuple(found)
