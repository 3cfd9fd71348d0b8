"""Dockerfiles as resources: one a stage, with its instructions."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from secgate.infrastructure.node import Node, Plain, Refused, Unresolved
from secgate.infrastructure.resource import Found
from secgate.languages.dockerfile import FLAG, Instruction, instructions, unknown_word
from secgate.languages.source import Source

_PAIR = re.compile(r"""([^\s=]+)=((?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\])*)""", re.DOTALL)
_WORD = re.compile(r"\S*\s*")
_MOST_INSTRUCTIONS = 10_000
_LONGEST = 65_536


def read(source: Source) -> tuple[list[Found], str]:
    """Give one resource a stage and the problem, "" for none. Raises Refused past a cap."""
    given = list(_instructions(source))
    has_stage = any(found.word == "FROM" for found in given)
    return list(_stages(given)), unknown_word(given) or ("" if has_stage else "no FROM instruction")


def commands(source: Source) -> list[Plain]:
    """Give the instructions as Conftest knows them: Cmd, SubCmd, Flags, JSON, Stage, Value. Raises Refused.

    Values are the instruction's words, one text where it is for a shell, names and values in turn for ENV and LABEL.
    """
    stage = -1
    given: list[Plain] = []
    for found in _instructions(source):
        if wrong := unknown_word((found,)):
            raise Refused(wrong)
        stage += found.word == "FROM"
        given.append(_command(found, max(stage, 0)))
    return given


def _command(found: Instruction, stage: int) -> Plain:
    rest, inner = found.rest, ""
    if found.word == "ONBUILD":
        inner, _, rest = rest.partition(" ")
    flags: list[Plain] = []
    while (flag := FLAG.match(f"{rest} ")) is not None:
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


def _instructions(source: Source) -> Iterator[Instruction]:
    for count, found in enumerate(instructions(source)):
        if count == _MOST_INSTRUCTIONS:
            raise Refused(f"more than {_MOST_INSTRUCTIONS} instructions")
        yield found._replace(rest=found.rest.strip()[:_LONGEST])


def _stages(given: list[Instruction]) -> Iterator[Found]:
    begins = [at for at, found in enumerate(given) if found.word == "FROM"]
    aliases: set[str] = set()
    seen: dict[str, int] = {}
    for position, begin in enumerate(begins):
        end = begins[position + 1] if position + 1 < len(begins) else len(given)
        own = given[begin:end]
        platform_free = FLAG.sub("", own[0].rest + " ").split()
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


def _node(found: Instruction) -> Node:
    """Give an instruction: word, flags, text and, for ENV, ARG and LABEL, pairs."""
    rest, flags = found.rest, {}
    word = found.word
    triggered = word == "ONBUILD"
    if triggered:
        word, _, rest = rest.partition(" ")
        word = word.upper()
    while (flag := FLAG.match(rest)) is not None and word in ("ADD", "COPY", "RUN", "FROM", "HEALTHCHECK"):
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


def _pair(found: Instruction, name: str, value: str | None) -> Node:
    inner = Node(None, found.line, 1) if value is None else _text(value, found.line)
    return Node({"name": Node(name, found.line, 1), "value": inner}, found.line, 1)


def _text(value: str, line: int) -> Node:
    """A word of the file, unresolved where a variable is in it."""
    return Node(Unresolved(value) if "$" in value else value, line, 1)


def _bare(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
