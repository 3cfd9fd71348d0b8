"""Units of Python: statements, headers of compound statements and decorators, found with `ast`."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from bisect import bisect_right
from typing import cast

from secgate.languages.source import Source
from secgate.languages.spans import Span

_TO_COLON = re.compile(r"(?:#[^\r\n]*|[^:#])*:")
_BODIES = frozenset({"body", "orelse", "finalbody", "handlers", "cases", "decorator_list"})

_COOKIE = re.compile(rb"#[^\r\n]*?coding[:=][ \t]*([-\w.]+)")
_SAME_TEXT = re.compile(
    rb"(?i:utf[-_]?8(?:-sig)?|u?s?-?ascii|latin[-_]?1|iso[-_]?8859[-_]\d{1,2}|(?:cp|windows-)125\d)"
)
"""Names of encodings in which ASCII bytes mean ASCII, so that what they cannot hide is code."""
_LONE_RETURN = re.compile(rb"\r(?!\n)")

Tree = ast.Module

_Position = tuple[int, int]
"""Line from 1 and byte column from 0, as `ast` has them."""

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_BLOCKS: dict[type[ast.AST], tuple[str, ...]] = {
    **dict.fromkeys((ast.Module, *_DEFINITIONS, ast.With, ast.AsyncWith, ast.ExceptHandler, ast.match_case), ("body",)),
    **dict.fromkeys((ast.For, ast.AsyncFor, ast.While, ast.If), ("body", "orelse")),
    **dict.fromkeys((ast.Try, ast.TryStar), ("body", "handlers", "orelse", "finalbody")),
    ast.Match: ("cases",),
}
"""What has statements, handlers or cases inside, and in which fields, in the order of the text."""


def misreading(data: bytes) -> str:
    """Say why a tool that takes Python files for UTF-8 lines reads another program than Python does, "" where not.

    Measured on semgrep 1.182: one byte that is not UTF-8, even in a comment, and no taint rule finds anything in the
    file; behind a CR alone in a comment, where Python begins a line, it sees the comment go on; it follows no encoding
    declarations. It says none of this and exits 0.
    """
    if not _is_utf8(data):
        return "it has bytes that are not UTF-8"
    if _LONE_RETURN.search(data):
        return "a line in it ends with CR alone"
    head = data.split(b"\n", 2)[:2]
    cookies = [match.group(1) for line in head if (match := _COOKIE.search(line))]
    if any(_SAME_TEXT.fullmatch(cookie) is None for cookie in cookies):
        return "it declares an encoding that other parsers do not follow"
    return ""


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def parse(source: Source) -> tuple[Tree | None, str]:
    """Give the tree, or None and why this interpreter cannot read the file."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    try:
        with warnings.catch_warnings():
            # An odd escape in scanned code is no concern of whoever runs us with warnings as errors.
            warnings.simplefilter("ignore")
            return ast.parse(source.text), ""
    except SyntaxError as error:
        return None, f"Python {version} does not read line {error.lineno or 0}: {error.msg}"
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return None, f"Python {version} does not read it: {type(error).__name__}"


