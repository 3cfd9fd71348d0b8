"""Where each rule of a layer is written and which facts its text reads, from the syntax tree's spans.

What a rule reads is followed through the functions and rules that it calls, by name. It is what its text mentions,
which may be more than what tipped the scales.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from secgate.policy import tree
from secgate.policy.inference import Inference, Scope, Surroundings
from secgate.policy.tree import Module, Node

_FINDING = "finding"
_UNKNOWN = "?"
"""Stands for a parameter: in a rule about findings it is most often one."""


class RuleSource(Struct, frozen=True, kw_only=True):
    """One rule that adds to a set. `start` and `end` are the bytes of the set's name in its module's text."""

    package: str
    set: str
    path: str
    line: int
    start: int
    end: int
    uses: tuple[str, ...]
    """`finding.severity`, `input.run.scope`, `data.limits.new_denied`, or `secgate.lib.NAME.RULE` for what it calls."""

    @property
    def rule(self) -> str:
        """Full Rego path of its package, as a verdict names it."""
        return f"data.{self.package}"

    @property
    def place(self) -> str:
        """`file:line` of its head."""
        return f"{self.path}:{self.line}"


def sources_of(
    module: Module, surroundings: Surroundings, sets: frozenset[str]
) -> tuple[list[RuleSource], dict[str, tuple[str, ...]]]:
    """Give the rules of a module that add to `sets`, and what each name that it defines reads, by its full name."""
    reader = _Reader(module, surroundings)
    found: list[RuleSource] = []
    uses: dict[str, set[str]] = {}
    for rule in module.rules:
        name = tree.rule_name(rule)
        read = reader.of_rule(rule)
        uses.setdefault(f"{module.package}.{name}", set()).update(read)
        kind, head = tree.head(rule)
        span = tree.span_of(head.get("refr"))
        if kind == "Set" and name in sets:
            found.append(
                RuleSource(
                    package=module.package,
                    set=name,
                    path=module.path,
                    line=tree.number(span, "line"),
                    start=tree.number(span, "start"),
                    end=tree.number(span, "end"),
                    uses=tuple(sorted(read)),
                )
            )
    return found, {name: tuple(sorted(read)) for name, read in uses.items()}


class _Reader:
    """Reads what the rules of one module mention."""

    def __init__(self, module: Module, surroundings: Surroundings) -> None:
        self._package = module.package
        self._infer = Inference(module, surroundings)
        findings = surroundings.vocabulary.document.fields.get("findings")
        self._finding = findings.items if findings is not None else None
        self._aliases: dict[str, tuple[str, ...]] = {}
        for item in module.imports:
            path = tree.path_of(item.get("refr")) or ()
            alias = module.word_at(item["as"]) if isinstance(item.get("as"), dict) else ""
            if path:
                self._aliases[alias or path[-1]] = path

    def of_rule(self, rule: Node) -> set[str]:
        """Give what the bodies of a rule, and the value that a function gives, mention."""
        scope = self._infer.rule_scope(rule)
        head = tree.head(rule)[1]
        is_set = tree.head(rule)[0] == "Set"
        parts = [] if is_set else [holder.get("assign") for holder in (head, *tree.bodies(rule))]
        return set(self._read([*parts, [body.get("query") for body in tree.bodies(rule)]], scope))

    def _read(self, node: object, scope: Scope) -> Iterator[str]:
        path = tree.path_of(node)
        if path is not None:
            yield from self._named(node, path, scope)
            return
        kind, body = tree.opened(node)
        if kind in ("ArrayCompr", "SetCompr", "ObjectCompr"):
            scope = dict(scope)
            self._infer.bind(body.get("query"), scope)
        below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        for part in below:
            yield from self._read(part, scope)

    def _named(self, node: object, path: tuple[str, ...], scope: Scope) -> Iterator[str]:
        root, *rest = path
        if root not in scope and root in self._aliases:
            root, *rest = (*self._aliases[root], *rest)
        if root == "data" and rest[:1] == ["secgate"]:
            yield ".".join(rest)
        elif root in ("input", "data"):
            yield ".".join((root, *rest))
        elif root not in scope and root in self._infer.rules:
            yield f"{self._package}.{root}"
        elif rest:
            above = tree.opened(node)[1].get("refr")
            for _ in range(len(rest) - 1):
                above = tree.opened(above)[1].get("refr")
            shape = self._infer.shape(above, scope)
            if shape is self._finding:
                yield ".".join((_FINDING, *rest))
            elif shape.kind in ("parameter", "any"):
                yield ".".join((_UNKNOWN, *rest))


def facts_read(source: RuleSource, uses: Mapping[str, tuple[str, ...]], *, helpers_not: frozenset[str]) -> list[str]:
    """Give the facts that a rule reads, itself and through what it calls, sorted; calls themselves are left out.

    `uses` is what every name of the layer and of the ground reads. What only helpers read is left out where its last
    part is in `helpers_not`: they read it to name a place.
    """
    own = {fact for fact in source.uses if not fact.startswith("secgate.")}
    waiting = [fact for fact in source.uses if fact.startswith("secgate.")]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        # A call names a rule of a package: what stands behind it is a part of its value.
        known = next((part for part in _starts(name) if part in uses), "")
        if known in seen or not known:
            continue
        seen.add(known)
        for fact in uses[known]:
            if fact.startswith("secgate."):
                waiting.append(fact)
            elif fact.rpartition(".")[2] not in helpers_not:
                own.add(fact)
    return sorted({fact.replace(f"{_UNKNOWN}.", f"{_FINDING}.", 1) for fact in own})


def _starts(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.rpartition(".")[0]
