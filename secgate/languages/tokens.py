"""Tolerant lexers: the token stream that identity rests on, and where string literals are.

They read fragments, so they never fail: what they do not know is a token of one character. They do not use Python's own
tokenizer, whose output differs between versions while a fingerprint must not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

Family = Literal["python", "c", "hcl", "yaml", "shell", "json", "ini"]

_YAML_LIKE = (  # noqa: RUF005
    "kubernetes",
    "compose",
    "cloudformation",
    "github-workflow",
    "github-action",
    "gitlab-ci",
    "helm",
    "yaml",
) + ("pip-requirements", "pip-constraints", "shell", "ruby", "text")
_INI_LIKE = ("pylock", "pyproject", "poetry-lock", "uv-lock", "cargo-lock")
_FAMILIES: dict[str, Family] = {
    "python": "python",
    "terraform": "hcl",
    "json": "json",
    "npm-lock": "json",
    "pipfile-lock": "json",
    "dockerfile": "shell",
    **dict.fromkeys(_YAML_LIKE, "yaml"),
    **dict.fromkeys(_INI_LIKE, "ini"),
}

_TRIPLE = r"\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''"
_PLAIN = r"\"(?:[^\"\\\r\n]|\\[\s\S])*\"|'(?:[^'\\\r\n]|\\[\s\S])*'"
_WORD = r"[^\W\d]\w*|\d[\w.]*"


def _lexer(comment: str, string: str, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    r"""Build a pattern whose one group is a token: a string, a word or a character; it is not set for a comment.

    Of tokens with more than one character, only strings end in a quote.
    """
    return re.compile(rf"{comment}|({string}|{_WORD}|\S)", flags)


_LEXERS: dict[Family, re.Pattern[str]] = {
    "python": _lexer(r"#[^\r\n]*|\\\r?\n", rf"[A-Za-z]{{0,2}}(?:{_TRIPLE}|{_PLAIN})", re.DOTALL),
    "c": _lexer(r"//[^\r\n]*|/\*.*?\*/", rf"{_PLAIN}|`(?:[^`\\]|\\.)*`", re.DOTALL),
    "hcl": _lexer(r"(?:\#|//)[^\r\n]*|/\*.*?\*/", _PLAIN, re.DOTALL),
    "yaml": _lexer(r"(?:(?<=\s)|(?<![\s\S]))\#[^\r\n]*", _PLAIN),
    "shell": _lexer(r"(?:(?<=[\r\n])|(?<![\s\S]))[ \t]*\#[^\r\n]*|\\\r?\n", _PLAIN),
    "json": _lexer(r"(?!)", r"\"(?:[^\"\\]|\\.)*\""),
    "ini": _lexer(r"\#[^\r\n]*", rf"[A-Za-z]{{0,2}}(?:{_TRIPLE})|{_PLAIN}", re.DOTALL),
}
MOST_CHARACTERS = 16_384
"""Further on a unit is not read by token: an unclosed comment must not cost the square of its length."""

_OPENING: dict[Family, frozenset[str]] = {
    "python": frozenset(["", "=", "assert", "await", "case", "del", "elif", "for", "if", "import", "in", "match"])
    | frozenset(["raise", "return", "while", "with", "yield"]),
    "c": frozenset(["=", ">", "await", "return", "throw", "yield"]),
}
"""What stands before brackets that change nothing, where nothing but the statement's end comes behind them."""
_BEHIND = {"python": frozenset(["", ":", "in"]), "c": frozenset(["", ";", "}"])}
_QUOTES = frozenset("\"'`")
_CLOSING = frozenset(")]}")
_PREFIX = re.compile(r"[A-Za-z]*")
_ESCAPED_QUOTE = re.compile(r"\\([\"'`])")


def family(kind: str) -> Family:
    """Give the lexer of a file kind; kinds without an entry are read as C-like code."""
    return _FAMILIES.get(kind, "c")


class Words(dict[str, str]):
    """What each token is made of, worked out when it is first asked for."""

    def __missing__(self, token: str) -> str:
        """Read a token."""
        made = self[token] = _string(token) if len(token) > 1 and token[-1] in _QUOTES else token
        return made


def normalised(kind: str, text: str, known: Words | None = None) -> tuple[str, ...]:
    """Give the tokens without white space and comments, quotes unified, trailing commas and idle brackets removed.

    Formatters write brackets around what they break over lines and take them away again, and put a semicolon or not.
    `known` remembers for the next call what tokens were made of: files say the same words again and again, and each is
    then read once and held once.
    """
    of, known = family(kind), Words() if known is None else known
    found = _LEXERS[of].findall(text[:MOST_CHARACTERS])
    tokens = [*map(known.__getitem__, filter(None, found))]
    if _has_last_comma(tokens):
        tokens = _without_last_commas(tokens)
    tokens = _unwrapped(tokens, of)
    tokens += text[MOST_CHARACTERS:].split()
    return tuple(tokens)


