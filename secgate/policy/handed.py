"""Which facts of a finding a layer's rules can come to: a part of a large run is handed over with those alone.

A fact that is left out makes a difference to whoever uses a finding as a value: compares it, prints it, counts its
fields. So a layer is handed less only where its text takes findings by their facts alone, each by its name, itself and
in every function that it gives a finding to. Whatever is written in another way counts as use of the whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import starmap
from operator import attrgetter

from msgspec import Struct, defstruct

from secgate.policy import tree
from secgate.policy.documents import FindingFacts
from secgate.policy.imports import imported_names
from secgate.policy.singly import FINDINGS, names_of, own_names, paths, written_out
from secgate.policy.tree import Module, Node

FACTS = frozenset(FindingFacts.__struct_fields__)

Parameter = tuple[str, int]
"""A function by its full name, without `data`, and the position of one of its parameters."""


class Handling(Struct, frozen=True, kw_only=True):
    """What the text of one package does with findings."""

    facts: frozenset[str] = frozenset()
    """Those that it names, in whatever place."""
    packages: frozenset[str] = frozenset()
    """Names of packages, or of what is in them, that it comes to."""
    wholes: tuple[str, ...] = ()
    """Places that use a finding as a whole."""


def by_fact(modules: Sequence[Module], *, known: Collection[Parameter] = ()) -> frozenset[Parameter]:
    """Give the parameters whose facts alone are used, `known` ones included."""
    functions = [(module, rule) for module in modules for rule in module.rules if tree.head(rule)[0] == "Func"]
    given: dict[Parameter, list[tuple[_Text, Node, object]]] = {}
    texts = {module.path: _Text(module, own_names(modules, module)) for module in modules}
    for module, rule in functions:
        for position, argument in enumerate(tree.items(tree.head(rule)[1].get("args"))):
            name = f"{module.package}.{tree.rule_name(rule)}"
            given.setdefault((name, position), []).append((texts[module.path], rule, argument))
    found = {*known, *given}
    shrunk = True
    while shrunk:
        bad = {
            one
            for one in found & given.keys()
            if any(text.takes_whole(rule, argument, found) for text, rule, argument in given[one])
        }
        found -= bad
        shrunk = bool(bad)
    return frozenset(found)


def handlings(modules: Sequence[Module], *, parameters: Collection[Parameter]) -> dict[str, Handling]:
    """Give what each package of the modules does. `parameters` are those that `by_fact` gives."""
    found: dict[str, Handling] = {}
    for module in modules:
        text = _Text(module, own_names(modules, module))
        held = found.get(module.package, Handling())
        rules = list(module.rules)
        found[module.package] = Handling(
            facts=held.facts | (FACTS & set(_words(rules))),
            packages=held.packages | frozenset(text.names(rules)),
            wholes=(*held.wholes, *text.whole_findings(parameters)),
        )
    return found


def handed(own: Mapping[str, Handling], ground: Mapping[str, Handling]) -> frozenset[str]:
    """Give the facts that rules of the packages `own` can come to, with those of `ground` that they lead to.

    All of them where one of `own` uses a finding as a whole.
    """
    if any(one.wholes for one in own.values()):
        return FACTS
    waiting = [*own, "secgate.main", "secgate.rules.sentinel"]
    seen: set[str] = set()
    # What the sentinel is made known by is named in its rule.
    facts = {"fingerprint", "severity"}
    while waiting:
        package = waiting.pop()
        one = own.get(package) or ground.get(package)
        if package in seen or one is None:
            continue
        seen.add(package)
        facts |= one.facts
        waiting += [other for other in ground for name in one.packages if _meet(name, other)]
    return frozenset(facts)


def handed_over(findings: Sequence[FindingFacts], facts: Collection[str]) -> list[object]:
    """Give findings with `facts` alone, two or more, as values that are written like the findings themselves."""
    names = [name for name in FindingFacts.__struct_fields__ if name in facts]
    fewer = defstruct("Facts", names, frozen=True, gc=False)
    return list(starmap(fewer, map(attrgetter(*names), findings)))


def _meet(name: str, package: str) -> bool:
    """Tell whether a name is a package, lies in it, or stands above it."""
    return name == package or name.startswith(f"{package}.") or package.startswith(f"{name}.")


def _words(rules: Sequence[Node]) -> Iterator[str]:
    """Give every field and every string that is written in rules."""
    for node in tree.everything(list(rules)):
        kind, body = tree.opened(node)
        if kind == "RefDot":
            yield tree.field_of(body)[1]
        elif (text := tree.text_of(node)) is not None:
            yield text


class _Text:
    """One module's rules, with what their names stand for."""

    def __init__(self, module: Module, own: frozenset[str]) -> None:
        self._module = module
        self._own = own
        self._aliases = imported_names(module)

    def names(self, node: object) -> Iterator[str]:
        """Give the full names of what is mentioned in a node, `data` as a whole as the package above all."""
        found = [written_out(path, self._aliases) for path in paths(node)]
        yield from names_of(found, package=self._module.package, own=self._own)
        if any(path in (("input",), ("data",)) for path in found):
            yield "secgate"

    def whole_findings(self, parameters: Collection[Parameter]) -> Iterator[str]:
        """Give the places where a finding that a rule goes through is used as a whole."""
        for rule in self._module.rules:
            loops = [body for kind, body in map(tree.opened, tree.everything(rule)) if kind == "SomeIn"]
            over = [one for one in loops if self._is_findings(one.get("collection"))]
            names = {tree.name_of(one.get("value")) for one in over}
            for one in over:
                if tree.name_of(one.get("value")) is None or one.get("key") is not None:
                    yield self._module.place(tree.head(rule)[1].get("span"))
            for node in self.wholes(rule, {name for name in names if name is not None}, parameters):
                yield self._module.place(tree.span_of(node))

    def takes_whole(self, rule: Node, argument: object, parameters: Collection[Parameter]) -> bool:
        """Tell whether a function uses more of an argument than its facts."""
        name = tree.name_of(argument)
        return name is None or any(True for _ in self.wholes(rule, {name}, parameters))

    def wholes(self, rule: Node, names: Collection[str], parameters: Collection[Parameter]) -> Iterator[object]:
        """Give the nodes of a rule where a value of one of the names is used, and not only one of its facts."""
        _, head = tree.head(rule)
        refr = head.get("refr")
        parts = [value for key, value in head.items() if key not in ("refr", "args")]
        if tree.name_of(refr) is None:
            parts.append(refr)
        yield from self._wholes([*parts, tree.bodies(rule)], names, parameters)

    def _wholes(self, node: object, names: Collection[str], parameters: Collection[Parameter]) -> Iterator[object]:
        kind, body = tree.opened(node)
        if kind == "Var":
            if tree.name_of(node) in names:
                yield node
            return
        below: Collection[object]
        if kind in ("RefDot", "RefBrack") and tree.name_of(body.get("refr")) in names and _is_named(kind, body):
            return
        if kind == "Call":
            called = list(self.names(body.get("fcn")))
            below = [
                one
                for position, one in enumerate(tree.items(body.get("params")))
                if tree.name_of(one) not in names or not called or (called[0], position) not in parameters
            ]
        elif kind == "SomeIn" and tree.name_of(body.get("value")) is not None:
            below = [body.get("key"), body.get("collection")]
        else:
            below = list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else ()
        for part in below:
            yield from self._wholes(part, names, parameters)

    def _is_findings(self, node: object) -> bool:
        path = tree.path_of(node)
        return path is not None and written_out(path, self._aliases) == FINDINGS


def _is_named(kind: str, reference: Node) -> bool:
    return kind == "RefDot" or tree.text_of(reference.get("index")) is not None
