"""Units of JavaScript and TypeScript: statements and members; code inside a callback has units of its own."""

from __future__ import annotations

from bisect import bisect_right

import tree_sitter

from secgate.languages.source import Source
from secgate.languages.spans import Span

_FUNCTIONS = frozenset({"arrow_function", "function_expression", "generator_function", "class", "object"})
_NAMED = frozenset(
    {
        "function_declaration",
        "generator_function_declaration",
        "class_declaration",
        "abstract_class_declaration",
        "method_definition",
        "interface_declaration",
        "internal_module",
        "module",
    }
)
_MEMBERS = frozenset(
    {"decorator", "field_definition", "public_field_definition", "switch_case", "switch_default", "catch_clause"}
)
_BLOCKS = frozenset({"statement_block", "class_body", "switch_body", "interface_body"})
_HEADED = frozenset(
    {
        "if_statement",
        "else_clause",
        "do_statement",
        "for_statement",
        "for_in_statement",
        "while_statement",
        "with_statement",
        "labeled_statement",
        "export_statement",
    }
)
_LONGEST_NAME = 80
_LONGEST_SYMBOL = 400

_BRACKETS = frozenset({"parenthesized_expression", "as_expression", "satisfies_expression", "type_assertion"})
_MOST_PARENTS = 8

_Parents = tuple[tree_sitter.Node, ...]


class Statements:
    """Every statement, definition, class member and decorator, and what a named arrow function gives back.

    Only the nodes on the ways to what is asked for are looked at: to take them all out of the grammar costs many times
    what parsing does. It gives what `spans.SpanTree` would of all of them.
    """

    def __init__(self, source: Source, tree: tree_sitter.Tree) -> None:
        self._source = source
        self._top = _Step(tree.root_node, (), "")

    def at(self, offset: int) -> Span | None:
        """Give the smallest unit that contains `offset`; None outside of all."""
        byte = self._source.to_byte(offset)
        step: _Step | None = self._top
        found = None
        while step is not None:
            if step.covers(byte):
                found = step
            step = step.below(byte)
        return None if found is None else found.span(self._source)

    @property
    def symbols(self) -> frozenset[str]:
        """Every name inside of which something stands."""
        found: set[str] = set()
        todo = [self._top]
        while todo:
            step = todo.pop()
            found.update([step.inner] if step.inner and step.unit is not None else [])
            todo += step.all_below()
        return frozenset(found)


class _Step:
    """A node on the way down: the name inside of which its contents stand, and the unit that it brings, if any."""

    def __init__(self, node: tree_sitter.Node, parents: _Parents, symbol: str) -> None:
        self.inner = _inner(node, parents, symbol)
        self._has_head = _is_unit(node)
        self.unit = node if self._has_head else None
        if node.type == "arrow_function" and self.inner != symbol:
            body = node.child_by_field_name("body")
            self.unit = body if body is not None and body.type not in _BLOCKS and not _is_empty(body) else None
        # A node's parents, nearest first, are carried along: asking the grammar for them costs a walk from the root.
        self._around = (node, *parents)[:_MOST_PARENTS]
        self._children = node.named_children
        self._starts = [child.start_byte for child in self._children]
        self._steps: dict[int, _Step] = {}
        self._span: Span | None = None

    def covers(self, byte: int) -> bool:
        """Tell whether a byte is in the unit: an arrow function's is only its body."""
        unit = self.unit
        return unit is not None and unit.start_byte <= byte < unit.end_byte

    def below(self, byte: int) -> _Step | None:
        """Give the step to the child that a byte is in."""
        index = bisect_right(self._starts, byte) - 1
        if index < 0 or byte >= self._children[index].end_byte:
            return None
        if index not in self._steps:
            self._steps[index] = _Step(self._children[index], self._around, self.inner)
        return self._steps[index]

    def all_below(self) -> list[_Step]:
        """Give a step to each child; none of them is kept."""
        return [_Step(child, self._around, self.inner) for child in self._children]

    def span(self, source: Source) -> Span | None:
        """Give the span of the unit, if there is one; its header is looked for once."""
        if self._span is None and self.unit is not None:
            start, end = source.from_byte(self.unit.start_byte), source.from_byte(self.unit.end_byte)
            head = _head(self.unit) if self._has_head else None
            at = end if head is None else source.from_byte(head)
            self._span = Span(start, end, at, self.inner, self.inner)
        return self._span


