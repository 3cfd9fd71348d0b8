"""What the token stream ignores and what it does not."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from secgate.languages.tokens import Words, literals, normalised


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("python", "f(a, 'b')", 'f(  a ,\n "b" , )  # why'),
        ("python", "f('say \"x\"')", 'f("say \\"x\\"")'),
        ("python", "f(u'a', Rb'b')", 'f("a", bR"b")'),
        ("python", "a + \\\n b", "a + b"),
        ("python", "f('''a''')", 'f("""a""")'),
        ("python", "x = a + b", "x = (\n    a\n    + b\n)"),
        ("python", "if a and b:", "if (\n    a\n    and b\n):"),
        ("python", "return eval(x)", "return ((eval(x)))"),
        ("python", "for a, b in c:", "for (a, b) in (c):"),
        ("javascript", "const f = x => x + 1", "const f = (x) => (x + 1);"),
        ("javascript", "return a(b)", "return (\n  a(b)\n);"),
        ("javascript", "f({a: 'b'}); // x", 'f({ a: "b", }); /* y\n z */'),
        ("terraform", "a = [1, 2]", "a = [ # x\n 1, // y\n 2, /* z */\n]"),
        ("yaml", "a: b # c", "a:   b"),
        ("dockerfile", "RUN a \\\n b", "RUN a b"),
        ("json", '{"a": 1}', '{ "a" : 1 }'),
    ],
)
def test_equal(kind: str, one: str, other: str) -> None:
    assert normalised(kind, one) == normalised(kind, other)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("python", "f('a')", "f('b')"),
        ("python", "f('# a')", "f('')"),
        ("python", "f(b'a')", "f('a')"),
        ("python", "ab", "a b"),
        ("python", "x = f(a)", "x = f, a"),
        ("python", "x = (a).b", "x = a.b"),
        ("python", "x = (a) + (b)", "x = a) + (b"),
        ("python", "x = ()", "x ="),
        ("javascript", "a = (b, c)[0]", "a = b, c[0]"),
        ("javascript", "'http://a'", "'http:'"),
        ("yaml", "a: http://x#y", "a: http://x"),
        ("dockerfile", "RUN echo '#a'", "RUN echo ''"),
        ("yaml", "don't: 'a'", "don't: 'b'"),
    ],
)
def test_different(kind: str, one: str, other: str) -> None:
    assert normalised(kind, one) != normalised(kind, other)


def test_literals_are_between_the_quotes() -> None:
    text = 'f(\'a\', rb"""b""", "") # \'c\''
    assert [text[start:end] for start, end in literals("python", text)] == ["a", "b", ""]


@pytest.mark.parametrize(
    "text", ["/*" * 100_000, "\"'" * 100_000, '"""' * 33_333, "\\" * 100_000, "=" + "(" * 8_000 + ")" * 8_000]
)
def test_hostile_text_ends(text: str) -> None:
    assert normalised("javascript", text) == normalised("javascript", text)


def test_what_is_remembered_changes_nothing_and_is_held_once() -> None:
    known = Words()
    text = "f(u'long name', other_name, [1,],)"
    first, second = (normalised("python", text, known) for _ in range(2))
    assert first == second == normalised("python", text)
    assert first[2] is second[2]
    assert normalised("javascript", "f('long name')", known) == normalised("javascript", "f('long name')")


@given(st.text(",()]}:", max_size=12))
@example(",,)")
@example("(,")
def test_a_comma_goes_where_nothing_follows_in_its_brackets(text: str) -> None:
    kept: list[str] = []
    for mark in [*text, ""]:
        if mark in ("", ")", "]", "}") and kept[-1:] == [","]:
            kept.pop()
        kept.append(mark)
    assert normalised("json", text) == tuple(kept[:-1])
