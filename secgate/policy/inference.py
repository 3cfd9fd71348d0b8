"""What is known of the values in a Rego module: names are followed to the input, to data, and to other rules.

Followed as far as is cheap, and no further: past that a value has the shape "any".
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from secgate.policy import tree
from secgate.policy.shapes import ANY, SCALAR, Shape, Vocabulary
from secgate.policy.tree import Module, Node

_MAX_CHAIN = 16
_MAX_NESTED = 3
"""How far a shape is followed through rules and comprehensions; past it the vocabulary as a whole serves."""

Scope = dict[str, Shape | str]
"""Names in reach: a shape, or the text of a string constant."""


class Surroundings(Struct, frozen=True, kw_only=True):
    """What the modules of one engine can reach: vocabulary, data, and every module's rules by package."""

    vocabulary: Vocabulary
    data: Shape
    packages: Mapping[str, frozenset[str]]


class Inference:
    """Shapes of one module's expressions."""

    def __init__(self, module: Module, surroundings: Surroundings) -> None:
        self._module = module
        self._vocabulary = surroundings.vocabulary
        self._data = _data_shape(surroundings)
        self._in_work: set[str] = set()
        self._nested = 0
        self._known: dict[str, Shape] = {}
        self.rules: dict[str, list[Node]] = {}
        for rule in module.rules:
            self.rules.setdefault(tree.rule_name(rule), []).append(rule)
        self.imports: Scope = {}
        for item in module.imports:
            self._import(item)

    def _import(self, item: Node) -> None:
        parts = tree.path_of(item.get("refr")) or ()
        if parts[:1] in (("rego",), ("future",)):
            return
        self.imports[tree.imported_as(item, self._module)] = self.shape(item.get("refr"), {})

    def _name(self, name: str, scope: Scope) -> Shape | str:
        if name in scope:
            return scope[name]
        if name == "input":
            return self._vocabulary.document
        if name == "data":
            return self._data
        if name in self.imports:
            return self.imports[name]
        return self._rule_shape(name) if name in self.rules else ANY

    def _rule_shape(self, name: str) -> Shape:
        if name in self._known or name in self._in_work or len(self._in_work) >= _MAX_CHAIN:
            return self._known.get(name, ANY)
        self._in_work.add(name)
        shapes = [self._one_rule(rule) for rule in self.rules[name]]
        self._known[name] = shapes[0] if all(shape == shapes[0] for shape in shapes) else ANY
        self._in_work.discard(name)
        return self._known[name]

    def _one_rule(self, rule: Node) -> Shape:
        kind, body = tree.head(rule)
        if tree.name_of(body.get("refr")) is None or len(tree.bodies(rule)) > 1:
            return ANY
        scope = self.rule_scope(rule)
        if kind == "Set":
            return Shape(kind="array", items=self.shape(body.get("key"), scope))
        assign = body.get("assign")
        return self.shape(assign.get("value"), scope) if kind == "Compr" and isinstance(assign, dict) else ANY

    def rule_scope(self, rule: Node) -> Scope:
        """Give the names that a rule's arguments and bodies bind."""
        scope: Scope = {}
        for argument in tree.items(tree.head(rule)[1].get("args")):
            scope.update(dict.fromkeys(tree.variables(argument), Shape(kind="parameter")))
        for body in tree.bodies(rule):
            self.bind(body.get("query"), scope)
        return scope

    def bind(self, query: object, scope: Scope) -> None:
        """Add the names that a query binds. A second round serves names used above the place that binds them."""
        for _ in range(2):
            for statement in tree.statements(query):
                kind, body = tree.opened(statement.get("literal"))
                if kind == "SomeIn":
                    self._bind_items(body, scope)
                elif kind == "Expr":
                    self._bind_assignment(body.get("expr"), scope)

    def _bind_items(self, body: Node, scope: Scope) -> None:
        collection = self.shape(body.get("collection"), scope)
        if (name := tree.name_of(body.get("key"))) is not None:
            scope[name] = key_shape(collection)
        if (name := tree.name_of(body.get("value"))) is not None:
            scope[name] = collection.items or ANY

    def _bind_assignment(self, expression: object, scope: Scope) -> None:
        kind, body = tree.opened(expression)
        if kind != "AssignExpr":
            return
        for left, right in (("lhs", "rhs"), ("rhs", "lhs")):
            name = tree.name_of(body.get(left))
            if name is None or name in ("_", "input", "data") or (body.get("op") == "ColEq" and left == "rhs"):
                continue
            if (text := tree.text_of(body.get(right))) is not None:
                scope.setdefault(name, text)
            elif (shape := self.shape(body.get(right), scope)).kind != "any" or name not in scope:
                scope[name] = shape

    def shape(self, node: object, scope: Scope) -> Shape:
        """Give what is known of an expression's value."""
        if (name := tree.name_of(node)) is not None:
            known = self._name(name, scope)
            return SCALAR if isinstance(known, str) else known
        kind, body = tree.opened(node)
        if kind in ("ArrayCompr", "SetCompr"):
            return self._comprehension_shape(body, scope)
        if kind == "Call" and tree.path_of(body.get("fcn")) == ("object", "keys"):
            (subject, *_) = tree.items(body.get("params")) or [None]
            return Shape(kind="array", items=key_shape(self.shape(subject, scope)))
        if kind not in ("RefDot", "RefBrack"):
            return SCALAR if kind in ("String", "RawString", "Number", "Bool") else ANY
        above = self.shape(body.get("refr"), scope)
        key = tree.field_of(body)[1] if kind == "RefDot" else self.constant(body.get("index"), scope)
        return above.at(key)

    def _comprehension_shape(self, body: Node, scope: Scope) -> Shape:
        if self._nested >= _MAX_NESTED:
            return ANY
        self._nested += 1
        inner = dict(scope)
        self.bind(body.get("query"), inner)
        items = self.shape(body.get("term"), inner)
        self._nested -= 1
        return Shape(kind="array", items=items)

    def constant(self, node: object, scope: Scope) -> str | None:
        """Give the text of a string, written out or bound to a name; None for anything else."""
        if (name := tree.name_of(node)) is not None:
            known = self._name(name, scope)
            return known if isinstance(known, str) else None
        return tree.text_of(node)


def key_shape(collection: Shape) -> Shape:
    """Give what is known of the keys of a value: those of a fact are its fields, and no others."""
    if collection.kind == "object" and not collection.is_open and collection.fields:
        return Shape(kind="scalar", type="string", choices=frozenset(collection.fields))
    return SCALAR if collection.kind in ("array", "object") else ANY


def _data_shape(surroundings: Surroundings) -> Shape:
    """Give the shape of `data`: the data itself, and under `secgate` every package with its rules."""
    root: dict[str, object] = {}
    for package, rules in surroundings.packages.items():
        place = root
        for part in package.split("."):
            below = place.setdefault(part, {})
            place = below if isinstance(below, dict) else {}
        place.update(dict.fromkeys(rules, ANY))
    own = {name: _package_shape(below) for name, below in root.items()}
    return Shape(kind="object", fields={**surroundings.data.fields, **own})


def _package_shape(value: object) -> Shape:
    if not isinstance(value, dict):
        return ANY
    return Shape(kind="object", fields={name: _package_shape(below) for name, below in value.items()}, is_open=True)
