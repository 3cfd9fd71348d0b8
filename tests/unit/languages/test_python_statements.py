"""The search from above finds in Python files what looking at everything finds."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import example, given, settings
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


_FILLER = "# " + "-" * 76 + "\n"
_LONG = _FILLER * 450
"""Long enough that the parser ends a piece at the next definition."""
_FRAGMENTS = (
    _LONG,
    _LONG,
    _ODD,
    "\n\ndef f(a):\n    return a\n",
    '\n\nx = """\n\ndef f():\n"""\n',
    "\n\ny = (1,\n\n# (\n\n2)\n",
    "\n\n@a\n\n@b(1)\n\ndef f(): pass\n",
    "\n\nif a:\n    b()\n\n\ndef g(): pass\n",
    "\n\nelse:\n    c()\n",
    "\n\nclass K:\n",
    "    def m(self): ...\n",
    "z = 1 \\\n\nclass L: pass\n",
    "\x0c\n\nasync def h():\n\tawait a; b()\n",
    "from __future__ import barry_as_FLUFL\n",
    "\n\ndef k(): return a <> b\n",
    "\n\ndef l(): return a != b\n",
    "\r\n\r\ndef m():\r    pass\r\n",
    "\n\ndef n(: pass\n",
    "\n\ndef o(): return 'é😀'\n\n\nq()",
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(_FRAGMENTS), min_size=4, max_size=12))
@example([_LONG, _LONG, "\n\ndef f(a): pass\n", _LONG, "\n\ndef f(b): pass\n"])
@example([_LONG, '\n\nx = """\n\ndef f():\n', _LONG, '\n\ndef g():\n"""\n'])
def test_a_long_file_has_the_tree_of_its_whole_text(fragments: list[str]) -> None:
    text = "".join(fragments)
    tree, reason = python.parse(Source(text.encode()))
    try:
        whole, fault = ast.parse(text), ""
    except SyntaxError as error:
        whole, fault = None, f"line {error.lineno}: {error.msg}"
    assert _dumped(tree) == _dumped(whole)
    assert reason.endswith(fault)


def _dumped(tree: ast.Module | None) -> str:
    return "" if tree is None else ast.dump(tree, include_attributes=True)


def test_a_long_real_file_has_the_tree_of_its_whole_text() -> None:
    text = "\n\n".join(file.read_text(encoding="utf-8") for file in _FILES[:60])
    assert len(text) > 200_000
    tree, reason = python.parse(Source(text.encode()))
    assert tree is not None, reason
    assert _dumped(tree) == _dumped(ast.parse(text))
