"""Infrastructure files in the shapes that Conftest's policies know: `python -I -m secgate.infrastructure.shapes`.

Stdin is a JSON list of {"path", "kind"}, the working directory the view; stdout a JSON list of {"path", "documents",
"problem"}, in the order given. YAML gives one document for each of its own, JSON one; Terraform one with
`resource.TYPE.NAME` and the like, each block in a list, an expression as `${...}`; a Dockerfile the list of its
commands. Nothing is run, fetched or followed. Source: Conftest, parsers `yaml`, `json`, `hcl2`, `dockerfile`.
"""

from __future__ import annotations

import sys

import msgspec

from secgate.infrastructure import dockerfile, terraform
from secgate.infrastructure.check import read_plain
from secgate.infrastructure.data_formats import read_json, read_yaml
from secgate.infrastructure.documents import MOST_BYTES, MOST_RESOURCES
from secgate.infrastructure.forms import Listed, Shaped
from secgate.infrastructure.node import Budget, Plain, Refused, plain
from secgate.infrastructure.resource import Found
from secgate.languages.source import Source

KINDS = ("terraform", "dockerfile", "data")
"""Shapes; `data` is YAML or JSON of any meaning."""

_NAMED = frozenset({"module", "output", "variable"})


def shaped(path: str, kind: str, data: bytes) -> Shaped:
    """Give a file's documents, or why it could not be read in full; nothing is raised for any text."""
    if len(data) > MOST_BYTES:
        return Shaped(path=path, documents=[], problem=f"larger than {MOST_BYTES} bytes")
    try:
        data.decode("utf-8")
        documents = _documents(path, kind, Source(data))
    except UnicodeDecodeError:
        return Shaped(path=path, documents=[], problem="the text is not UTF-8")
    except Refused as error:
        return Shaped(path=path, documents=[], problem=str(error))
    except RecursionError:
        return Shaped(path=path, documents=[], problem="nested too deep")
    return Shaped(path=path, documents=documents, problem="")


def _documents(path: str, kind: str, source: Source) -> list[Plain]:
    budget = Budget()
    if kind == "terraform":
        found, problem = terraform.read(path, source)
        if problem or len(found) > MOST_RESOURCES:
            raise Refused(problem or f"more than {MOST_RESOURCES} blocks")
        return [_blocks(found, budget)]
    if kind == "dockerfile":
        return [dockerfile.commands(source)]
    nodes = [read_json(source)] if path.endswith(".json") else read_yaml(source)
    return [_expressions(plain(node, budget)) for node in nodes]


def _blocks(found: list[Found], budget: Budget) -> Plain:
    """Nest blocks as they are written: `resource.TYPE.NAME`, `variable.NAME`, `locals`; each a list of bodies."""
    top: dict[str, Plain] = {}
    for one in found:
        kind, labels = one.type, [one.name] if one.type in _NAMED else []
        if one.type.startswith(("data.", "provider.")):
            kind, _, first = one.type.partition(".")
            labels = [first, one.name] if kind == "data" else [first]
        elif one.id == f"{one.type}.{one.name}" and one.type not in _NAMED:
            kind, labels = "resource", [one.type, one.name]
        place = top
        for part in (kind, *labels[:-1]) if labels else ():
            below = place.setdefault(part, {})
            if not isinstance(below, dict):
                raise Refused(f"two blocks are called {part}")
            place = below
        bodies = place.setdefault(labels[-1] if labels else kind, [])
        if not isinstance(bodies, list):
            raise Refused(f"two blocks are called {one.id}")
        bodies.append(_expressions(plain(one.attributes, budget)))
    return top


def _expressions(value: Plain) -> Plain:
    """Write what only a run could tell as the text that it is: `${var.region}`."""
    if isinstance(value, dict):
        text = value.get("unresolved")
        if len(value) == 1 and isinstance(text, str):
            return text[1:-1] if text[:1] == '"' == text[-1:] else text if "$" in text else f"${{{text}}}"
        return {key.removeprefix("_") if key == "_unresolved" else key: _expressions(one) for key, one in value.items()}
    return [_expressions(one) for one in value] if isinstance(value, list) else value


def _read(file: Listed) -> Shaped:
    try:
        data = read_plain(".", file.path)
    except OSError as error:
        return Shaped(path=file.path, documents=[], problem=error.strerror or "it cannot be read")
    return shaped(file.path, file.kind, data)


if __name__ == "__main__":
    listed = msgspec.json.decode(sys.stdin.buffer.read(), type=list[Listed])
    sys.stdout.buffer.write(msgspec.json.encode([_read(file) for file in listed]))
