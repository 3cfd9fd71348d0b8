"""An element that a rule writes out has the form of its set, or the policy is refused.

A rule with a misspelt field in its head is quiet until it holds for the first time, and then no decision can be read.
What stands in the text is told before: names of fields, what is missing, values of the wrong type; also where a
function of the module writes it out. Only where the package defines that function once, with one value: of several,
which one a call gets hangs on its arguments, and one that is no element may be for another set. What is made otherwise
(`object.union`, a comprehension, a function of a library) is seen when it is evaluated; a break is then an error too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_type_hints

import msgspec
from msgspec import Struct

from secgate.policy import tree
from secgate.policy.documents import AddedObligation, Element, Exemption
from secgate.policy.faults import Fault
from secgate.policy.inference import Inference, Scope, Surroundings
from secgate.policy.shapes import Shape
from secgate.policy.tree import Module, Node

FORMS: Mapping[str, type[Struct]] = {
    **dict.fromkeys(("deny", "warn", "inconclusive"), Element),
    **dict.fromkeys(("obligations", "superseded"), AddedObligation),
    "exempt": Exemption,
}
"""The form of an element by the set that it is in."""

_ADDED = "rule"
"""The field that `secgate.main` adds; whoever writes it is not heard, and not refused."""

_TYPES = {"run": "boolean", "start_epoch_s": "integer", "limit_s": "integer", "expires_epoch_s": "integer"}
"""Type of a field where it is no text."""

_SUBJECTS = ("finding", "lane", "run")
_TEXT_CALLS = frozenset({"concat", "format_int", "lower", "replace", "sprintf", "trim_space", "upper"})
_LITERALS = {"String": "a text", "RawString": "a text", "Number": "a number", "Bool": "true or false", "Null": "null"}
_LISTS = frozenset({"Array", "Set", "ArrayCompr", "SetCompr"})
_REMEDY = "`policies/schema/decision.json` says what an element is"
_MOST_NAMES = 4
"""How many names are followed from a head to what is written out."""


def element_faults(
    module: Module, surroundings: Surroundings, sets: frozenset[str], *, beside: frozenset[str]
) -> list[Fault]:
    """Give the faults of what the rules of a module put into `sets`; [] for none.

    `beside` are the names that other modules of the package define: a function of one may go on there.
    """
    infer = Inference(module, surroundings)
    found = [
        fault
        for rule in module.rules
        if tree.head(rule)[0] == "Set" and tree.rule_name(rule) in sets
        for fault in _Head(module, infer, rule, beside).faults()
    ]
    return list(dict.fromkeys(found))


class _Head:
    """One rule's head."""

    def __init__(self, module: Module, infer: Inference, rule: Node, beside: frozenset[str]) -> None:
        self._module = module
        self._infer = infer
        self._beside = beside
        self._scope: Scope = infer.rule_scope(rule)
        self._assigned = _assigned(rule)
        self._set = tree.rule_name(rule)
        self._form = FORMS[self._set]
        self._fields = {field.name: field for field in msgspec.structs.fields(self._form) if field.name != _ADDED}
        self._head = tree.head(rule)[1]

    def faults(self) -> Iterator[Fault]:
        """Give what is wrong with the element, as far as it is written out."""
        node = self._followed(self._head.get("key"))
        kind, body = tree.opened(node)
        if kind == "Object":
            yield from self._of_object(body)
            return
        if (what := self._no_object(node)) is not None:
            wanted = '{"finding": f.fingerprint, "reason": ...}' if self._form is Element else "an object"
            yield self._fault(tree.span_of(node), f"an element of `{self._set}` is an object, not {what}", wanted)

    def _followed(self, node: object) -> object:
        """Give what a name in the head stands for, where the body says so once, or what is called writes out."""
        for _ in range(_MOST_NAMES):
            name = tree.name_of(node)
            if name is not None and len(self._assigned.get(name, ())) == 1:
                (node,) = self._assigned[name]
            elif (made := self._called(node)) is not None:
                self._scope, self._assigned = self._infer.rule_scope(made), _assigned(made)
                node = _value(made)
            else:
                return node
        return node

    def _called(self, node: object) -> Node | None:
        """Give the function of this package that a call is of, where there is but one definition with one value."""
        kind, body = tree.opened(node)
        name = tree.name_of(body.get("fcn")) if kind == "Call" else None
        if name is None or name in self._beside or name in self._infer.imports:
            return None
        rules = self._infer.rules.get(name, ())
        if len(rules) != 1:
            return None
        (only,) = rules
        is_one = tree.head(only)[0] == "Func" and len(tree.bodies(only)) <= 1 and _value(only) is not None
        return only if is_one else None

    def _no_object(self, node: object) -> str | None:
        """Say what a value is that is no element; None where nobody knows."""
        kind, body = tree.opened(node)
        if kind in _LITERALS:
            return _LITERALS[kind]
        if kind in _LISTS:
            return "a list"
        if kind == "Call" and ".".join(tree.path_of(body.get("fcn")) or ()) in _TEXT_CALLS:
            return "a text"
        shape = self._infer.shape(node, self._scope)
        if shape.kind == "object" and not shape.is_open and not set(shape.fields) <= set(self._fields):
            return "a fact"
        return {"scalar": "a plain value", "array": "a list"}.get(shape.kind)

    def _of_object(self, body: Node) -> Iterator[Fault]:
        written: dict[str, object] = {}
        is_whole = True
        for key, value in tree.pairs(body):
            name = self._infer.constant(key, self._scope)
            if name is None:
                is_whole = False
            elif name in self._fields:
                written[name] = value
                yield from self._of_value(name, value)
            elif name != _ADDED or self._form is Element:
                near = get_close_matches(name, list(self._fields), n=1)
                remedy = f"did you mean `{near[0]}`?" if near else f"it may have: {', '.join(self._fields)}"
                yield self._fault(tree.span_of(key), f"an element of `{self._set}` has no field `{name}`", remedy)
                is_whole = False
        if is_whole:
            yield from self._missing(written, body.get("span"))

    def _missing(self, written: Mapping[str, object], span: object) -> Iterator[Fault]:
        for name in (name for name, field in self._fields.items() if field.required and name not in written):
            yield self._fault(span, f"an element of `{self._set}` lacks `{name}`", "add it")
        if self._form is not Element:
            return
        named = [name for name in _SUBJECTS if name in written and tree.opened(written[name])[0] != "Null"]
        if len(named) != 1:
            told = f"names {' and '.join(named)}" if named else "names no subject"
            what = f"an element of `{self._set}` {told}"
            yield self._fault(span, what, f"give it exactly one of {', '.join(_SUBJECTS)}")
        if "gap" in written and "lane" not in written:
            yield self._fault(span, "`gap` stands only beside `lane`", "add the gap's lane")

    def _of_value(self, name: str, node: object) -> Iterator[Fault]:
        kind, body = tree.opened(node)
        wanted = _TYPES.get(name, "string")
        text = self._infer.constant(node, self._scope)
        if text is not None or kind in ("Number", "Bool", "Null"):
            yield from self._of_literal(name, text if text is not None else body.get("value"), tree.span_of(node))
            return
        shape = self._infer.shape(node, self._scope)
        found = _found(kind, body, shape)
        if found and found != wanted:
            yield self._fault(
                tree.span_of(node), f"`{name}` of an element is {_said(wanted)}, not {_said(found)}", _REMEDY
            )

    def _of_literal(self, name: str, value: object, span: object) -> Iterator[Fault]:
        try:
            msgspec.convert(value, _hints(self._form)[name])
        except msgspec.ValidationError as error:
            yield self._fault(span, f"`{name}` of an element of `{self._set}`: {error}", _REMEDY)

    def _fault(self, span: object, what: str, remedy: str) -> Fault:
        return Fault(self._module.place(span or self._head.get("span")), what, remedy)


