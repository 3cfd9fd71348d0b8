"""A rule's head holds only what is always defined.

OPA drops the one element of a set whose head is undefined; regorus drops the whole set, silently (and calls a set
whose head is computed, `r[x] contains y`, undefined while it is empty). One finding without the field would so take
every deny with it. What may be undefined is therefore bound in the body first, where all engines agree.
"""

from __future__ import annotations

from secgate.policy import tree
from secgate.policy.inference import Inference, Scope

_TOTAL_CALLS = frozenset(
    {
        "abs",
        "array.concat",
        "ceil",
        "concat",
        "count",
        "floor",
        "format_int",
        "json.marshal",
        "lower",
        "object.get",
        "object.union",
        "round",
        "sort",
        "sprintf",
        "startswith",
        "sum",
        "time.format",
        "trim_space",
        "upper",
    }
)
"""Functions that are defined wherever their arguments are; a wrong type is a loud error in every engine."""


def unsure_part(node: object, inference: Inference, scope: Scope) -> object | None:
    """Give the first part of a head's expression that may be undefined; None where it is always defined."""
    kind, body = tree.opened(node)
    if kind in ("String", "RawString", "Number", "Bool", "Null", "ArrayCompr", "SetCompr", "ObjectCompr"):
        return None
    if kind == "Var":
        return None if _is_defined_name(tree.name_of(node) or "", inference, scope) else node
    if kind in ("RefDot", "RefBrack"):
        return None if _is_defined_reference(node, inference, scope) else node
    if kind == "Call" and ".".join(tree.path_of(body.get("fcn")) or ()) not in _TOTAL_CALLS:
        return node
    parts = _parts(kind, body)
    return node if parts is None else _first(parts, inference, scope)


def _parts(kind: str, body: tree.Node) -> list[object] | None:
    """Give the expressions that an expression is made of; None for a kind that is not known."""
    if kind in ("Call", "Array", "Set"):
        return tree.items(body.get("params" if kind == "Call" else "items"))
    if kind == "Object":
        return [part for pair in tree.pairs(body) for part in pair]
    if kind in ("BinExpr", "ArithExpr", "BoolExpr"):
        return [body.get("lhs"), body.get("rhs")]
    return [body.get("expr")] if kind == "UnaryExpr" else None


def _first(parts: list[object], inference: Inference, scope: Scope) -> object | None:
    return next((unsure for part in parts if (unsure := unsure_part(part, inference, scope)) is not None), None)


def _is_defined_name(name: str, inference: Inference, scope: Scope) -> bool:
    """Tell whether a name has a value wherever the body holds: a local does, a rule only where nothing can fail."""
    if name in scope or name in ("input", "data"):
        return True
    if name in inference.imports:
        return True
    if name not in inference.rules:
        return True
    return all(_always_holds(rule) for rule in inference.rules[name])


def _always_holds(rule: tree.Node) -> bool:
    kind, body = tree.head(rule)
    if kind == "Set":
        return tree.name_of(body.get("refr")) is not None
    if kind == "Default":
        return True
    assign = body.get("assign")
    value = tree.opened(assign.get("value"))[0] if isinstance(assign, dict) else ""
    return not tree.bodies(rule) and value in ("String", "Number", "Bool", "ArrayCompr", "SetCompr", "ObjectCompr")


def _is_defined_reference(node: object, inference: Inference, scope: Scope) -> bool:
    kind, body = tree.opened(node)
    path = tree.path_of(node)
    if path is not None and path[0] == "data":
        # Data is there before the policy is; rules of other packages may have no value.
        return path[1:2] != ("secgate",) and inference.shape(node, scope).kind != "any"
    above = inference.shape(body.get("refr"), scope)
    key = tree.field_of(body)[1] if kind == "RefDot" else inference.constant(body.get("index"), scope)
    is_field = above.kind == "object" and not above.is_open and key in above.fields
    return is_field and unsure_part(body.get("refr"), inference, scope) is None