def _has_last_comma(tokens: list[str]) -> bool:
    """Tell quickly of most statements that no comma is before a closing bracket or at the end."""
    return any(at + 1 == len(tokens) or tokens[at + 1] in _CLOSING for at in _places(tokens, ","))


def _places(tokens: list[str], mark: str) -> Iterator[int]:
    """Give where a mark is among tokens, which mostly it is not."""
    at = -1
    for _ in range(tokens.count(mark)):
        at = tokens.index(mark, at + 1)
        yield at


def _without_last_commas(tokens: list[str]) -> list[str]:
    """Leave out a comma before a closing bracket, and one at the end."""
    kept: list[str] = []
    for token in tokens:
        if token in _CLOSING and kept and kept[-1] == ",":
            kept.pop()
        kept.append(token)
    if kept[-1] == ",":
        kept.pop()
    return kept


def _unwrapped(tokens: list[str], of: Family) -> list[str]:
    """Leave out brackets around the whole of an expression, those of an arrow's one parameter, and last semicolons."""
    opening = _OPENING.get(of)
    if opening is None or not _has_idle(tokens, of, opening):
        return tokens
    dropped: set[int] = set()
    following: dict[int, int] = {}  # of dropped closing brackets, the place of what is kept behind
    before = ""
    ends = _pairs(tokens)
    for at, mark in enumerate(tokens):
        end = ends.get(at, 0)
        if end > at + 1:
            behind = following.get(end + 1, end + 1)
            last = tokens[behind] if behind < len(tokens) else ""
            is_arrow = of == "c" and end == at + 2 and tokens[end + 1 : end + 3] == ["=", ">"]
            if is_arrow or (before in opening and last in _BEHIND[of]):
                dropped |= {at, end}
                following[end] = behind
                continue
        is_idle = of == "c" and mark == ";" and tokens[at + 1 : at + 2] in ([], ["}"])
        if is_idle:
            dropped.add(at)
        elif at not in dropped:
            before = mark
    return [mark for at, mark in enumerate(tokens) if at not in dropped] if dropped else tokens


def _has_idle(tokens: list[str], of: Family, opening: frozenset[str]) -> bool:
    """Tell quickly of most statements that nothing can be left out.

    The first bracket to go stands right behind an opening, for nothing before it has gone.
    """
    if of == "c" and (";" in tokens or ">" in tokens):
        return True
    return any((tokens[at - 1] if at else "") in opening for at in _places(tokens, "("))


def _pairs(tokens: list[str]) -> dict[int, int]:
    """Give the place of each round bracket's closing one."""
    found: dict[int, int] = {}
    open_ones: list[int] = []
    for at, mark in enumerate(tokens):
        if mark == "(":
            open_ones.append(at)
        elif mark == ")" and open_ones:
            found[open_ones.pop()] = at
    return found


def literals(kind: str, text: str) -> Iterator[tuple[int, int]]:
    """Give start and end of what is between the quotes of each string literal, in order.

    Only the first MOST_CHARACTERS are read: who masks must treat what follows as if it were one literal.
    """
    for match in _LEXERS[family(kind)].finditer(text[:MOST_CHARACTERS]):
        token = match.group(1)
        if token and len(token) > 1 and token[-1] in _QUOTES:
            prefix = len(_PREFIX.match(token).group())  # type: ignore[union-attr] # the pattern matches the empty text
            quote = _quote(token[prefix:])
            yield match.start() + prefix + len(quote), match.end() - len(quote)


def _quote(token: str) -> str:
    """Give the opening quote: one character, or three."""
    triple = token[:3]
    return triple if len(token) >= 6 and triple in ('"""', "'''") else token[:1]


def _string(token: str) -> str:
    """Give a string literal with one kind of quote; its prefix in lower case and order, `u` left out."""
    if token[0] == '"' and "\\" not in token and token[:3] != '"""':
        return token
    match = _PREFIX.match(token) if token[0] not in _QUOTES else None
    prefix = match.group() if match else ""
    quote = _quote(token[len(prefix) :])
    body = token[len(prefix) + len(quote) : len(token) - len(quote)]
    if "\\" in body and "r" not in prefix.lower():
        body = _ESCAPED_QUOTE.sub(r"\1", body)
    if not prefix:
        return f'"{body}"'
    return "".join(sorted(prefix.lower().replace("u", ""))) + '"' + body + '"'