def _hints(form: type[Struct]) -> Mapping[str, Any]:
    return get_type_hints(form, include_extras=True)


def _found(kind: str, body: Node, shape: Shape) -> str:
    """Give the JSON type of an expression's value; "" where nobody knows."""
    if kind == "Object":
        return "object"
    if kind in _LISTS:
        return "array"
    if kind == "Call" and ".".join(tree.path_of(body.get("fcn")) or ()) in _TEXT_CALLS:
        return "string"
    return shape.kind if shape.kind in ("object", "array") else shape.type


def _said(kind: str) -> str:
    return {"string": "a text", "integer": "an integer", "boolean": "`true`", "array": "a list"}.get(kind, f"an {kind}")


def _value(function: Node) -> object:
    """Give what a function's head is set to; None where it is only true."""
    assign = tree.head(function)[1].get("assign")
    return assign.get("value") if isinstance(assign, dict) else None


def _assigned(rule: Node) -> dict[str, list[object]]:
    """Give what the rule's bodies bind to each name, once for each place that does."""
    found: dict[str, list[object]] = {}
    for body in tree.bodies(rule):
        for statement in tree.statements(body.get("query")):
            _, literal = tree.opened(statement.get("literal"))
            kind, expression = tree.opened(literal.get("expr"))
            if kind == "AssignExpr" and (name := tree.name_of(expression.get("lhs"))) is not None:
                found.setdefault(name, []).append(expression.get("rhs"))
    return found
