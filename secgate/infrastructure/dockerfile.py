"""Dockerfiles as resources: one a stage, with its instructions.

Lines are read as the builder reads them: parser directives, comments inside of continued lines, heredocs. The grammar
for tree-sitter takes several legal forms (`ENV KEY several words`) for errors, so it is not used here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from secgate.infrastructure.node import Node, Plain, Refused, Unresolved
from secgate.infrastructure.resource import Found
from secgate.languages.source import Source

_DIRECTIVE = re.compile(r"#\s*escape\s*=\s*(\S)\s*", re.IGNORECASE)
_COMMENT = re.compile(r"\s*#")
_HEREDOC = re.compile(r"<<(-?)([\"']?)([A-Za-z_][A-Za-z0-9_]*)\2")
_FLAG = re.compile(r"--([a-z][a-z0-9-]*)(?:=(\S*))?\s+")
_PAIR = re.compile(r"""([^\s=]+)=((?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\])*)""", re.DOTALL)
_WORD = re.compile(r"\S*\s*")
_WORDS = frozenset(
    {
        *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER"),
        *("ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
    }
)
_MOST_INSTRUCTIONS = 10_000
_LONGEST = 65_536


class _Instruction(NamedTuple):
    word: str
    rest: str
    line: int
    last: int


def read(source: Source) -> tuple[list[Found], str]:
    """Give one resource a stage and the problem, "" for none. Raises Refused past a cap."""
    instructions = list(_instructions(source))
    unknown = next((found for found in instructions if found.word not in _WORDS), None)
    problem = f"no instruction is called `{unknown.word[:40]}` (line {unknown.line})" if unknown else ""
    if not any(found.word == "FROM" for found in instructions):
        problem = problem or "no FROM instruction"
    return list(_stages(instructions)), problem


def commands(source: Source) -> list[Plain]:
    """Give the instructions as Conftest knows them: Cmd, SubCmd, Flags, JSON, Stage, Value. Raises Refused.

    Values are the instruction's words, one text where it is for a shell, names and values in turn for ENV and LABEL.
    """
    stage = -1
    given: list[Plain] = []
    for found in _instructions(source):
        if found.word not in _WORDS:
            raise Refused(f"no instruction is called `{found.word[:40]}` (line {found.line})")
        stage += found.word == "FROM"
        given.append(_command(found, max(stage, 0)))
    return given


def _command(found: _Instruction, stage: int) -> Plain:
    rest, inner = found.rest, ""
    if found.word == "ONBUILD":
        inner, _, rest = rest.partition(" ")
    flags: list[Plain] = []
    while (flag := _FLAG.match(f"{rest} ")) is not None:
        flags.append(f"{rest} "[: flag.end()].strip())
        rest = f"{rest} "[flag.end() :].strip()
    if found.word == "HEALTHCHECK":
        inner, _, rest = rest.partition(" ")
    values, is_json = _values(inner.upper() or found.word, rest)
    return {
        "Cmd": found.word.lower(),
        "SubCmd": inner.lower(),
        "Flags": flags,
        "JSON": is_json,
        "Stage": stage,
        "Value": [*values],
    }


def _values(word: str, rest: str) -> tuple[list[str], bool]:
    """Give the instruction's values, and whether they were written as JSON."""
    if rest.startswith("["):
        try:
            return msgspec.json.decode(rest, type=list[str]), True
        except (msgspec.DecodeError, RecursionError):
            return [rest], False
    if word in ("ENV", "LABEL"):
        return [part for name, value in _pairs(word, rest) for part in (name, value or "")], False
    if word in ("RUN", "CMD", "ENTRYPOINT", "SHELL", "MAINTAINER"):
        return [rest], False
    return rest.split(), False


def _instructions(source: Source) -> Iterator[_Instruction]:
    escape = _escape(source)
    number, last = 1, source.line_count
    count = 0
    while number <= last:
        start = number
        line = source.line(number)
        number += 1
        if not line.strip() or _COMMENT.match(line):
            continue
        parts = [line.rstrip()]
        while parts[-1].endswith(escape) and number <= last:
            parts[-1] = parts[-1][:-1]
            number = _after_comments(source, number, last)
            if number > last:
                break
            parts.append(source.line(number).rstrip())
            number += 1
        joined = " ".join(part.strip() for part in parts)
        word, _, rest = joined.partition(" ")
        if word.upper() in ("RUN", "COPY", "ADD"):
            rest, number = _with_heredocs(source, rest, number, last)
        count += 1
        if count > _MOST_INSTRUCTIONS:
            raise Refused(f"more than {_MOST_INSTRUCTIONS} instructions")
        yield _Instruction(word.upper(), rest.strip()[:_LONGEST], start, number - 1)


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


