"""The search from above finds in Python files what looking at everything finds."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import secgate
from secgate.languages import python
from secgate.languages.source import Source
from secgate.languages.spans import Span

_ODD = '''\
"""Größe 😀"""; import os
@a("é",
   lambda: "@")
@b . c
class K(Base, metaclass=M): x = 1; y = "😀"; z()
async def f(a, /, *, b=(1,
    2)) -> "ü":
    try: w()
    except* (A,
             B) as e: v(); u()
    else:
        @(
            # @ in a comment
            d)
        def g(): return "é", 1
    finally:
        async with p() as q, r(): pass
    while t:
        break
    else: s()
    async for i in j: k(i)
match m(1):
    case [1, {"é": n}, *_] if n: o()
    case P(x=1) | (Q()):
        if 1: l()
        elif 2:
            ll()
        else:
            lll()
'''
_FILES = sorted(Path(secgate.__file__).parent.rglob("*.py"))


def _all_spans(source: Source, tree: ast.Module) -> list[tuple[int, int, str]]:
    """Give start, end and symbol of every statement, handler, case and decorator, each looked at by itself."""
    found: list[tuple[int, int, str]] = []
    todo: list[tuple[ast.AST, str]] = [(tree, "")]
    while todo:
        node, symbol = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            symbol = f"{symbol}.{node.name}".strip(".")
            for one in node.decorator_list:
                at = source.text.rindex("@", 0, source.from_line_byte(one.lineno, one.col_offset))
                found.append((at, source.from_line_byte(one.end_lineno or 0, one.end_col_offset or 0), symbol))
        if isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            first = node.pattern if isinstance(node, ast.match_case) else node
            last = node.body[-1] if isinstance(node, ast.match_case) else node
            start = source.from_line_byte(first.lineno, first.col_offset)
            found.append((start, source.from_line_byte(last.end_lineno or 0, last.end_col_offset or 0), symbol))
        todo += [(child, symbol) for child in ast.iter_child_nodes(node)]
    return found


def _smallest(spans: list[tuple[int, int, str]], offset: int) -> tuple[int, int, str] | None:
    around = (one for one in spans if one[0] <= offset < one[1])
    return min(around, key=lambda one: one[1] - one[0], default=None)


def _shown(span: Span | None) -> tuple[int, int, str] | None:
    return (span.start, span.end, span.symbol) if span else None


@pytest.mark.parametrize("text", [_ODD, _ODD.replace("\n", "\r\n"), "", "x", "\n\n#\n"])
def test_every_offset_gives_the_smallest_unit_of_all(text: str) -> None:
    source = Source(text.encode())
    tree, reason = python.parse(source)
    assert tree is not None, reason
    statements, spans = python.Statements(source, tree), _all_spans(source, tree)
    for offset in range(len(source.text) + 2):
        assert _shown(statements.at(offset)) == _smallest(spans, offset), offset
    assert statements.symbols == {symbol for _, _, symbol in spans if symbol}


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(_FILES), st.data())
def test_real_files_give_the_smallest_unit_of_all(file: Path, data: st.DataObject) -> None:
    source = Source(file.read_bytes())
    tree, _ = python.parse(source)
    assert tree is not None
    statements, spans = python.Statements(source, tree), _all_spans(source, tree)
    for offset in data.draw(st.lists(st.integers(0, len(source.text)), min_size=1, max_size=20)):
        assert _shown(statements.at(offset)) == _smallest(spans, offset)


_Kept = ast.stmt | ast.expr | ast.excepthandler | ast.arg | ast.keyword | ast.alias


@pytest.mark.parametrize("text", [_ODD, *(file.read_text() for file in _FILES[:40])])
def test_nodes_of_a_line_are_those_of_the_whole_tree(text: str) -> None:
    source = Source(text.encode())
    tree, _ = python.parse(source)
    assert tree is not None
    statements = python.Statements(source, tree)
    nodes = [node for node in ast.walk(tree) if isinstance(node, _Kept)]

    def bounds(node: _Kept) -> tuple[int, int]:
        first, last = (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)
        return source.from_line_byte(*first), source.from_line_byte(*last)

    for node in nodes[:: max(len(nodes) // 60, 1)]:
        for line in {node.lineno, node.end_lineno or 0}:
            columns = (node.col_offset, node.end_col_offset or 0)
            fitting = [one for one in nodes if (one.col_offset, one.end_col_offset) == columns]
            expected = [bounds(one) for one in fitting if one.lineno <= line <= (one.end_lineno or 0)]
            assert sorted(statements.with_columns(line, *columns)) == sorted(expected)
        lines = (node.lineno, node.end_lineno or 0)
        expected = [bounds(one) for one in nodes if (one.lineno, one.end_lineno) == lines]
        assert sorted(statements.with_lines(*lines)) == sorted(expected)
