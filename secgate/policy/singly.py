"""Which rules speak of one finding at a time: a layer of such rules alone says the same when it is judged in parts.

A rule does so when its text comes to `input.findings` once, to go through it (`some f in input.findings`), and to
nothing else that depends on several findings. Whatever is written in another way counts as depending on all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct

from secgate.policy import tree
from secgate.policy.imports import imported_names
from secgate.policy.tree import Module, Node

FINDINGS = ("input", "findings")


class _Reads(Struct, frozen=True, kw_only=True):
    """What one rule comes to. `names` are rules by their full names, without `data`."""

    name: str
    findings: int
    """How often it comes to `input.findings`."""
    is_open: bool
    """It comes to all of `input` or `data`, or replaces a part of them: nobody can say what it depends on."""
    names: frozenset[str]
    is_one_loop: bool
    """A set, filled by one body that goes through the findings."""


def depends_on_several(modules: Sequence[Module], *, known: Collection[str] = ()) -> frozenset[str]:
    """Give the full names of rules and functions whose value may depend on several findings, `known` ones included."""
    reads = [one for module in modules for one in _reads(module, own_names(modules, module))]
    found = {*known, *(one.name for one in reads if one.findings or one.is_open)}
    grown = True
    while grown:
        more = {one.name for one in reads if one.name not in found and _touches(one.names, found)}
        found |= more
        grown = bool(more)
    return frozenset(found)


def speaks_singly(modules: Sequence[Module], *, sets: Collection[str], several: Collection[str]) -> bool:
    """Tell whether every rule of the modules speaks of one finding at a time, or of none.

    `sets` are those that a layer speaks by, `several` is what `depends_on_several` gives for all that it can reach.
    """
    for module in modules:
        for one in _reads(module, own_names(modules, module)):
            speaks = one.is_one_loop and one.name.rpartition(".")[2] in sets
            if one.is_open or _touches(one.names, several) or (one.findings and not (speaks and one.findings == 1)):
                return False
    return True


def own_names(modules: Sequence[Module], module: Module) -> frozenset[str]:
    """Give the names that a module's package defines, in this file or in another one."""
    return frozenset(
        tree.rule_name(rule) for other in modules if other.package == module.package for rule in other.rules
    )


def _touches(names: Collection[str], several: Collection[str]) -> bool:
    """Tell whether a name is one of `several`, a part of one, or a package above one."""
    return any(
        name == other or name.startswith(f"{other}.") or other.startswith(f"{name}.")
        for name in names
        for other in several
    )


def _reads(module: Module, own: frozenset[str]) -> Iterator[_Reads]:
    aliases = imported_names(module)
    for rule in module.rules:
        kind, head = tree.head(rule)
        is_plain = tree.name_of(head.get("refr")) is not None
        # The name that a rule defines is not read by it.
        parts = [value for key, value in head.items() if key != "refr" or not is_plain]
        bodies = tree.bodies(rule)
        read = [written_out(path, aliases) for path in paths([*parts, bodies])]
        yield _Reads(
            name=f"{module.package}.{tree.rule_name(rule)}",
            findings=sum(path[:2] == FINDINGS for path in read),
            is_open=any(path in (("input",), ("data",)) for path in read) or _replaces(bodies),
            names=frozenset(names_of(read, package=module.package, own=own)),
            is_one_loop=kind == "Set" and is_plain and len(bodies) == 1 and _loops(bodies[0], aliases),
        )


def paths(node: object) -> Iterator[tuple[str, ...]]:
    """Give every reference as far as it is written out, with those in its computed parts."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting.extend(reversed(one))
        elif isinstance(one, dict):
            path = tree.path_of(one)
            if path is not None:
                yield path
            else:
                waiting.extend(reversed(one.values()))


def written_out(path: tuple[str, ...], aliases: Mapping[str, str]) -> tuple[str, ...]:
    """Give a path with the import that it begins with written out."""
    return (*aliases[path[0]].split("."), *path[1:]) if path[0] in aliases else path


def names_of(found: Sequence[tuple[str, ...]], *, package: str, own: frozenset[str]) -> Iterator[str]:
    """Give the full names of rules and packages, without `data`, that references lead to."""
    for root, *rest in found:
        if root == "data" and rest[:1] == ["secgate"]:
            yield ".".join(rest)
        elif root in own:
            yield f"{package}.{root}"


def _replaces(bodies: Sequence[Node]) -> bool:
    """Tell whether a body says `with`, at any depth."""
    return any(isinstance(node, dict) and node.get("with_mods") for node in tree.everything(list(bodies)))


def _loops(body: Node, aliases: Mapping[str, str]) -> bool:
    """Tell whether a body itself says `some f in input.findings`, and does not ask for the place in the list."""
    for statement in tree.statements(body.get("query")):
        kind, literal = tree.opened(statement.get("literal"))
        if kind == "SomeIn" and literal.get("key") is None:
            path = tree.path_of(literal.get("collection"))
            if path is not None and written_out(path, aliases) == FINDINGS:
                return True
    return False
