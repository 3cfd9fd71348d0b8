"""Units of Python: statements, headers of compound statements and decorators, found with `ast`."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from secgate.languages.source import Source
from secgate.languages.spans import Span

_PIECE = 32_768
"""Characters from which on a piece of a long file ends before its next definition."""
_DEFINITION = re.compile(r"\n\n(?=@|def |class |async def )")

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

_PLACED = (ast.stmt, ast.expr, ast.excepthandler, ast.arg, ast.keyword, ast.alias)
_Placed = ast.stmt | ast.expr | ast.excepthandler | ast.arg | ast.keyword | ast.alias
_Part = _Placed | ast.match_case
"""What may stand in a block: statements, handlers, cases, and decorators before what they decorate."""

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
            return _in_pieces(source.text) or ast.parse(source.text), ""
    except SyntaxError as error:
        return None, f"Python {version} does not read line {error.lineno or 0}: {error.msg}"
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return None, f"Python {version} does not read it: {type(error).__name__}"


def _in_pieces(text: str) -> Tree | None:
    """Give the tree of a long text, parsed piece by piece; None where it must be parsed as a whole.

    Of the time for a megabyte a quarter goes into getting memory from the system, which pieces use again. A piece
    that parses by itself ends where a statement of the module does: no string, bracket or block reaches over its end,
    and what follows begins a definition, so it is no further branch of what was before. Each has empty lines before
    it, so that its positions are those of the whole.
    """
    if len(text) <= 2 * _PIECE or "\r" in text or "barry_as_FLUFL" in text:
        return None  # a lone CR ends a line too, and that import changes what a later piece means
    body: list[ast.stmt] = []
    start = lines = 0
    while start < len(text):
        match = _DEFINITION.search(text, start + _PIECE)
        end = match.end() if match else len(text)
        piece = text[start:end]
        try:
            body += ast.parse("\n" * lines + piece).body
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
            return None  # perhaps a string went over its end: the whole says
        start, lines = end, lines + piece.count("\n")
    return ast.Module(body=body, type_ignores=[])


class Statements:
    """Every statement, exception handler, match case and decorator of a file, made only where one is asked for.

    The search goes down from the module through the blocks around a position, so that a file costs what the ways to
    its results cost. It gives what `spans.SpanTree` would of all of them.
    """

    def __init__(self, source: Source, tree: Tree) -> None:
        self._source, self._tree = source, tree
        self._blocks: dict[ast.AST, tuple[list[_Position], list[_Part]]] = {}
        self._decorated: dict[_Part, _Part] = {}
        self._nodes: dict[_Part, _Nodes] = {}

    def at(self, offset: int) -> Span | None:
        """Give the smallest unit that contains `offset`; None outside of all."""
        position = self._source.line_byte(offset)
        node: _Part | Tree = self._tree
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
        return None if isinstance(node, ast.Module) else self._span(node, symbol)

    def with_columns(self, line: int, start_byte: int, end_byte: int) -> list[tuple[int, int]]:
        """Give start and end offset of every node with these byte columns from 0 that has a part on a line."""
        found: list[_Placed] = []
        for nodes in self._around(line):
            found += nodes.on_one_line.get((line, start_byte, end_byte), ())
            longer = nodes.on_several.get((start_byte, end_byte), ())
            found += [node for node in longer if node.lineno <= line <= (node.end_lineno or 0)]
        return [_bounds(self._source, node) for node in found]

    def with_lines(self, first_line: int, last_line: int) -> list[tuple[int, int]]:
        """Give start and end offset of every node that begins on one line and ends on another."""
        lines = (first_line, last_line)
        found = [node for nodes in self._around(first_line) for node in nodes.by_lines.get(lines, ())]
        return [_bounds(self._source, node) for node in found]

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

    def _block(self, node: ast.AST) -> tuple[list[_Position], list[_Part]]:
        """Give where each part of a compound statement begins, and the parts, in order."""
        starts: list[_Position] = []
        parts: list[_Part] = []
        for name in _BLOCKS[type(node)]:
            for child in getattr(node, name):
                placed = child
                if type(child) in _BLOCKS:
                    if isinstance(child, _DEFINITIONS):
                        for decorator in child.decorator_list:
                            self._decorated[decorator] = child
                            starts.append(self._source.line_byte(self._sign(decorator)))
                            parts.append(decorator)
                    elif isinstance(child, ast.match_case):
                        placed = child.pattern
                starts.append((placed.lineno, placed.col_offset))
                parts.append(child)
        self._blocks[node] = starts, parts
        return starts, parts

    def _sign(self, decorator: _Part) -> int:
        """Give where a decorator's `@` is."""
        return max(self._source.text.rfind("@", 0, _bounds(self._source, decorator)[0]), 0)

    def _span(self, node: _Part, symbol: str) -> Span:
        start, end = _bounds(self._source, node)
        head = _head(self._source, node, start) if type(node) in _BLOCKS else end
        # A header belongs to what it defines: renaming the function is then a change of the symbol too.
        return Span(start, end, head, symbol, symbol)

    def _around(self, line: int) -> Iterator[_Nodes]:
        """Give the nodes of every part of a block that reaches over a line, from the outermost to the innermost."""
        todo: list[_Part | Tree] = [self._tree]
        while todo:
            node = todo.pop()
            starts, parts = self._blocks.get(node) or self._block(node)
            at = bisect_left(starts, (line + 1, 0))
            # Parts come one behind the other: those before one that ends above the line end above it as well.
            while at > 0 and _end(parts[at - 1])[0] >= line:
                at -= 1
                part = parts[at]
                if part not in self._nodes:
                    self._nodes[part] = _Nodes(part)
                yield self._nodes[part]
                if type(part) in _BLOCKS:
                    todo.append(part)


