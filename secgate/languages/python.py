"""Units of Python: statements, headers of compound statements and decorators, found with `ast`."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Iterator
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


def spans(source: Source, tree: Tree) -> list[Span]:
    """Give every statement, exception handler, match case and decorator."""
    found: list[Span] = []
    todo: list[tuple[ast.AST, str]] = [(child, "") for child in tree.body]
    while todo:
        node, symbol = todo.pop()
        start, end = _bounds(source, node)
        inner = symbol
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{symbol}.{node.name}" if symbol else node.name
            for decorator in node.decorator_list:
                at, to = _bounds(source, decorator)
                at = max(source.text.rfind("@", 0, at), 0)
                found.append(Span(at, to, to, inner, inner))
        blocks = list(_blocks(node))
        head = _head(source, node, start) if blocks else end
        # A header belongs to what it defines: renaming the function is then a change of the symbol too.
        found.append(Span(start, end, head, inner, inner))
        todo += [(child, inner) for child in blocks]
    return found


def same_columns(source: Source, tree: Tree) -> dict[tuple[int, int], list[tuple[int, int, int, int]]]:
    """Give (line, end line, start, end) of every node by its byte columns: what a bandit region is corrected with."""
    table: dict[tuple[int, int], list[tuple[int, int, int, int]]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.expr | ast.stmt | ast.arg | ast.keyword | ast.excepthandler | ast.alias):
            key = (node.col_offset, node.end_col_offset or 0)
            table.setdefault(key, []).append((node.lineno, node.end_lineno or node.lineno, *_bounds(source, node)))
    return table


def _blocks(node: ast.AST) -> Iterator[ast.AST]:
    """Statements, handlers and cases that stand inside a compound statement."""
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        if name in node._fields:
            value = getattr(node, name)
            if isinstance(value, list):
                yield from value


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
