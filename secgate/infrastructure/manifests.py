"""CloudFormation templates, Kubernetes objects and compose services as resources."""

from __future__ import annotations

from collections.abc import Iterator

from secgate.infrastructure.data_formats import read_json, read_yaml
from secgate.infrastructure.node import Node, Refused, Unresolved, entries, items, text
from secgate.infrastructure.resource import Found
from secgate.languages import json
from secgate.languages.source import Source

_SHALLOW = 40  # levels of intrinsics in intrinsics that are looked through


def read(kind: str, source: Source) -> list[Found]:
    """Give the resources of a file of `kind`: cloudformation, kubernetes or compose.

    Raises Refused for text that is neither YAML nor JSON and past a cap.
    """
    documents = _documents(source)
    readers = {"cloudformation": _cloudformation, "kubernetes": _kubernetes, "compose": _compose}
    return [found for document in documents for found in readers[kind](document)]


def _documents(source: Source) -> list[Node]:
    """Read JSON where it is JSON, else YAML: both begin with a brace."""
    if source.text.lstrip().startswith(("{", "[")) and not json.problem(source):
        return [read_json(source)]
    return read_yaml(source)


def _cloudformation(document: Node) -> Iterator[Found]:
    """Give resources (attributes are their properties) and parameters, whose type is `Parameter`."""
    top = entries(document)
    for name, node in entries(top.get("Resources")).items():
        kind = text(entries(node).get("Type"))
        if kind:
            properties = entries(node).get("Properties") or Node({}, node.line, node.column)
            yield _found(name, kind, name, node, _evaluated(properties, 0))
    for name, node in entries(top.get("Parameters")).items():
        yield _found(name, "Parameter", name, node, _evaluated(node, 0))


def _evaluated(node: Node, depth: int) -> Node:
    """Make intrinsics unresolved, but for those that leave a literal as it is."""
    value = node.value
    if depth > _SHALLOW * 2:
        raise Refused(f"intrinsic functions are nested too deep (line {node.line})")
    if isinstance(value, list):
        return Node([_evaluated(inner, depth + 1) for inner in value], node.line, node.column)
    if not isinstance(value, dict):
        if isinstance(value, str) and "{{resolve:" in value:
            return Node(Unresolved(value), node.line, node.column)
        return node
    if len(value) == 1:
        ((name, inner),) = value.items()
        if name in ("Ref", "Condition") or name.startswith("Fn::"):
            return _intrinsic(name, inner, node, depth)
    return Node({key: _evaluated(inner, depth + 1) for key, inner in value.items()}, node.line, node.column)


def _intrinsic(name: str, argument: Node, node: Node, depth: int) -> Node:
    if name == "Condition" and not isinstance(argument.value, str):
        # A policy's `Condition` is no intrinsic: only its single block makes it look like one.
        return Node({"Condition": _evaluated(argument, depth + 1)}, node.line, node.column)
    if name == "Fn::Base64":
        return Node(_evaluated(argument, depth + 1).value, node.line, node.column)
    if name == "Fn::Sub":
        template = text(argument) or text((items(argument) or [argument])[0])
        literal = template.replace("${!", "")
        is_literal = isinstance(argument.value, str) and "${" not in literal
        value = template.replace("${!", "${") if is_literal else Unresolved(template)
        return Node(value, node.line, node.column)
    return Node(Unresolved(name), node.line, node.column)


def _kubernetes(document: Node) -> Iterator[Found]:
    """Give the object, or those of a list; what has no kind is none."""
    top = entries(document)
    kind = text(top.get("kind"))
    if not kind or not text(top.get("apiVersion")):
        return
    if kind.endswith("List") and isinstance(top.get("items", document).value, list):
        for item in items(top.get("items")):
            yield from _kubernetes(item)
        return
    name = text(entries(top.get("metadata")).get("name"))
    yield _found(f"{kind}/{name}".rstrip("/"), kind, name, document, document)


def _compose(document: Node) -> Iterator[Found]:
    """Give the services, `extends` within the file followed, and interpolated values unresolved."""
    services = entries(entries(document).get("services"))
    for name, node in services.items():
        if isinstance(node.value, dict):
            yield _found(f"services.{name}", "service", name, node, _interpolated(_extended(name, services)))


def _extended(name: str, services: dict[str, Node], seen: tuple[str, ...] = ()) -> Node:
    """Give a service over what it extends: its own entries win, mappings join, lists are put together.

    Source: the Compose specification, `extends`. A service of another file, or of a circle, adds nothing known.
    """
    node = services[name]
    extends = entries(node).get("extends")
    if extends is None:
        return node
    other = text(extends) or text(entries(extends).get("service"))
    if text(entries(extends).get("file")) or other in (*seen, name) or other not in services or len(seen) > _SHALLOW:
        return node
    return _joined(_extended(other, services, (*seen, name)), node)


def _joined(under: Node, over: Node) -> Node:
    found = dict(entries(under))
    for key, node in entries(over).items():
        below = found.get(key)
        found[key] = node
        if below is not None and isinstance(below.value, dict) and isinstance(node.value, dict):
            found[key] = _joined(below, node)
        elif below is not None and isinstance(below.value, list) and isinstance(node.value, list):
            found[key] = Node([*below.value, *node.value], node.line, node.column)
    return Node(found, over.line, over.column)


def _interpolated(node: Node, depth: int = 0) -> Node:
    """Make strings with `$NAME` or `${NAME}` unresolved; `$$` is a dollar. Source: the Compose specification."""
    value = node.value
    if depth > _SHALLOW * 2:
        raise Refused(f"nested too deep (line {node.line})")
    if isinstance(value, str) and "$" in value:
        rest = value.replace("$$", "")
        return Node(Unresolved(value) if "$" in rest else value.replace("$$", "$"), node.line, node.column)
    if isinstance(value, dict):
        inner = {key: _interpolated(inner, depth + 1) for key, inner in value.items()}
        return Node(inner, node.line, node.column)
    if isinstance(value, list):
        return Node([_interpolated(inner, depth + 1) for inner in value], node.line, node.column)
    return node


def _found(address: str, kind: str, name: str, node: Node, attributes: Node) -> Found:
    end = _last_line(node)
    return Found(
        id=address, type=kind, name=name, line=node.line, column=node.column, end_line=end, attributes=attributes
    )


def _last_line(node: Node) -> int:
    """Give the last line that an entry of the node begins on; aliases lead back, never on."""
    last, todo, seen = node.line, [node], set[int]()
    while todo:
        at = todo.pop()
        if id(at.value) in seen:
            continue
        seen.add(id(at.value))
        last = max(last, at.line)
        todo += entries(at).values()
        todo += items(at)
    return last
