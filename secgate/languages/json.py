"""Units of JSON: CloudFormation resources, packages of a lock file, else single entries by their path."""

from __future__ import annotations

import re

import msgspec

from secgate.languages.source import Source
from secgate.languages.spans import Span

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')
_RESOURCES = {
    "cloudformation": ("Resources", "Parameters", "Outputs", "Mappings", "Conditions"),
    "npm-lock": ("packages", "dependencies"),
    "pipfile-lock": ("default", "develop"),
}
_DEEPEST = 200


class _Open:
    """An object or array that is not closed yet, with the entry of it that is being read."""

    __slots__ = ("has_objects", "is_object", "key", "number", "path")

    def __init__(self, path: tuple[str, ...], *, is_object: bool) -> None:
        self.path, self.is_object = path, is_object
        self.key: tuple[str, int] | None = None
        self.has_objects = False
        self.number = 0


def problem(source: Source) -> str:
    """Say why the text is not JSON; "" when it is."""
    try:
        msgspec.json.decode(source.encoded, type=msgspec.Raw)
        msgspec.json.decode(source.encoded)
    except (msgspec.DecodeError, RecursionError) as error:
        return f"not JSON: {error}"
    return ""


def spans(kind: str, source: Source) -> list[Span]:
    """Give the entries of all objects; of one whose value holds objects, only the key is the unit's head."""
    found: list[Span] = []
    stack: list[_Open] = []
    whole: list[int] = []  # depths of the stack at which a resource was opened
    for match in _TOKEN.finditer(source.text):
        mark, top = match.group(), stack[-1] if stack else None
        if len(stack) > _DEEPEST:
            break
        if mark in "{[":
            path = _child_path(top)
            if _is_resource(kind, path) and not whole:
                whole.append(len(stack))
            stack.append(_Open(path, is_object=mark == "{"))
        elif mark in "}]":
            if stack:
                _close(stack, whole, found, match.end())
        elif mark == ":":
            continue
        elif mark == ",":
            if top is not None:
                top.key = None
                top.number += 1
        elif top is not None and top.is_object and top.key is None:
            top.key = (mark.strip('"'), match.start())
        elif top is not None:
            _scalar(top, whole, found, match.end())
    return found


def _child_path(top: _Open | None) -> tuple[str, ...]:
    if top is None:
        return ()
    if top.is_object:
        return (*top.path, top.key[0]) if top.key else top.path
    return (*top.path[:-1], f"{top.path[-1]}[{top.number}]") if top.path else (f"[{top.number}]",)


def _is_resource(kind: str, path: tuple[str, ...]) -> bool:
    return len(path) == 2 and path[0] in _RESOURCES.get(kind, ())


def _scalar(top: _Open, whole: list[int], found: list[Span], end: int) -> None:
    """Add an entry with a plain value; inside of a resource there are no units."""
    if top.is_object and top.key and not whole:
        symbol = ".".join((*top.path, top.key[0]))
        found.append(Span(top.key[1], end, end, symbol, symbol))


def _close(stack: list[_Open], whole: list[int], found: list[Span], end: int) -> None:
    """Add the entry whose value ends here."""
    closed = stack.pop()
    is_whole = bool(whole) and whole[-1] == len(stack)
    inside = bool(whole) and not is_whole
    if is_whole:
        whole.pop()
    parent = stack[-1] if stack else None
    has_units = closed.is_object or closed.has_objects
    if parent is None:
        return
    parent.has_objects = parent.has_objects or has_units
    if inside or not parent.is_object or parent.key is None:
        return
    name, start = parent.key
    symbol = ".".join((*parent.path, name))
    head = end if is_whole or not has_units else start + len(name) + 2
    found.append(Span(start, end, head, symbol, symbol))
