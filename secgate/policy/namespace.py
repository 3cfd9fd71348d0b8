"""One layer's modules under a name of their own, for an engine that others use at the same time.

Packages and base documents of an OPA server are one space that all its users share. Here every package and every
reference to `data` gets a first part that no one else has, so that two runs, or two layers of one run, never meet.
Source: the grammar of the Rego language reference; `data` is reserved, so a word of that name is always the root.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from secgate.errors import PolicyError
from secgate.ports import PolicyModule

_TOKEN = re.compile(
    r"""
      (?P<skip>\#[^\n]*|"(?:\\.|[^"\\\n])*"|`[^`]*`)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<template>\$["`])
    """,
    re.VERBOSE,
)


class Namespaced(NamedTuple):
    """A module's new text, and where it grew: (line, column in the new text, columns added), in order."""

    module: PolicyModule
    grown: tuple[tuple[int, int, int], ...]

    def column(self, line: int, column: int) -> int:
        """Give the column that a place of the new text has in the module as it was written."""
        return column - sum(added for at, start, added in self.grown if at == line and start < column)


def namespaced(module: PolicyModule, name: str) -> Namespaced:
    """Put `name` before the module's package and after every `data`.

    Raises PolicyError for a template string, whose references cannot be told from its text, and for a module that
    names no package.
    """
    text = module.text
    parts: list[str] = []
    grown: list[tuple[int, int, int]] = []
    line, line_start, at = 1, 0, 0
    wants_package = has_package = False
    for match in _TOKEN.finditer(text):
        if match.lastgroup == "template":
            row = text.count("\n", 0, match.start()) + 1
            raise PolicyError(
                "template strings are not judged by a server",
                remedy="write it with sprintf",
                place=f"{module.path}:{row}",
            )
        if match.lastgroup != "word":
            continue
        word = match.group()
        insertion, place = "", match.end()
        if wants_package:
            insertion, place, wants_package = f"{name}.", match.start(), False
        elif word == "package" and not has_package:
            wants_package = has_package = True
        elif word == "data" and not _is_after_dot(text, match.start()):
            insertion = f".{name}"
        if insertion:
            line += text.count("\n", line_start, place)
            line_start = text.rfind("\n", 0, place) + 1
            added_here = sum(added for row, _, added in grown if row == line)
            grown.append((line, place - line_start + 1 + added_here, len(insertion)))
            parts += [text[at:place], insertion]
            at = place
    if not has_package or wants_package:
        raise PolicyError("the module names no package", remedy="begin it with `package`", place=f"{module.path}:1")
    return Namespaced(PolicyModule(path=module.path, text="".join([*parts, text[at:]])), tuple(grown))


def _is_after_dot(text: str, at: int) -> bool:
    while at > 0 and text[at - 1] in " \t\r\n":
        at -= 1
    return at > 0 and text[at - 1] == "."
