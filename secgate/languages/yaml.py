"""Units of YAML: Kubernetes objects, compose services, CloudFormation resources, workflow steps, else single entries.

Paths prefer stable names over positions: a list item is called by its `name`, `id` or `uses`, and only without one by
its number from 0. Kubernetes objects are named by kind, namespace and name, those of a `List` one by one.
"""

from __future__ import annotations

import re
from functools import partial
from typing import NamedTuple

import tree_sitter

from secgate.languages.source import Source
from secgate.languages.spans import Span

_RESOURCES = {
    "compose": ("services", "volumes", "networks", "configs", "secrets"),
    "cloudformation": ("Resources", "Parameters", "Outputs", "Mappings", "Conditions"),
}
_ITEM_NAMES = ("id", "uses", "name", "image", "key", "hosts")
"""Keys that name a list's item, the steadiest first: a step's `name` is a text for people, and gets better ones."""
_LONGEST_NAME = 80
_LINE_END = re.compile(r"[\r\n]")
_DEEPEST = 40
_MOST_LEVELS = 120
# What may stand before a node on its line: the marks of an item or a key, of a document, an anchor or a tag.
_MARK = re.compile(r"(?:---|[-?:]|[&!]\S*)(?:[ \t]+|$)")
# Each level is a place on some line of at least so many spaces and marks, so few files need to be looked at whole.
_MAY_BE_DEEP = re.compile(rf"^(?:[ \t]|(?:---|[-?:]|[&!]\S*)(?:[ \t]|$)){{{_MOST_LEVELS}}}", re.MULTILINE)


def eased(text: str) -> str | None:
    """Give a text that libyaml takes, as most tools do, with each flow collection on one line; None if it fails.

    libyaml lets the lines of a flow collection begin at any column, as people write them. The grammar for tree-sitter
    keeps to the letter, and calls such a file broken. Every character keeps its place.
    """
    import yaml

    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    parts: list[str] = []
    flows: list[int] = []
    done = 0
    try:
        for event in yaml.parse(text, Loader=loader):
            start, end = (mark.index if mark is not None else 0 for mark in (event.start_mark, event.end_mark))
            if isinstance(event, yaml.CollectionStartEvent) and (flows or event.flow_style):
                flows.append(start)
            elif isinstance(event, yaml.CollectionEndEvent) and flows:
                begin = flows.pop()
                if not flows:
                    parts += text[done:begin], _LINE_END.sub(" ", text[begin:end])
                    done = end
    except yaml.YAMLError:
        return None
    return "".join((*parts, text[done:]))


class _At(NamedTuple):
    """A node on the way down: its path, and the key of the list it stands in."""

    node: tree_sitter.Node
    path: tuple[str, ...]
    listed_in: str


def is_too_deep(text: str) -> bool:
    """Tell whether blocks may stand in one another more often than the parser bears.

    It keeps two entries of four bytes for each column that a block begins at, in 1,024 bytes, and more of them kill the
    process. Counted are the columns that begin a line or stand behind marks: never fewer than the parser counts.
    Source: tree-sitter-yaml 0.7, `scanner.c`, `serialize`.
    """
    text = text.replace("\r", "\n")
    if not _MAY_BE_DEEP.search(text):
        return False
    columns: list[int] = []
    for line in text.split("\n"):
        at = len(line) - len(line.lstrip(" \t"))
        if at == len(line):
            continue
        while columns and columns[-1] >= at:
            columns.pop()
        columns.append(at)
        while mark := _MARK.match(line, at):
            at = mark.end()
            columns.append(at)
        if len(columns) > _MOST_LEVELS:
            return True
    return False


def spans(kind: str, source: Source, tree: tree_sitter.Tree) -> list[Span]:
    """Give the units of all documents; `kind` says which paths are resources."""
    found: list[Span] = []
    for document in tree.root_node.named_children:
        if document.type == "document":
            _document(kind, source, document, found)
    return found


def _document(kind: str, source: Source, document: tree_sitter.Node, found: list[Span]) -> None:
    top = _value(document)
    entries = _entries(top) if top is not None else {}
    if top is not None and "apiVersion" in entries and "kind" in entries:
        _object(source, top, entries, found)
        return
    todo = [_At(document, (), "")]
    while todo:
        todo += _step(kind, source, todo.pop(), found)


def _object(source: Source, top: tree_sitter.Node, entries: dict[str, tree_sitter.Node], found: list[Span]) -> None:
    """Add a Kubernetes object, or each one of a list of them."""
    listed = _value(entries["items"].child_by_field_name("value")) if "items" in entries else None
    if listed is None or not _entry(entries, "kind").endswith("List"):
        found.append(_span(source, top, _object_name(entries), None))
        return
    for item in _items(listed):
        one = _value(item)
        if one is not None:
            found.append(_span(source, one, _object_name(_entries(one)), None))


