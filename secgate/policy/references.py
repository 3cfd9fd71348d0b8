"""Every reference of a policy is to something that exists, or the policy is refused.

Rego answers a misspelt field with "undefined", which reads as "no deny". So each name that is used as a key is looked
up before anything is judged: where the value's shape is known (it comes from `input`, from data or from another
module), among the fields of that shape; elsewhere in the vocabulary as a whole, beside the names that the module itself
defines. A string that is compared with a field of closed choices must be one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from msgspec import Struct

from secgate.errors import PolicyError
from secgate.policy import tree
from secgate.policy.shapes import ANY, SCALAR, Shape, Vocabulary
from secgate.policy.tree import Module, Node

FORBIDDEN = frozenset(
    {
        "http.send",
        "io.jwt.decode_verify",
        "net.lookup_ip_addr",
        "opa.runtime",
        "print",
        "rand.intn",
        "time.now_ns",
        "trace",
        "uuid.rfc4122",
    }
)
"""Functions whose answer does not follow from the input, or that speak past the decision."""

_MAX_CHAIN = 16
_MAX_NESTED = 3
"""How far a shape is followed through rules and comprehensions; past it the vocabulary as a whole serves."""

_KEYED = frozenset({"object.filter", "object.remove", "object.subset", "json.filter", "json.remove", "json.patch"})

Scope = dict[str, Shape | str]
"""Names in reach: a shape, or the text of a string constant."""


class Fault(Struct, frozen=True, order=True):
    """One thing wrong with a module."""

    place: str
    what: str
    remedy: str = ""


class Surroundings(Struct, frozen=True, kw_only=True):
    """What the modules of one engine can reach: vocabulary, data, and every module's rules by package."""

    vocabulary: Vocabulary
    data: Shape
    packages: Mapping[str, frozenset[str]]


def check_references(module: Module, surroundings: Surroundings) -> list[Fault]:
    """Give the faults of one module, sorted; [] for none."""
    return sorted(set(_Walk(module, surroundings).faults()))


