"""Values with their places: what every reader of a format gives, and what a document is made from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from secgate.languages.source import Source

DEEPEST = 60
"""Levels of nesting that are read; Kubernetes' deepest built-in object has about 20."""

MOST_VALUES = 100_000
"""Values of one file after aliases are followed: ten times what the largest generated templates hold."""

LONGEST_UNRESOLVED = 4096

Plain: TypeAlias = "str | int | float | bool | dict[str, Plain] | list[Plain] | None"


class Unresolved(NamedTuple):
    """An expression whose value only a run of the platform's own tool could tell; `text` is its source."""

    text: str


class Node(NamedTuple):
    """A value and where its entry begins: the key of a mapping's entry, the item of a list. Both count from 1."""

    value: str | int | float | bool | Unresolved | dict[str, Node] | list[Node] | None
    line: int
    column: int


class Refused(Exception):  # noqa: N818 - never leaves this package: `documents` turns it into a named problem
    """The text cannot be read, or is past a cap; the message is the problem's text."""


class Budget:
    """Counts the values of one file, so that aliases and repeated locals cannot multiply without end."""

    def __init__(self, most: int = MOST_VALUES) -> None:
        self._left = most

    def spend(self) -> None:
        """Take one value. Raises Refused when the file has more than its share."""
        self._left -= 1
        if self._left < 0:
            raise Refused(f"more than {MOST_VALUES} values, aliases followed")


def at(source: Source, offset: int) -> tuple[int, int]:
    """Give line and UTF-16 column of an offset."""
    return source.position(offset)


def entries(node: Node | None) -> dict[str, Node]:
    """Give a mapping's entries; {} for anything else."""
    return node.value if node is not None and isinstance(node.value, dict) else {}


def items(node: Node | None) -> list[Node]:
    """Give a list's items; [] for anything else."""
    return node.value if node is not None and isinstance(node.value, list) else []


def text(node: Node | None) -> str:
    """Give a string's text; "" for anything else."""
    return node.value if node is not None and isinstance(node.value, str) else ""


def plain(node: Node, budget: Budget, depth: int = 0) -> Plain:
    """Give the value as JSON has it, an unresolved expression as {"unresolved": TEXT}.

    A key of the text that is called `unresolved` gets an underscore before it: no text can pass for an expression.
    Raises Refused past a cap.
    """
    budget.spend()
    if depth > DEEPEST:
        raise Refused(f"nested deeper than {DEEPEST} levels (line {node.line})")
    value = node.value
    if isinstance(value, Unresolved):
        return {"unresolved": value.text[:LONGEST_UNRESOLVED]}
    if isinstance(value, dict):
        return {
            f"_{key}" if key == "unresolved" else key: plain(inner, budget, depth + 1) for key, inner in value.items()
        }
    if isinstance(value, list):
        return [plain(inner, budget, depth + 1) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 1 << 53:
        return str(value)  # larger numbers are not the same in every reader of JSON
    return value


def lines(node: Node, path: str = "") -> Iterator[tuple[str, int]]:
    """Give (dotted path, line) of every entry below `node`. To be asked only of what `plain` took."""
    value = node.value
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in below:
        inner_path = f"{path}.{key}" if path else str(key)
        yield inner_path, inner.line
        yield from lines(inner, inner_path)