def _with_heredocs(source: Source, rest: str, number: int, last: int) -> tuple[str, int]:
    """Take in the bodies of heredocs; an end mark that never comes ends with the file."""
    for match in list(_HEREDOC.finditer(rest))[:20]:
        body = []
        while number <= last:
            line = source.line(number)
            number += 1
            if (line.lstrip("\t") if match[1] else line) == match[3]:
                break
            body.append(line)
        rest += "\n" + "\n".join(body)
    return rest, number


def _stages(instructions: list[_Instruction]) -> Iterator[Found]:
    begins = [at for at, found in enumerate(instructions) if found.word == "FROM"]
    aliases: set[str] = set()
    seen: dict[str, int] = {}
    for position, begin in enumerate(begins):
        end = begins[position + 1] if position + 1 < len(begins) else len(instructions)
        own = instructions[begin:end]
        platform_free = _FLAG.sub("", own[0].rest + " ").split()
        image = platform_free[0] if platform_free else ""
        is_aliased = len(platform_free) == 3 and platform_free[1].upper() == "AS"
        alias = platform_free[2].lower() if is_aliased else ""
        head = own[0].line
        attributes: dict[str, Node] = {
            "image": _text(image, head),
            "alias": Node(alias, head, 1),
            "of_stage": Node(image.lower() if image.lower() in aliases else "", head, 1),
            "final": Node(position == len(begins) - 1, head, 1),
            "instructions": Node([_node(found) for found in own[1:]], head, 1),
        }
        name = alias or image.split("@")[0].rpartition("/")[2].split(":")[0] or "stage"
        seen[name] = seen.get(name, 0) + 1
        address = name if seen[name] == 1 else f"{name}#{seen[name]}"
        aliases |= {alias} - {""}
        yield Found(
            id=address,
            type="stage",
            name=name,
            line=head,
            column=1,
            end_line=own[-1].last,
            attributes=Node(attributes, head, 1),
        )


def _node(found: _Instruction) -> Node:
    """Give an instruction: word, flags, text and, for ENV, ARG and LABEL, pairs."""
    rest, flags = found.rest, {}
    word = found.word
    triggered = word == "ONBUILD"
    if triggered:
        word, _, rest = rest.partition(" ")
        word = word.upper()
    while (flag := _FLAG.match(rest)) is not None and word in ("ADD", "COPY", "RUN", "FROM", "HEALTHCHECK"):
        flags[flag[1]] = Node(flag[2] or "", found.line, 1)
        rest = rest[flag.end() :]
    value: dict[str, Node] = {
        "word": Node(word, found.line, 1),
        "text": Node(rest.strip(), found.line, 1),
        "flags": Node(flags, found.line, 1),
        "on_build": Node(triggered, found.line, 1),
        "pairs": Node([_pair(found, *pair) for pair in _pairs(word, rest.strip())], found.line, 1),
    }
    return Node(value, found.line, 1)


def _pairs(word: str, rest: str) -> list[tuple[str, str | None]]:
    if word == "ARG":
        given = [part.partition("=") for part in re.findall(r"""(?:"[^"]*"|'[^']*'|[^\s"'])+""", rest)]
        return [(name, _bare(value) if mark else None) for name, mark, value in given]
    if word not in ("ENV", "LABEL"):
        return []
    if _PAIR.match(rest):
        return list(_written_pairs(rest))
    name, _, value = rest.partition(" ")
    return [(name, value.strip())]


def _written_pairs(rest: str) -> Iterator[tuple[str, str]]:
    """Give `NAME=value` pairs from left to right; a word that is none is passed over, in time linear in the text."""
    position = 0
    while position < len(rest):
        pair = _PAIR.match(rest, position)
        if pair is not None:
            yield _bare(pair[1]), _bare(pair[2])
        word = _WORD.match(rest, position if pair is None else pair.end())
        position = word.end() if word is not None else len(rest)


def _pair(found: _Instruction, name: str, value: str | None) -> Node:
    inner = Node(None, found.line, 1) if value is None else _text(value, found.line)
    return Node({"name": Node(name, found.line, 1), "value": inner}, found.line, 1)


def _text(value: str, line: int) -> Node:
    """A word of the file, unresolved where a variable is in it."""
    return Node(Unresolved(value) if "$" in value else value, line, 1)


def _bare(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
