"""Units of Terraform: whole blocks by address, and single entries of `locals` and variable files."""

from __future__ import annotations

import tree_sitter

from secgate.languages.source import Source
from secgate.languages.spans import Span

_SHORT = {"resource": "", "variable": "var", "locals": "local"}


def spans(source: Source, tree: tree_sitter.Tree) -> list[Span]:
    """Give every top-level block and attribute; a resource is one unit with all that is nested in it."""
    found: list[Span] = []
    for node in _items(tree.root_node):
        if node.type == "block" and _label(node, 0) == "locals":
            found += [_span(source, inner, f"local.{_label(inner, 0)}") for inner in _items(node)]
        elif node.type == "block":
            found.append(_span(source, node, _address(node)))
        else:
            found.append(_span(source, node, _label(node, 0)))
    return found


def _items(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    """Blocks and attributes directly in the node's body."""
    bodies = [node, *(child for child in node.named_children if child.type == "body")]
    return [child for body in bodies for child in body.named_children if child.type in ("block", "attribute")]


def _address(node: tree_sitter.Node) -> str:
    kind = _label(node, 0)
    names = [_label(node, at) for at in range(1, _labels(node))]
    if kind == "provider":
        # Several of one provider are told apart by nothing else.
        names += [_text(item) for item in _items(node) if item.type == "attribute" and _label(item, 0) == "alias"]
    return ".".join(part for part in (_SHORT.get(kind, kind), *names) if part) or kind


def _text(attribute: tree_sitter.Node) -> str:
    """Give an attribute's value without quotes."""
    value = attribute.named_children[-1].text
    return value.decode("utf-8", "replace").strip('"') if value else ""


def _labels(node: tree_sitter.Node) -> int:
    return sum(child.type in ("identifier", "string_lit") for child in node.named_children)


def _label(node: tree_sitter.Node, at: int) -> str:
    names = [child for child in node.named_children if child.type in ("identifier", "string_lit")]
    text = names[at].text if at < len(names) else None
    return text.decode("utf-8", "replace").strip('"') if text else ""


def _span(source: Source, node: tree_sitter.Node, symbol: str) -> Span:
    end = source.from_byte(node.end_byte)
    return Span(source.from_byte(node.start_byte), end, end, symbol, symbol)
