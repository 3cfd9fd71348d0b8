"""One file of infrastructure code -> its part of the resource document.

The document is {"schema": {"name", "version"}, "files": [...], "resources": [...], "types": {...}}; its JSON Schema is
`rules/infrastructure/schema.json`. Nothing is run, fetched or guessed: what a literal says is a value, everything else
is {"unresolved": TEXT}, which is neither a safe value nor a weakness.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from secgate.infrastructure import dockerfile, manifests, terraform
from secgate.infrastructure.node import Budget, Plain, Refused, lines, plain
from secgate.infrastructure.resource import Found
from secgate.languages.source import Source

SCHEMA: Mapping[str, str | int] = {"name": "secgate/infrastructure", "version": 1}
"""Name and version of the document; the version grows when a field changes its meaning."""

KINDS = ("terraform", "cloudformation", "kubernetes", "dockerfile", "compose")
"""File kinds that have a reader."""

MOST_BYTES = 4 * 1024 * 1024
"""Larger files are refused: a gate must not be stopped by one generated file."""

MOST_RESOURCES = 5_000


class Parsed(NamedTuple):
    """One file's part: its entry of `files`, its `resources`, and why it could not be read in full, "" if it could.

    Resources are given beside a problem where the rest of the file can be told apart from what is broken.
    """

    resources: tuple[dict[str, Plain], ...]
    problem: str


def documents(path: str, kind: str, data: bytes) -> Parsed:
    """Read one file; `kind` is one of KINDS. Nothing is raised for any text: what cannot be read is the problem.

    A problem begins with a code of model.Gap (`parse-error`, `too-large`, `not-utf8`), then `: ` and words.
    """
    if len(data) > MOST_BYTES:
        return Parsed((), f"too-large: larger than {MOST_BYTES} bytes")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return Parsed((), "not-utf8: the text is not UTF-8")
    source = Source(data)
    try:
        found, problem = _read(path, kind, source)
        if len(found) > MOST_RESOURCES:
            raise Refused(f"more than {MOST_RESOURCES} resources")
        budget = Budget()
        resources = tuple(_resource(path, kind, one, budget) for one in found)
    except Refused as error:
        return Parsed((), f"parse-error: {error}")
    except RecursionError:
        return Parsed((), "parse-error: nested too deep")
    return Parsed(resources, f"parse-error: {problem}" if problem else "")


def joined(parts: Iterable[tuple[str, str, Parsed]]) -> dict[str, Plain]:
    """Put (path, kind, part) of several files together to one document, in the order given.

    `types` leads from `PLATFORM/TYPE` to positions in `resources`, so that a check looks at its own types alone.
    """
    files: list[Plain] = []
    resources: list[Plain] = []
    types: dict[str, list[Plain]] = {}
    for path, kind, part in parts:
        files.append({"path": path, "kind": kind, "parsed": not part.problem})
        for resource in part.resources:
            types.setdefault(f"{resource['platform']}/{resource['type']}", []).append(len(resources))
            resources.append(resource)
    return {
        "schema": {**SCHEMA},
        "files": files,
        "resources": resources,
        "types": {**dict(sorted(types.items()))},
    }


def _read(path: str, kind: str, source: Source) -> tuple[list[Found], str]:
    if kind == "terraform":
        return terraform.read(path, source)
    if kind == "dockerfile":
        return dockerfile.read(source)
    return manifests.read(kind, source), ""


def _resource(path: str, kind: str, found: Found, budget: Budget) -> dict[str, Plain]:
    attributes = plain(found.attributes, budget)
    return {
        "id": found.id,
        "platform": kind,
        "type": found.type,
        "name": found.name,
        "path": path,
        "line": found.line,
        "column": found.column,
        "end_line": found.end_line,
        "attributes": attributes if isinstance(attributes, dict) else {},
        "lines": dict(lines(found.attributes)),
    }