def _is_empty(node: tree_sitter.Node) -> bool:
    """Tell whether the parser only supposes a node there, in code that is broken: nothing can stand inside it."""
    return node.start_byte == node.end_byte


def _is_unit(node: tree_sitter.Node) -> bool:
    kind = node.type
    if kind in _BLOCKS or kind == "empty_statement" or _is_empty(node):
        return False
    return kind.endswith(("_statement", "_declaration")) or kind in _NAMED or kind in _MEMBERS


def _head(node: tree_sitter.Node) -> int | None:
    """Byte where the header ends: at the first block or nested statement inside; None when there is none."""
    if node.type in _HEADED:
        fields = (node.child_by_field_name(name) for name in ("body", "consequence", "declaration"))
        body = next((field for field in fields if field is not None), None)
        body = body or next((child for child in node.named_children if _is_unit(child)), None)
        if body is not None:
            return body.start_byte
    todo = list(reversed(node.named_children))
    while todo:
        child = todo.pop()
        if child.type == "decorator":
            continue
        if child.type in _BLOCKS:
            return child.start_byte
        if child.type in ("switch_case", "switch_default"):
            return child.start_byte
        todo += reversed(child.named_children)
    if node.type in ("switch_case", "switch_default"):
        return _colon(node)
    return None


def _colon(node: tree_sitter.Node) -> int | None:
    return next((child.end_byte for child in node.children if child.type == ":"), None)


def _inner(node: tree_sitter.Node, parents: _Parents, symbol: str) -> str:
    name = ""
    if len(symbol) > _LONGEST_SYMBOL:
        return symbol
    if node.type in _NAMED:
        name = _text(node.child_by_field_name("name"))
    elif node.type in _FUNCTIONS:
        name = _given_name(parents)
    if not name:
        return symbol
    return f"{symbol}.{name}" if symbol else name


def _given_name(parents: _Parents) -> str:
    """Name of a function, class or object by what it is assigned to or, as a callback, by what it is handed to.

    What a call wraps, as in `const save = memoize(() => {})`, has the name of the whole, unless the call itself names
    it by a text, as in `app.get("/x", () => {})`.
    """
    at = _outside(parents, 0)
    call = parents[at + 1] if at + 1 < len(parents) else None
    if at >= len(parents) or parents[at].type != "arguments" or call is None or call.type != "call_expression":
        return _assigned_name(parents[at]) if at < len(parents) else ""
    first = next((child for child in parents[at].named_children if child.type == "string"), None)
    callee = _text(call.child_by_field_name("function")).rsplit(".", 1)[-1]
    if first is None:
        around = _outside(parents, at + 2, calls=True)
        whole = _assigned_name(parents[around]) if around < len(parents) else ""
        if whole:
            return whole
    return f"{callee}({_text(first)[1:-1]})" if callee.isidentifier() else ""


def _outside(parents: _Parents, at: int, *, calls: bool = False) -> int:
    """Give the place of the nearest parent that is more than brackets or a type; `calls`: or than a call around it."""
    while at < len(parents):
        if calls and parents[at].type == "arguments" and parents[at + 1 : at + 2]:
            at += 2
        elif parents[at].type in _BRACKETS:
            at += 1
        else:
            break
    return at


def _assigned_name(parent: tree_sitter.Node) -> str:
    if parent.type in ("variable_declarator", "field_definition", "public_field_definition"):
        return _text(parent.child_by_field_name("name") or parent.child_by_field_name("property"))
    if parent.type == "assignment_expression":
        return _text(parent.child_by_field_name("left"))
    if parent.type == "pair":
        return _text(parent.child_by_field_name("key")).strip("'\"")
    if parent.type == "export_statement":
        return next((child.type for child in parent.children if child.type in ("default", "=")), "").replace(
            "=", "export"
        )
    return ""


def _text(node: tree_sitter.Node | None) -> str:
    """Text of a name, in one line and not longer than a name should be."""
    if node is None or node.text is None:
        return ""
    return " ".join(node.text.decode("utf-8", "replace").split())[:_LONGEST_NAME]