class _Nodes:
    """What stands in one statement, handler, case or decorator but not in its blocks, by columns and by lines."""

    def __init__(self, part: _Part) -> None:
        self.on_one_line: dict[tuple[int, int, int], list[_Placed]] = {}
        self.on_several: dict[tuple[int, int], list[_Placed]] = {}
        self.by_lines: dict[tuple[int, int], list[_Placed]] = {}
        fields = [name for name in part._fields if type(part) not in _BLOCKS or name not in _BODIES]
        todo: list[ast.AST] = [part]
        while todo:
            node = todo.pop()
            for name in fields if node is part else node._fields:
                value = getattr(node, name, None)
                if isinstance(value, ast.AST):
                    todo.append(value)
                elif isinstance(value, list):
                    todo += [one for one in value if isinstance(one, ast.AST)]
            if isinstance(node, _PLACED):
                self._add(node)

    def _add(self, node: _Placed) -> None:
        line, last, column, end = node.lineno, node.end_lineno or node.lineno, node.col_offset, node.end_col_offset or 0
        self.by_lines.setdefault((line, last), []).append(node)
        if line == last:
            self.on_one_line.setdefault((line, column, end), []).append(node)
        else:
            self.on_several.setdefault((column, end), []).append(node)


def _end(part: _Part) -> _Position:
    """Line and byte column of a part's end; a match case has that of its last statement."""
    placed = part.body[-1] if isinstance(part, ast.match_case) else part
    return placed.end_lineno or placed.lineno, placed.end_col_offset or placed.col_offset


def _bounds(source: Source, node: _Part) -> tuple[int, int]:
    """Start and end offset; a match case has no position of its own and gets that of its parts."""
    if isinstance(node, ast.match_case):
        start = source.from_line_byte(node.pattern.lineno, node.pattern.col_offset)
        return start, _bounds(source, node.body[-1])[1]
    line, column = node.lineno, node.col_offset
    end_line, end_column = node.end_lineno or line, node.end_col_offset or column
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
