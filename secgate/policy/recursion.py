"""No rule comes back to itself, by way of whatever others.

OPA refuses recursion when it compiles a policy. regorus sees it when it comes to such a rule and not before: behind a
condition that seldom holds that is the day on which the rule is needed. So it is refused here, with its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from msgspec import Struct

from secgate.policy import tree
from secgate.policy.faults import Fault
from secgate.policy.tree import Module, Node

MOST_FAULTS = 20

_Path = tuple[str | None, ...]
"""Parts of a reference; None for one that is computed, which may be any."""


class _Place(Struct):
    """What stands at one path: the rules that are defined there, by number, and the paths below."""

    here: list[int]
    below: dict[str | None, _Place]

    def at(self, path: _Path) -> _Place:
        """Give the place at `path`, made where there is none."""
        place = self
        for part in path:
            place = place.below.setdefault(part, _Place([], {}))
        return place

    def met(self, path: _Path) -> Iterator[int]:
        """Give the rules that a reference may come to: those on its way, at its end and below that."""
        places = [self]
        for part in path:
            found = [below for place in places for below in place.leading(part)]
            for place in found:
                yield from place.here
            places = found
        while places:
            places = [below for place in places for below in place.below.values()]
            for place in places:
                yield from place.here

    def leading(self, part: str | None) -> list[_Place]:
        """Give the places to which a part leads."""
        if part is None:
            return list(self.below.values())
        return [below for name in (part, None) if (below := self.below.get(name)) is not None]


class _Rule(Struct, frozen=True):
    """All that defines one path, in the order of the modules."""

    name: str
    module: Module
    span: object
    read: list[_Path]


def recursion_faults(modules: Sequence[Module], *, above: Sequence[Module] = ()) -> list[Fault]:
    """Give a fault for each circle of rules, at the first of its rules; those of `above` alone are not looked for."""
    rules: dict[_Path, _Rule] = {}
    root = _Place([], {})
    own: dict[str, set[str]] = {}
    for module in (*modules, *above):
        own.setdefault(module.package, set()).update(map(tree.rule_name, module.rules))
    for module in (*modules, *above):
        names = _Names(module, own[module.package])
        for rule in module.rules:
            head = tree.head(rule)[1]
            path = (*module.package.split("."), *_written(head.get("refr")))
            if path not in rules:
                root.at(path).here.append(len(rules))
                name = ".".join("*" if part is None else part for part in path)
                rules[path] = _Rule(name, module, head.get("span"), [])
            rules[path].read.extend(names.read(rule))
    found = list(rules.values())
    reads = {
        number: sorted({other for path in one.read for other in root.met(path)}) for number, one in enumerate(found)
    }
    return [_fault([found[number] for number in circle]) for circle in _circles(reads)]


def _circles(reads: Mapping[int, Iterable[int]]) -> Iterator[list[int]]:
    """Give circles without a rule in common, until none is left, each from its first rule on."""
    left = dict(reads)
    for _ in range(MOST_FAULTS):
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            # Each is read by the one after it, and the last is the first again.
            circle = list(reversed(error.args[1]))[1:]
            first = circle.index(min(circle))
            yield circle[first:] + circle[:first]
            left |= dict.fromkeys(circle, ())
        else:
            return


def _fault(circle: Sequence[_Rule]) -> Fault:
    first = circle[0]
    package = f"{first.module.package}."
    way = [one.name.removeprefix(package) for one in (*circle, first)]
    return Fault(
        first.module.place(first.span),
        f"`{way[0]}` is recursive, which no engine works out: {' -> '.join(way)}",
        "write it with a comprehension, `numbers.range` or `graph.reachable`",
    )


class _Names:
    """What the rules of one module read of rules, by full paths without `data`."""

    def __init__(self, module: Module, own: set[str]) -> None:
        self._module = module
        package = tuple(module.package.split("."))
        self._roots: dict[str, _Path] = {"data": ()}
        self._roots.update((name, (*package, name)) for name in own)
        for item in module.imports:
            root, *rest = tree.path_of(item.get("refr")) or ("",)
            if root == "data":
                self._roots[tree.imported_as(item, module)] = tuple(rest)

    def read(self, rule: Node) -> list[_Path]:
        """Give what a rule reads; what its arguments and bodies call by the same name is not a rule."""
        head, bodies = tree.head(rule)[1], tree.bodies(rule)
        given = frozenset(name for one in tree.items(head.get("args")) for name in tree.variables(one))
        first = given | self._declared(bodies[0].get("query")) if bodies else given
        found: list[_Path] = []
        self._add([head.get("key"), head.get("assign"), head.get("value"), *_computed(head.get("refr"))], first, found)
        for body in bodies:
            local = given | self._declared(body.get("query"))
            self._add([body.get("assign"), body.get("value"), body.get("query")], local, found)
        return found

    def _add(self, nodes: Iterable[object], local: frozenset[str], found: list[_Path]) -> None:
        waiting = list(nodes)
        while waiting:
            node = waiting.pop()
            if isinstance(node, list):
                waiting += node
                continue
            kind, body = tree.opened(node)
            if kind in ("Var", "RefDot", "RefBrack"):
                root, *rest = _written(node)
                if root in self._roots and root not in local:
                    found.append((*self._roots[root], *rest))
                waiting += _computed(node)
            elif kind in ("ArrayCompr", "SetCompr", "ObjectCompr"):
                inner = local | self._declared(body.get("query"))
                self._add([body.get(part) for part in ("term", "key", "value", "query")], inner, found)
            elif kind == "Every":
                named = [self._module.word_at(span) for part in ("key", "value") if (span := body.get(part))]
                self._add([body.get("query")], local.union(named, self._declared(body.get("query"))), found)
                waiting.append(body.get("domain"))
            elif kind != "SomeVars" and isinstance(node, dict):
                waiting += [value for name, value in node.items() if name != "span"]

    def _declared(self, query: object) -> frozenset[str]:
        """Give the names that a query makes its own, by `some` and `:=`."""
        found: set[str] = set()
        for statement in tree.statements(query):
            kind, body = tree.opened(statement.get("literal"))
            if kind == "SomeVars":
                found.update(self._module.word_at(span) for span in tree.items(body.get("vars")))
            elif kind == "SomeIn":
                found.update(tree.variables([body.get("key"), body.get("value")]))
            elif kind == "Expr":
                kind, assigned = tree.opened(body.get("expr"))
                if kind == "AssignExpr" and assigned.get("op") == "ColEq":
                    found.update(tree.variables(assigned.get("lhs")))
        return frozenset(found)


def _written(node: object) -> _Path:
    """Give the parts of a reference from its root on; (None,) and more for what does not begin with a name."""
    kind, body = tree.opened(node)
    if kind == "RefDot":
        return (*_written(body.get("refr")), tree.field_of(body)[1])
    if kind == "RefBrack":
        return (*_written(body.get("refr")), _constant(body.get("index")))
    return (tree.name_of(node),)


def _constant(index: object) -> str | None:
    kind, body = tree.opened(index)
    return str(body.get("value")) if kind == "Number" else tree.text_of(index)


def _computed(node: object) -> list[object]:
    """Give the expressions in a reference: its computed parts, and what it begins with where that is no name."""
    kind, body = tree.opened(node)
    if kind not in ("RefDot", "RefBrack"):
        return [] if kind == "Var" else [node]
    return [*_computed(body.get("refr")), *([body.get("index")] if kind == "RefBrack" else [])]
