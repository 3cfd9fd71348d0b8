"""The search from above finds in scripts what looking at every node of the tree finds."""

from __future__ import annotations

import pytest
import tree_sitter
from hypothesis import example, given, settings
from hypothesis import strategies as st

from secgate.languages import grammars, javascript
from secgate.languages.javascript import _BLOCKS, _MOST_PARENTS, _head, _inner, _is_empty, _is_unit
from secgate.languages.source import Source
from secgate.languages.spans import Span, SpanTree

_SCRIPT = """\
app.get("/größe", (req, res) => { eval(req.q); });
export class A extends B { static x = () => y(1); @d() m(x) { return x ? {} : []; } }
const h = memoize(async (a) => a.map((b) => b + "😀")), i = function () { for (;;) j(); };
if (a) b(); else if (c) { d() } else { switch (e) { case 1: f(); break; default: g() } }
module.exports.z = async () => { try { k() } catch (l) { m() } finally { n() } };
"""
_PIECES = [
    "const a = ",
    "function f() {",
    "}",
    "(x) => ",
    "{",
    ";",
    "if (a) ",
    "else ",
    "class A ",
    "m() ",
    "'é'",
    "\n",
]
_PIECES += ["for (;;) ", "case 1:", "switch (x) {", "export default ", "@d ", "😀", "return ", "x", ":", "=> (", ")"]


def _all_spans(source: Source, tree: tree_sitter.Tree) -> list[Span]:
    """Give every unit by going over the whole tree."""
    found: list[Span] = []
    todo: list[tuple[tree_sitter.Node, tuple[tree_sitter.Node, ...], str]] = [(tree.root_node, (), "")]
    while todo:
        node, parents, symbol = todo.pop()
        inner = _inner(node, parents, symbol)
        unit, head = node if _is_unit(node) else None, _head(node) if _is_unit(node) else None
        if node.type == "arrow_function" and inner != symbol:
            body = node.child_by_field_name("body")
            unit = body if body is not None and body.type not in _BLOCKS and not _is_empty(body) else None
        if unit is not None:
            start, end = source.from_byte(unit.start_byte), source.from_byte(unit.end_byte)
            found.append(Span(start, end, end if head is None else source.from_byte(head), inner, inner))
        todo += [(child, (node, *parents)[:_MOST_PARENTS], inner) for child in node.named_children]
    return found


def _compare(grammar: str, text: str) -> None:
    source = Source(text.encode())
    tree = grammars.parse(grammar, source.encoded + b"\n")
    statements, spans = javascript.Statements(source, tree), SpanTree(_all_spans(source, tree))
    assert statements.symbols == spans.symbols
    for offset in range(len(source.text) + 1):
        assert statements.at(offset) == spans.at(offset), offset


@pytest.mark.parametrize("grammar", ["javascript", "typescript", "tsx"])
def test_every_offset_gives_the_smallest_unit_of_all(grammar: str) -> None:
    _compare(grammar, _SCRIPT)


@settings(deadline=None)
@given(st.sampled_from(["javascript", "typescript", "tsx"]), st.lists(st.sampled_from(_PIECES), max_size=18))
@example("javascript", ["const a = ", "(x) => ", ";"])
def test_broken_scripts_give_the_smallest_unit_of_all(grammar: str, pieces: list[str]) -> None:
    _compare(grammar, "".join(pieces))
