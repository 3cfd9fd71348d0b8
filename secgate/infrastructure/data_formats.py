"""YAML and JSON as values with places. YAML comes as libyaml's events, put together without recursion."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from secgate.infrastructure.node import DEEPEST, MOST_VALUES, Budget, Node, Refused, Unresolved, at, entries, items
from secgate.languages import json
from secgate.languages.source import Source

if TYPE_CHECKING:
    import yaml

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


class _Open:
    """A mapping or list that is not closed yet."""

    __slots__ = ("anchor", "column", "is_mapping", "items", "key", "key_at", "line", "tag")

    def __init__(self, place: tuple[int, int], *, is_mapping: bool, anchor: str = "", tag: str = "") -> None:
        self.line, self.column = place
        self.is_mapping, self.anchor, self.tag = is_mapping, anchor, tag
        self.items: list[tuple[str, Node]] = []
        self.key: str | None = None
        self.key_at = place

    def add(self, node: Node, *, key: str | None) -> None:
        """Take the next node: a key, a key's value or a list's item. `key` is what it says as a key."""
        if not self.is_mapping:
            self.items.append(("", node))
        elif self.key is None:
            self.key = key if key is not None else f"(complex key of line {node.line})"
            self.key_at = (node.line, node.column)
        else:
            self.items.append((self.key, node if self.key == "<<" else Node(node.value, *self.key_at)))
            self.key = None

    def node(self) -> Node:
        if not self.is_mapping:
            return Node([node for _, node in self.items], self.line, self.column)
        return Node(_merged(self.items), self.line, self.column)


def _merged(pairs: list[tuple[str, Node]]) -> dict[str, Node]:
    """Give the entries with merge keys followed: own entries win, of equal keys the last. Source: YAML merge type."""
    found: dict[str, Node] = {}
    for key, node in pairs:
        if key == "<<":
            sources = node.value if isinstance(node.value, list) else [node]
            for source in sources:
                if isinstance(source.value, dict):
                    for name, inner in source.value.items():
                        found.setdefault(name, inner)
    found.update((key, node) for key, node in pairs if key != "<<")
    return found


def read_json(source: Source) -> Node:
    """Read JSON. Raises Refused for text that is not JSON and past a cap."""
    problem = json.problem(source)
    if problem:
        raise Refused(problem)
    return json_node(source.text, source, 0)


def json_node(text: str, source: Source, shift: int) -> Node:
    """Build the value of `text`, which is JSON already proven, and lies at offset `shift` of `source`."""
    stack: list[_Open] = []
    done: Node | None = None
    budget = Budget()
    for match in _TOKEN.finditer(text):
        mark = match.group()
        if mark in ":,":
            continue
        place = at(source, match.start() + shift)
        if mark in "{[":
            if len(stack) > DEEPEST:
                raise Refused(f"nested deeper than {DEEPEST} levels (line {place[0]})")
            stack.append(_Open(place, is_mapping=mark == "{"))
            continue
        budget.spend()
        closed = stack.pop().node() if mark in "}]" else Node(_json_scalar(mark), *place)
        if not stack:
            done = closed
            break
        stack[-1].add(closed, key=closed.value if isinstance(closed.value, str) else None)
    if done is None:
        raise Refused("not JSON: nothing in it")
    return done


def _json_scalar(mark: str) -> str | int | float | bool | None:
    value: str | int | float | bool | None = msgspec.json.decode(mark)
    return value


def read_yaml(source: Source) -> list[Node]:
    """Read all documents of a YAML text. A tag that begins with `!` is kept as in the text, see `_tagged`.

    Raises Refused for broken text, an alias of what is not complete, and past a cap.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder(source, yaml.resolver.Resolver())
    try:
        for event in yaml.parse(source.text, Loader=loader):
            builder.take(event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        raise Refused(f"not YAML: {getattr(error, 'problem', None) or 'unreadable characters'}{where}") from error
    except (RecursionError, ValueError) as error:
        raise Refused("not YAML: the parser gave up") from error
    return builder.documents


class _Builder:
    """Puts events together. Nothing here recurses, and an anchor counts only once its node is complete."""

    def __init__(self, source: Source, resolver: yaml.resolver.Resolver) -> None:
        self.documents: list[Node] = []
        self._source, self._resolver = source, resolver
        self._stack: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._sizes: dict[int, int] = {}
        """Values below each complete collection, aliases followed, by the collection's id."""
        self._budget = Budget()
        self._kinds = {
            "ScalarEvent": self._scalar,
            "AliasEvent": self._alias,
            "MappingStartEvent": self._open,
            "SequenceStartEvent": self._open,
            "MappingEndEvent": self._close,
            "SequenceEndEvent": self._close,
            "DocumentStartEvent": self._document,
        }

    def take(self, event: Any) -> None:
        """Take one event."""
        handle = self._kinds.get(type(event).__name__)
        if handle is not None:
            handle(event)

    def _document(self, _event: Any) -> None:
        self._anchors = {}

    def _place(self, event: Any) -> tuple[int, int]:
        # libyaml counts NEL, LS and PS as line ends; its character index is what agrees with our lines.
        return at(self._source, event.start_mark.index)

    def _open(self, event: Any) -> None:
        if len(self._stack) > DEEPEST:
            raise Refused(f"nested deeper than {DEEPEST} levels (line {event.start_mark.line + 1})")
        is_mapping = type(event).__name__ == "MappingStartEvent"
        tag = event.tag if event.tag and event.tag.startswith("!") else ""
        place = self._place(event)
        self._stack.append(_Open(place, is_mapping=is_mapping, anchor=event.anchor or "", tag=tag))

    def _close(self, _event: Any) -> None:
        closed = self._stack.pop()
        node = closed.node()
        below = [*entries(node).values(), *items(node)]
        size = 1 + sum(self._sizes.get(id(inner.value), 1) for inner in below)
        if size > MOST_VALUES:
            raise Refused(f"more than {MOST_VALUES} values, aliases followed")
        self._sizes[id(node.value)] = size
        if closed.tag:
            node = _tagged(closed.tag, node)
            self._sizes[id(node.value)] = size + 1
        self._add(node, closed.anchor, key=None)

    def _scalar(self, event: Any) -> None:
        value, key = _scalar_value(event, self._resolver), event.value
        node = Node(value, *self._place(event))
        if event.tag and event.tag.startswith("!") and event.tag != "!":
            node = _tagged(event.tag, node)
        self._add(node, event.anchor or "", key=key)

    def _alias(self, event: Any) -> None:
        node = self._anchors.get(event.anchor)
        if node is None:
            raise Refused(f"the alias of line {event.start_mark.line + 1} names nothing complete before it")
        self._add(Node(node.value, *self._place(event)), "", key=node.value if isinstance(node.value, str) else None)

    def _add(self, node: Node, anchor: str, *, key: str | None) -> None:
        self._budget.spend()
        if anchor:
            self._anchors[anchor] = node
        if self._stack:
            self._stack[-1].add(node, key=key)
        else:
            self.documents.append(node)


_INTEGER = re.compile(r"[-+]?(?:0o?[0-7]+|0x[0-9a-fA-F]+|[0-9][0-9_]*)")


def _scalar_value(event: Any, resolver: yaml.resolver.Resolver) -> str | int | float | bool | None:
    """Resolve a scalar as YAML 1.1 does, which the platforms' own readers follow for booleans and numbers."""
    import yaml

    text: str = event.value
    if event.tag and event.tag.startswith("tag:yaml.org,2002:"):
        tag = event.tag
    elif not event.implicit[0] or event.tag:
        return text
    else:
        tag = resolver.resolve(yaml.ScalarNode, text, event.implicit)  # type: ignore[no-untyped-call]
    kind = tag.rpartition(":")[2]
    if kind == "bool":
        return text.lower() in ("yes", "true", "on", "y")
    if kind == "null":
        return None
    if kind == "int" and _INTEGER.fullmatch(text):
        return _integer(text)
    if kind == "float":
        return _float(text)
    return text


def _integer(text: str) -> int | str:
    digits = text.replace("_", "").lower()
    bare = digits.lstrip("+-")
    if len(bare) > 18:
        return text
    radix = 16 if bare.startswith("0x") else 8 if len(bare) > 1 and bare.startswith("0") else 10
    try:
        return int(digits.replace("0o", "0"), radix)
    except ValueError:
        return text  # `08` is no octal number


def _float(text: str) -> float | str:
    try:
        return float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        return text


def _tagged(tag: str, node: Node) -> Node:
    """Give the long form of a short intrinsic of CloudFormation (`!Ref X` is {"Ref": "X"}); else the tag is unresolved.

    Source: AWS CloudFormation user guide, intrinsic function reference.
    """
    name = tag[1:]
    if name in _INTRINSICS:
        key = name if name in ("Ref", "Condition") else f"Fn::{name}"
        return Node({key: node}, node.line, node.column)
    if name in ("reset", "override"):
        return node  # compose, when files are merged: what stands here is what counts
    return Node(Unresolved(tag), node.line, node.column)


_INTRINSICS = frozenset(
    {
        *("Ref", "Condition", "And", "Base64", "Cidr", "Equals", "FindInMap", "ForEach", "GetAtt", "GetAZs", "If"),
        *("ImportValue", "Join", "Length", "Not", "Or", "Select", "Split", "Sub", "ToJsonString", "Transform"),
    }
)