class _Walk:
    """One module's walk: binds names first, since Rego's order is free, then looks at every node."""

    def __init__(self, module: Module, surroundings: Surroundings) -> None:
        self._module = module
        self._vocabulary = surroundings.vocabulary
        self._data = _data_shape(surroundings)
        self._found: list[Fault] = []
        self._in_work: set[str] = set()
        self._nested = 0
        self._known: dict[str, Shape] = {}
        self._rules: dict[str, list[Node]] = {}
        for rule in module.rules:
            self._rules.setdefault(tree.rule_name(rule), []).append(rule)
        self._own_words = set(self._rules) | set(_literal_keys(list(module.rules)))
        self._imports: Scope = {}

    def faults(self) -> list[Fault]:
        for item in self._module.imports:
            self._import(item)
        for rule in self._module.rules:
            self._check_rule(rule)
        return self._found

    def _fault(self, span: object, what: str, remedy: str = "") -> None:
        self._found.append(Fault(self._module.place(span), what, remedy))

    # ---------------------------------------------------------------------------------------------- names and shapes

    def _import(self, item: Node) -> None:
        parts = tree.path_of(item.get("refr")) or ()
        if parts[:1] in (("rego",), ("future",)):
            return
        self._check(item.get("refr"), {})
        alias = self._module.word_at(item["as"]) if isinstance(item.get("as"), dict) else ""
        self._imports[alias or (parts[-1] if parts else "")] = self._shape(item.get("refr"), {})

    def _name(self, name: str, scope: Scope) -> Shape | str:
        if name in scope:
            return scope[name]
        if name == "input":
            return self._vocabulary.document
        if name == "data":
            return self._data
        if name in self._imports:
            return self._imports[name]
        return self._rule_shape(name) if name in self._rules else ANY

    def _rule_shape(self, name: str) -> Shape:
        if name in self._known or name in self._in_work or len(self._in_work) >= _MAX_CHAIN:
            return self._known.get(name, ANY)
        self._in_work.add(name)
        shapes = [self._one_rule(rule) for rule in self._rules[name]]
        self._known[name] = shapes[0] if all(shape == shapes[0] for shape in shapes) else ANY
        self._in_work.discard(name)
        return self._known[name]

    def _one_rule(self, rule: Node) -> Shape:
        kind, body = tree.head(rule)
        if tree.name_of(body.get("refr")) is None or len(tree.bodies(rule)) > 1:
            return ANY
        scope = self._rule_scope(rule)
        if kind == "Set":
            return Shape(kind="array", items=self._shape(body.get("key"), scope))
        assign = body.get("assign")
        return self._shape(assign.get("value"), scope) if kind == "Compr" and isinstance(assign, dict) else ANY

    def _rule_scope(self, rule: Node) -> Scope:
        scope: Scope = {}
        for argument in _list(tree.head(rule)[1].get("args")):
            scope.update(dict.fromkeys(tree.variables(argument), Shape(kind="parameter")))
        for body in tree.bodies(rule):
            self._bind(body.get("query"), scope)
        return scope

    def _bind(self, query: object, scope: Scope) -> None:
        """Add the names that a query binds. A second round serves names used above the place that binds them."""
        for _ in range(2):
            for statement in tree.statements(query):
                kind, body = tree.opened(statement.get("literal"))
                if kind == "SomeIn":
                    self._bind_items(body, scope)
                elif kind == "Expr":
                    self._bind_assignment(body.get("expr"), scope)

    def _bind_items(self, body: Node, scope: Scope) -> None:
        collection = self._shape(body.get("collection"), scope)
        if (name := tree.name_of(body.get("key"))) is not None:
            scope[name] = SCALAR if collection.kind in ("array", "object") else ANY
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
            elif (shape := self._shape(body.get(right), scope)).kind != "any" or name not in scope:
                scope[name] = shape

    def _shape(self, node: object, scope: Scope) -> Shape:
        """Give what is known of an expression's value."""
        if (name := tree.name_of(node)) is not None:
            known = self._name(name, scope)
            return SCALAR if isinstance(known, str) else known
        kind, body = tree.opened(node)
        if kind in ("ArrayCompr", "SetCompr"):
            return self._comprehension_shape(body, scope)
        if kind not in ("RefDot", "RefBrack"):
            return SCALAR if kind in ("String", "RawString", "Number", "Bool") else ANY
        above = self._shape(body.get("refr"), scope)
        key = tree.field_of(body)[1] if kind == "RefDot" else self._constant(body.get("index"), scope)
        return above.at(key)

    def _comprehension_shape(self, body: Node, scope: Scope) -> Shape:
        if self._nested >= _MAX_NESTED:
            return ANY
        self._nested += 1
        inner = dict(scope)
        self._bind(body.get("query"), inner)
        items = self._shape(body.get("term"), inner)
        self._nested -= 1
        return Shape(kind="array", items=items)

    def _constant(self, node: object, scope: Scope) -> str | None:
        if (name := tree.name_of(node)) is not None:
            known = self._name(name, scope)
            return known if isinstance(known, str) else None
        return tree.text_of(node)

    # --------------------------------------------------------------------------------------------------- the checks

    def _check_rule(self, rule: Node) -> None:
        scope = self._rule_scope(rule)
        kind, body = tree.head(rule)
        for argument in _list(body.get("args")):
            self._check_pattern(argument, ANY)
        name = tree.rule_name(rule)
        if name in ("input", "data") or name in self._imports:
            self._fault(body.get("span"), f"the rule `{name}` hides what it is named after", "rename it")
        if kind != "Default":
            self._check_index(body.get("refr"), scope)
        self._check(body.get("key"), scope)
        for holder in (body, *tree.bodies(rule)):
            assign = holder.get("assign")
            self._check(assign.get("value") if isinstance(assign, dict) else holder.get("value"), scope)
        for part in tree.bodies(rule):
            self._check_query(part.get("query"), scope)

    def _check_index(self, reference: object, scope: Scope) -> None:
        """Look at the computed parts of a head, `r[input.run.scope] contains x`."""
        kind, body = tree.opened(reference)
        if kind in ("RefDot", "RefBrack"):
            self._check(body.get("index"), scope)
            self._check_index(body.get("refr"), scope)

    def _check_query(self, query: object, scope: Scope) -> None:
        for statement in tree.statements(query):
            kind, body = tree.opened(statement.get("literal"))
            if kind == "SomeIn":
                self._check_pattern(body.get("value"), self._shape(body.get("collection"), scope).items or ANY)
                self._check(body.get("collection"), scope)
            elif kind == "Every":
                inner = dict(scope)
                inner[self._module.word_at(body.get("value"))] = self._shape(body.get("domain"), scope).items or ANY
                if isinstance(body.get("key"), dict):
                    inner[self._module.word_at(body["key"])] = SCALAR
                self._check(body.get("domain"), scope)
                self._bind(body.get("query"), inner)
                self._check_query(body.get("query"), inner)
            elif kind in ("Expr", "NotExpr"):
                self._check(body.get("expr"), scope)
            for part in tree.nodes(statement.get("with_mods")):
                self._check(part.get("refr"), scope)
                self._check(part.get("as"), scope)

    def _check(self, node: object, scope: Scope) -> None:
        """Look at an expression and all below it."""
        kind, body = tree.opened(node)
        if kind in ("RefDot", "RefBrack"):
            self._check_reference(node, kind, body, scope)
        elif kind == "Call":
            self._check_call(body, scope)
        elif kind in ("ArrayCompr", "SetCompr", "ObjectCompr"):
            inner = dict(scope)
            self._bind(body.get("query"), inner)
            self._check_query(body.get("query"), inner)
            for part in ("term", "key", "value"):
                self._check(body.get(part), inner)
        elif kind == "Object":
            for key, value in _pairs(body):
                self._check(key, scope)
                self._check(value, scope)
        elif kind in ("Array", "Set"):
            for item in _list(body.get("items")):
                self._check(item, scope)
        elif kind:
            self._check_operation(kind, body, scope)

    def _check_operation(self, kind: str, body: Node, scope: Scope) -> None:
        left, right = body.get("lhs"), body.get("rhs")
        if kind == "AssignExpr":
            self._check_pattern(left, self._shape(right, scope))
            if body.get("op") == "Eq":
                self._check_pattern(right, self._shape(left, scope))
        if kind == "AssignExpr" or (kind == "BoolExpr" and body.get("op") in ("Eq", "Ne")):
            self._check_choice(left, self._shape(right, scope))
            self._check_choice(right, self._shape(left, scope))
        if kind == "Membership":
            wanted = self._shape(body.get("value"), scope)
            for item in _list(tree.opened(body.get("collection"))[1].get("items")):
                self._check_choice(item, wanted)
            self._check_choice(body.get("value"), self._shape(body.get("collection"), scope).items or ANY)
            self._check_pattern(body.get("value"), self._shape(body.get("collection"), scope).items or ANY)
        for part in ("lhs", "rhs", "expr", "key", "value", "collection"):
            self._check(body.get(part), scope)

    def _check_reference(self, node: object, kind: str, body: Node, scope: Scope) -> None:
        path = tree.path_of(node)
        if path is not None and ".".join(path) in FORBIDDEN:
            self._forbidden(body.get("span"), ".".join(path))
        above = self._shape(body.get("refr"), scope)
        if kind == "RefDot":
            self._look_up(above, field := tree.field_of(body)[1], tree.field_of(body)[0] if field else None)
        else:
            key = self._constant(body.get("index"), scope)
            if key is not None:
                self._look_up(above, key, tree.span_of(body.get("index")))
            elif _is_computed(body.get("index")):
                self._refuse_computed(above, tree.span_of(body.get("index")))
            self._check(body.get("index"), scope)
        self._check(body.get("refr"), scope)

    def _check_call(self, body: Node, scope: Scope) -> None:
        path = tree.path_of(body.get("fcn")) or ()
        name = ".".join(path)
        parameters = _list(body.get("params"))
        if name in FORBIDDEN:
            self._forbidden(body.get("span"), name)
        elif name == "object.get" and len(parameters) == 3:
            self._check_get(parameters[0], parameters[1], scope)
        elif name in _KEYED:
            for text, span in _texts(parameters[1:]):
                for word in filter(None, text.split("/")):
                    self._look_up(ANY, word, span)
        if len(path) > 1 and (path[0] == "data" or path[0] in self._imports):
            self._check(body.get("fcn"), scope)
        for parameter in parameters:
            self._check(parameter, scope)

    def _check_get(self, subject: object, wanted: object, scope: Scope) -> None:
        kind, body = tree.opened(wanted)
        shape = self._shape(subject, scope)
        for part in _list(body.get("items")) if kind == "Array" else [wanted]:
            key = self._constant(part, scope)
            if key is not None:
                self._look_up(shape, key, tree.span_of(part))
            elif _is_computed(part):
                self._refuse_computed(shape, tree.span_of(part))
            shape = shape.at(key)

    def _check_pattern(self, node: object, shape: Shape) -> None:
        """Look at the keys of an object that is matched against a value."""
        kind, body = tree.opened(node)
        if kind == "Object" and (shape.kind in ("object", "array", "scalar") or tree.variables(node)):
            for key, value in _pairs(body):
                if (text := tree.text_of(key)) is not None:
                    self._look_up(shape, text, tree.span_of(key))
                    self._check_choice(value, shape.fields.get(text, ANY))
                    self._check_pattern(value, shape.fields.get(text, ANY))
        elif kind == "Array":
            for item in _list(body.get("items")):
                self._check_pattern(item, shape.items or ANY)

    def _check_choice(self, node: object, shape: Shape) -> None:
        text = tree.text_of(node)
        if text is not None and shape.choices and text not in shape.choices:
            near = get_close_matches(text, sorted(shape.choices), n=1)
            self._fault(
                tree.span_of(node),
                f'"{text}" is not one of {", ".join(sorted(shape.choices))}: this comparison can never hold',
                f'did you mean "{near[0]}"?' if near else "",
            )

    def _look_up(self, shape: Shape, key: str, span: object) -> None:
        known: frozenset[str] = frozenset()
        if shape.kind == "object":
            known, whose = frozenset(shape.fields), "here"
        elif shape.kind == "scalar":
            whose = "of a plain value"
        elif shape.kind == "array":
            whose = "of a list; take its items first"
        else:
            known, whose = self._vocabulary.words | self._own_words, "in the vocabulary of the input"
        if key not in known:
            near = get_close_matches(key, sorted(known), n=1)
            self._fault(span, f"there is no field `{key}` {whose}", f"did you mean `{near[0]}`?" if near else "")

    def _refuse_computed(self, shape: Shape, span: object) -> None:
        if (shape.kind == "object" and not shape.is_open) or shape.kind == "parameter":
            self._fault(span, "the name of this field is computed: nobody can check it", "write the field's name out")

    def _forbidden(self, span: object, name: str) -> None:
        self._fault(
            span,
            f"`{name}` is not allowed: a decision is a function of its input",
            "use input.evaluated_at_epoch_s for the time" if name.startswith("time.") else "take the fact from input",
        )


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


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _pairs(body: Node) -> Iterator[tuple[object, object]]:
    for field in _list(body.get("fields")):
        if isinstance(field, list) and len(field) == 3:
            yield field[1], field[2]


def _texts(values: Sequence[object]) -> list[tuple[str, object]]:
    found = ((tree.text_of(node), node) for node in tree.everything(list(values)))
    return [(text, tree.span_of(node)) for text, node in found if text is not None]


def _literal_keys(value: object) -> Iterator[str]:
    """Give the keys of every object written in the module: what it builds it may read."""
    for node in tree.everything(value):
        kind, body = tree.opened(node)
        if kind == "Object":
            yield from (text for key, _ in _pairs(body) if (text := tree.text_of(key)) is not None)


def _is_computed(index: object) -> bool:
    """Tell whether an index is neither a number nor the wildcard."""
    return tree.opened(index)[0] != "Number" and tree.name_of(index) != "_"


def raise_faults(faults: Sequence[Fault], *, layer: str) -> None:
    """Raise one PolicyError that shows the first fault and counts the rest; nothing for no fault."""
    if faults:
        first, more = faults[0], len(faults) - 1
        lines = "".join(f"; {fault.place}: {fault.what}" for fault in faults[1:5])
        raise PolicyError(
            f"{first.what} ({layer} layer{f', and {more} more' if more else ''}{lines})",
            remedy=first.remedy or "correct the policy; `policies/schema/input.json` lists what there is",
            place=first.place,
        )