class Statements:
    """Every statement, exception handler, match case and decorator of a file, made only where one is asked for.

    The search goes down from the module through the blocks around a position, so that a file costs what the ways to
    its results cost. It gives what `spans.SpanTree` would of all of them.
    """

    def __init__(self, source: Source, tree: Tree) -> None:
        self._source, self._tree = source, tree
        self._blocks: dict[ast.AST, tuple[list[_Position], list[ast.AST]]] = {}
        self._decorated: dict[ast.AST, ast.AST] = {}

    def at(self, offset: int) -> Span | None:
        """Give the smallest unit that contains `offset`; None outside of all."""
        position = self._source.line_byte(offset)
        node: ast.AST = self._tree
        symbol = ""
        while type(node) in _BLOCKS:
            starts, parts = self._blocks.get(node) or self._block(node)
            index = bisect_right(starts, position) - 1
            if index < 0 or position >= _end(parts[index]):
                break
            node = parts[index]
            definition = self._decorated.get(node, node)
            if isinstance(definition, _DEFINITIONS):
                symbol = f"{symbol}.{definition.name}" if symbol else definition.name
            if node is not definition:
                end = _bounds(self._source, node)[1]
                return Span(self._sign(node), end, end, symbol, symbol)
        return None if node is self._tree else self._span(node, symbol)

    @property
    def symbols(self) -> frozenset[str]:
        """Names of all definitions."""
        found: set[str] = set()
        todo: list[tuple[ast.AST, str]] = [(self._tree, "")]
        while todo:
            node, symbol = todo.pop()
            if isinstance(node, _DEFINITIONS):
                symbol = f"{symbol}.{node.name}" if symbol else node.name
                found.add(symbol)
            todo += [(child, symbol) for name in _BLOCKS.get(type(node), ()) for child in getattr(node, name)]
        return frozenset(found)

    def _block(self, node: ast.AST) -> tuple[list[_Position], list[ast.AST]]:
        """Give where each part of a compound statement begins, and the parts, in order."""
        starts: list[_Position] = []
        parts: list[ast.AST] = []
        for name in _BLOCKS[type(node)]:
            for child in getattr(node, name):
                if isinstance(child, _DEFINITIONS):
                    for decorator in child.decorator_list:
                        self._decorated[decorator] = child
                        starts.append(self._source.line_byte(self._sign(decorator)))
                        parts.append(decorator)
                placed = child.pattern if isinstance(child, ast.match_case) else child
                starts.append((placed.lineno, placed.col_offset))
                parts.append(child)
        self._blocks[node] = starts, parts
        return starts, parts

    def _sign(self, decorator: ast.AST) -> int:
        """Give where a decorator's `@` is."""
        return max(self._source.text.rfind("@", 0, _bounds(self._source, decorator)[0]), 0)

    def _span(self, node: ast.AST, symbol: str) -> Span:
        start, end = _bounds(self._source, node)
        head = _head(self._source, node, start) if type(node) in _BLOCKS else end
        # A header belongs to what it defines: renaming the function is then a change of the symbol too.
        return Span(start, end, head, symbol, symbol)


def same_columns(source: Source, tree: Tree) -> dict[tuple[int, int], list[tuple[int, int, int, int]]]:
    """Give (line, end line, start, end) of every node by its byte columns: what a bandit region is corrected with."""
    table: dict[tuple[int, int], list[tuple[int, int, int, int]]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.expr | ast.stmt | ast.arg | ast.keyword | ast.excepthandler | ast.alias):
            key = (node.col_offset, node.end_col_offset or 0)
            table.setdefault(key, []).append((node.lineno, node.end_lineno or node.lineno, *_bounds(source, node)))
    return table


def _end(node: ast.AST) -> _Position:
    """Line and byte column of a part's end; a match case has that of its last statement."""
    placed = cast("ast.stmt", node.body[-1] if isinstance(node, ast.match_case) else node)
    return placed.end_lineno or placed.lineno, placed.end_col_offset or placed.col_offset


def _bounds(source: Source, node: ast.AST) -> tuple[int, int]:
    """Start and end offset; a match case has no position of its own and gets that of its parts."""
    if isinstance(node, ast.match_case):
        return _bounds(source, node.pattern)[0], _bounds(source, node.body[-1])[1]
    # Every other node that is asked for is a statement, an expression or a handler, and has all four.
    placed = cast("ast.stmt", node)
    line, column = placed.lineno, placed.col_offset
    end_line, end_column = placed.end_lineno or line, placed.end_col_offset or column
    return source.from_line_byte(line, column), source.from_line_byte(end_line, end_column)


def _head(source: Source, node: ast.AST, start: int) -> int:
    """End of the header: behind the first colon after the last expression that is not in the body."""
    last = start
    for name, value in ast.iter_fields(node):
        if name not in _BODIES:
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, ast.AST):
                    last = max(last, _last(source, part))
    match = _TO_COLON.match(source.text, last)
    return match.end() if match else last


def _last(source: Source, node: ast.AST) -> int:
    """Furthest end of a node; `arguments` and `withitem` carry none themselves, and have that of their parts."""
    line, column = getattr(node, "end_lineno", None), getattr(node, "end_col_offset", None)
    if line is not None and column is not None:
        return source.from_line_byte(line, column)
    return max((_last(source, child) for child in ast.iter_child_nodes(node)), default=0)
