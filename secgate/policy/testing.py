"""Tests of a policy in Rego: which there are, how an engine is asked for all of them at once, and what they would miss.

A rule counts as tested when a test fails without it. Lines that were reached say less: a test may pass over a rule
and look at nothing that it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from secgate.model import Value
from secgate.policy import tree
from secgate.policy.tree import Module
from secgate.ports import PolicyModule

TEST_SUFFIX = "_test.rego"
QUESTION = "data.secgate_asked.passed"

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_AWAY = "secgate_taken_away"


class RegoTest(Value, frozen=True, kw_only=True):
    """One `test_` rule: its full name, `data.PACKAGE.RULE`, and `file:line:column`."""

    name: str
    place: str


class SetRule(Value, frozen=True, kw_only=True):
    """One rule that adds to a set. `start` and `end` are the bytes of the set's name in the module's text."""

    path: str
    package: str
    word: str
    line: int
    last_line: int
    start: int
    end: int

    @property
    def place(self) -> str:
        """Where it stands, as `file:line`."""
        return f"{self.path}:{self.line}"


def find_tests(parsed: Iterable[Module]) -> tuple[RegoTest, ...]:
    """Give the tests of test modules, in order of file and name; several rules of one name are one test."""
    found: dict[str, RegoTest] = {}
    for module in parsed:
        for rule in module.rules:
            name = tree.rule_name(rule)
            full = f"data.{module.package}.{name}"
            if name.startswith("test_") and _PLAIN.fullmatch(full):
                found.setdefault(full, RegoTest(name=full, place=module.place(tree.head(rule)[1].get("span"))))
    return tuple(sorted(found.values(), key=lambda test: (test.place.partition(":")[0], test.name)))


def question(tests: Iterable[RegoTest]) -> PolicyModule:
    """Give the module whose `passed` holds the names of the tests that pass."""
    lines = [f'passed["{test.name}"] := true if {test.name}' for test in tests]
    return PolicyModule(path="secgate_asked.rego", text="\n".join(["package secgate_asked", *lines, ""]))


def set_rules(parsed: Iterable[Module], words: frozenset[str]) -> tuple[SetRule, ...]:
    """Give the rules that add to one of the sets `words`, in order."""
    found = []
    for module in parsed:
        for rule in module.rules:
            kind, head = tree.head(rule)
            word = tree.rule_name(rule)
            name = tree.span_of(head.get("refr"))
            if kind != "Set" or word not in words or name is None:
                continue
            whole = tree.opened(rule)[1].get("span")
            start, end = tree.number(whole, "start"), tree.number(whole, "end")
            first = tree.number(name, "line")
            found.append(
                SetRule(
                    path=module.path,
                    package=module.package,
                    word=word,
                    line=first,
                    last_line=first + module.text[start:end].count(b"\n"),
                    start=tree.number(name, "start"),
                    end=tree.number(name, "end"),
                )
            )
    return tuple(found)


def without(modules: Sequence[PolicyModule], rule: SetRule) -> tuple[PolicyModule, ...]:
    """Give the modules as if `rule` were not there: what it adds goes to a set that nobody reads."""
    changed = []
    for module in modules:
        if module.path == rule.path:
            text = module.text.encode()
            text = text[: rule.start] + _AWAY.encode() + text[rule.end :]
            # The set itself stays: a test that only sees that there is one would miss nothing.
            still = f'\n{rule.word} contains "nothing" if 1 == 2\n'
            changed.append(PolicyModule(path=module.path, text=text.decode() + still))
        else:
            changed.append(module)
    return tuple(changed)
