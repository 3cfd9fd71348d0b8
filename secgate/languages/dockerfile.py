"""Units of a Dockerfile: instructions with their continuation lines, named by their stage."""

from __future__ import annotations

import tree_sitter

from secgate.languages.source import Source
from secgate.languages.spans import Span


def spans(source: Source, tree: tree_sitter.Tree) -> list[Span]:
    """Give every instruction. A stage is named by its alias, else by its image without tag and digest."""
    found: list[Span] = []
    stage = ""
    seen: dict[str, int] = {}
    for node in tree.root_node.named_children:
        if not node.type.endswith("_instruction"):
            continue
        if node.type == "from_instruction":
            name = _stage(node)
            seen[name] = seen.get(name, 0) + 1
            stage = name if seen[name] == 1 else f"{name}#{seen[name]}"
        start, end = source.from_byte(node.start_byte), source.from_byte(node.end_byte)
        found.append(Span(start, end, end, stage, stage))
    return found


def _stage(node: tree_sitter.Node) -> str:
    parts = {child.type: child for child in node.named_children}
    alias = parts.get("image_alias")
    if alias is not None and alias.text:
        return alias.text.decode("utf-8", "replace").lower()
    spec = parts.get("image_spec")
    name = next((child for child in spec.named_children if child.type == "image_name"), None) if spec else None
    return name.text.decode("utf-8", "replace") if name is not None and name.text else "stage"