def _object_name(entries: dict[str, tree_sitter.Node]) -> str:
    metadata = _value(entries["metadata"].child_by_field_name("value")) if "metadata" in entries else None
    named = _entries(metadata) if metadata is not None else {}
    name = _entry(named, "name") or _entry(named, "generateName")
    return "/".join(part for part in (_entry(entries, "kind"), _entry(named, "namespace"), name) if part)


def _entry(entries: dict[str, tree_sitter.Node], key: str) -> str:
    return _scalar(entries[key].child_by_field_name("value")) if key in entries else ""


def _step(kind: str, source: Source, at: _At, found: list[Span]) -> list[_At]:
    """Add the unit that `at` is, if it is one, and give what is to be looked at inside of it."""
    node, path, listed_in = at
    if len(path) > _DEEPEST:
        return []
    if node.type in ("block_mapping_pair", "flow_pair"):
        key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
        path = (*path, _scalar(key))
        whole = _is_resource(kind, path) or not _has_entries(value)
        head = None if whole or key is None else key.end_byte + 1
        found.append(_span(source, node, ".".join(path), head))
        return [] if whole or value is None else [_At(value, path, path[-1])]
    if node.type in ("block_sequence", "flow_sequence"):
        return [_item(source, child, number, at, found) for number, child in enumerate(_items(node))]
    if node.type == "block_sequence_item" and listed_in == "steps":
        return []
    return [_At(child, path, listed_in) for child in node.named_children]


def _item(source: Source, item: tree_sitter.Node, number: int, at: _At, found: list[Span]) -> _At:
    """Name a list item, and make a step a unit."""
    value = _value(item)
    entries = _entries(value) if value is not None else {}
    label = next((name for name in map(partial(_item_name, entries), _ITEM_NAMES) if name), str(number))
    path = (*at.path[:-1], f"{at.path[-1]}[{label}]") if at.path else (f"[{label}]",)
    if at.listed_in == "steps":
        found.append(_span(source, item, ".".join(path), None))
    return _At(item, path, at.listed_in)


def _item_name(entries: dict[str, tree_sitter.Node], key: str) -> str:
    """Give the name under `key`, an action's or image's version left out: an update keeps the identity."""
    text = _entry(entries, key)
    if key == "uses":
        return text.split("@", 1)[0]
    if key == "image":
        folder, slash, image = text.split("@", 1)[0].rpartition("/")
        return folder + slash + image.split(":", 1)[0]
    return text


def _items(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    return [child for child in node.named_children if child.type in ("block_sequence_item", "flow_node", "flow_pair")]


def _is_resource(kind: str, path: tuple[str, ...]) -> bool:
    if kind == "gitlab-ci":
        return len(path) == 1
    return len(path) == 2 and path[0] in _RESOURCES.get(kind, ())


def _value(node: tree_sitter.Node | None) -> tree_sitter.Node | None:
    """Give the collection or scalar under the wrapping nodes of the grammar."""
    wrapping = ("document", "block_node", "flow_node", "block_sequence_item")
    while node is not None and node.type in wrapping:
        node = next((child for child in node.named_children if child.type not in ("comment", "tag", "anchor")), None)
    return node


def _entries(node: tree_sitter.Node) -> dict[str, tree_sitter.Node]:
    """Entries of a mapping by key, the first of equal keys."""
    found: dict[str, tree_sitter.Node] = {}
    for child in node.named_children:
        if child.type in ("block_mapping_pair", "flow_pair"):
            found.setdefault(_scalar(child.child_by_field_name("key")), child)
    return found


def _has_entries(node: tree_sitter.Node | None) -> bool:
    """Tell whether a value is a mapping, or a list with mappings in it."""
    value = _value(node)
    if value is None:
        return False
    if value.type in ("block_mapping", "flow_mapping"):
        return bool(value.named_children)
    if value.type in ("block_sequence", "flow_sequence"):
        inner = (_value(item) for item in _items(value))
        return any(item is not None and item.type in ("block_mapping", "flow_mapping") for item in inner)
    return False


def _scalar(node: tree_sitter.Node | None) -> str:
    value = _value(node)
    if value is None or value.text is None or value.type.startswith(("block_", "flow_")):
        return ""
    return " ".join(value.text.decode("utf-8", "replace").strip("'\"").split())[:_LONGEST_NAME]


def _span(source: Source, node: tree_sitter.Node, symbol: str, head: int | None) -> Span:
    start, end = source.from_byte(node.start_byte), source.from_byte(node.end_byte)
    return Span(start, end, end if head is None else source.from_byte(head), symbol, symbol)
