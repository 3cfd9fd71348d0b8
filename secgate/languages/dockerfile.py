"""Dockerfiles as the builder reads them, and their units: instructions, named by their stage.

Lines are joined over continuations, with comments and empty lines inside of them left out, and here-documents are taken
in. The grammar for tree-sitter takes legal forms (`ARG NAME=`, `ENV KEY several words`) for errors, so it is not used.
Source: Dockerfile reference, "Format", "Parser directives", "Here-documents".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from secgate.languages.source import Source
from secgate.languages.spans import Span

WORDS = frozenset(
    {
        *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER"),
        *("ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
    }
)
FLAG = re.compile(r"--([a-z][a-z0-9-]*)(?:=(\S*))?\s+")
"""An instruction's flag with the white space behind it: its name and value."""
_DIRECTIVE = re.compile(r"#\s*escape\s*=\s*(\S)\s*", re.IGNORECASE)
_COMMENT = re.compile(r"\s*#")
# A word of the shell, quotes and escapes kept; one that begins or ends nowhere is as long as the text.
_SHELL_WORD = re.compile(r"""(?:[^\s"'\\]|\\.|\\$|"(?:[^"\\]|\\.)*(?:"|$)|'[^']*(?:'|$))+""", re.DOTALL)
_HEREDOC = re.compile(r"\d*<<(-?)([^<]+)")
_MOST_HEREDOCS = 20
# An image without its tag and digest: a colon before a slash is a registry's port, one in braces a variable's default.
_IMAGE = re.compile(r"(?:\$\{[^}]*\}|[^:@]|:(?=[^@]*/))+")


class Instruction(NamedTuple):
    """An instruction: its word in capitals, the rest on one line, here-documents behind it, its first and last line."""

    word: str
    rest: str
    line: int
    last: int


def instructions(source: Source) -> Iterator[Instruction]:
    """Give every instruction from top to bottom, also one whose word is none of `WORDS`. Never raises."""
    escape = re.escape(_escape(source))
    continued = re.compile(rf"(?:^|(?<!{escape})){escape}$")
    ends = _ends(source)
    number, last = 1, source.line_count
    while number <= last:
        start, line = number, source.line(number).strip()
        number += 1
        if not line or line.startswith("#"):
            continue
        parts, end = [line], start
        while continued.search(parts[-1]):
            parts[-1] = parts[-1][:-1].rstrip()
            number = _after_comments(source, number, last)
            if number > last:
                break
            parts.append(source.line(number).strip())
            end, number = number, number + 1
        words = " ".join(parts).split(maxsplit=1)
        if not words:
            continue
        word, given = words[0], words[1] if len(words) > 1 else ""
        marks = _marks(given) if _takes_heredocs(word, given) else []
        for mark in marks:
            # One whose end never comes is none: the builder refuses such a file, and nothing below may be hidden by it.
            if ends.get(mark, 0) >= number:
                at = number
                while _as_end(source.line(at), tabs=mark[0]) != mark[1]:
                    at += 1
                given = "\n".join((given, *map(source.line, range(number, at))))
                end, number = at, at + 1
        yield Instruction(word.upper(), given, start, end)


def unknown_word(given: Iterable[Instruction]) -> str:
    """Say why the builder would not read a file, "" where it does: the first line that is no instruction."""
    unknown = next((found for found in given if found.word not in WORDS), None)
    return f"no instruction is called `{unknown.word[:40]}` (line {unknown.line})" if unknown else ""


def problem(source: Source) -> str:
    """Say why the builder would not read a text, "" where it does."""
    return unknown_word(instructions(source))


def spans(source: Source) -> list[Span]:
    """Give every instruction. A stage is named by its alias, else by its image without tag and digest."""
    found: list[Span] = []
    stage = ""
    seen: dict[str, int] = {}
    for one in instructions(source):
        if one.word not in WORDS:
            continue
        if one.word == "FROM":
            name = _stage(one.rest)
            seen[name] = seen.get(name, 0) + 1
            stage = name if seen[name] == 1 else f"{name}#{seen[name]}"
        start, end = source.offset(one.line, 0), source.line_bounds(one.last)[1]
        found.append(Span(start, end, end, stage, stage))
    return found


def _stage(rest: str) -> str:
    words = FLAG.sub("", f"{rest} ").split()
    if len(words) == 3 and words[1].upper() == "AS":
        return words[2].lower()
    image = _IMAGE.match(words[0]) if words else None
    return image[0] if image is not None else "stage"


def _escape(source: Source) -> str:
    """Give the escape character; directives stand in the comments before everything else."""
    for number in range(1, source.line_count + 1):
        line = source.line(number)
        found = _DIRECTIVE.fullmatch(line)
        if found is not None:
            return found[1]
        if not line.startswith("#"):
            break
    return "\\"


def _after_comments(source: Source, number: int, last: int) -> int:
    """Give the next line that is neither a comment nor empty: the builder leaves these out of a continued line."""
    while number <= last and (_COMMENT.match(source.line(number)) or not source.line(number).strip()):
        number += 1
    return number


def _takes_heredocs(word: str, rest: str) -> bool:
    """Tell whether `<<` may begin a here-document: in RUN, COPY and ADD, also where ONBUILD stands before them."""
    if word.upper() == "ONBUILD":
        word = rest.partition(" ")[0]
    return "<<" in rest and word.upper() in ("RUN", "COPY", "ADD")


def _ends(source: Source) -> dict[tuple[bool, str], int]:
    """Give the last line that could end a here-document of a mark, so that no search for one is in vain."""
    if "<<" not in source.text:
        return {}
    lines = [(number, source.line(number)) for number in range(1, source.line_count + 1)]
    return {(tabs, _as_end(line, tabs=tabs)): number for tabs in (False, True) for number, line in lines}


def _as_end(line: str, *, tabs: bool) -> str:
    return line.lstrip("\t") if tabs else line


def _marks(rest: str) -> list[tuple[bool, str]]:
    """Give the end marks of a line's here-documents, and whether tabs may stand before them."""
    words = (_HEREDOC.fullmatch(word[0]) for word in _SHELL_WORD.finditer(rest))
    return [(bool(found[1]), re.sub(r"[\"'\\]", "", found[2])) for found in words if found][:_MOST_HEREDOCS]
