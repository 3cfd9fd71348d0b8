"""Every reference of a policy is to something that exists, or the policy is refused.

Rego answers a misspelt field with "undefined", which reads as "no deny". So each name that is used as a key is looked
up before anything is judged: where the value's shape is known (it comes from `input`, from data or from another
module), among the fields of that shape; elsewhere in the vocabulary as a whole, beside the names that the module itself
defines. A string that is compared with a field of closed choices must be one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from secgate.policy import tree
from secgate.policy.faults import Fault
from secgate.policy.functions import wrong_call
from secgate.policy.heads import unsure_part
from secgate.policy.imports import misnamed, read_in_functions
from secgate.policy.inference import Inference, Scope, Surroundings, key_shape
from secgate.policy.shapes import ANY, Shape
from secgate.policy.tree import Module, Node
from secgate.policy.unequal import unequal_call

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

_DEEP_WORDS = "a set below a computed name: engines answer it differently"
_DEEP_REMEDY = "let the computed part be the last, `r[x] contains y`"

_KEYED = frozenset({"object.filter", "object.remove", "json.filter", "json.remove", "json.patch"})


_LITERALS = {
    "String": "string",
    "RawString": "string",
    "Number": "integer",
    "Bool": "boolean",
    "Null": "null",
    "Object": "object",
    "Array": "array",
    "Set": "array",
}
_ORDERS = frozenset({"Lt", "Le", "Gt", "Ge"})


def check_references(module: Module, surroundings: Surroundings) -> list[Fault]:
    """Give the faults of one module; [] for none."""
    return _Walk(module, surroundings).faults()


def answers_alike(module: Module, beside: frozenset[str]) -> list[Fault]:
    """Give the faults of a module that is not about findings: what is not allowed, what engines answer unequally.

    `beside` are the names of the rules of its package, in other modules too.
    """
    faults = []
    called: set[int] = set()
    own = beside | {"data"} | {name for item in module.imports if (name := tree.imported_as(item, module))}
    for node in tree.everything(list(module.rules)):
        kind, body = tree.opened(node)
        name = ".".join(tree.path_of(body.get("fcn")) or ()) if kind == "Call" else ""
        if kind == "Call":
            # What is called comes by again, as a reference below the call.
            called.add(id(body.get("fcn")))
        elif kind in ("RefDot", "RefBrack") and id(node) not in called:
            name = ".".join(tree.path_of(node) or ())
        if name in FORBIDDEN:
            faults.append(_not_allowed(module.place(body.get("span")), name))
        elif kind == "Call" and (unequal := unequal_call(name, tree.items(body.get("params")), tree.text_of)):
            faults.append(Fault(module.place(body.get("span")), *unequal))
        elif kind == "Call" and name and name.partition(".")[0] not in own:
            what, remedy = wrong_call(name, len(tree.items(body.get("params"))))
            faults += [Fault(module.place(body.get("span")), what, remedy)] if what else []
    for rule in module.rules:
        kind, body = tree.head(rule)
        if kind == "Set" and _is_deep(body.get("refr")):
            faults.append(Fault(module.place(body.get("span")), _DEEP_WORDS, _DEEP_REMEDY))
    return [*faults, *_import_faults(module)]


def _import_faults(module: Module) -> list[Fault]:
    named = [
        Fault(module.place(span), f"an import may not be called `{name}`", "give it another name, `as NAME`")
        for span, name in misnamed(module)
    ]
    return named + [
        Fault(
            module.place(span),
            f"the import `{name}` is read in a function, where some engines find nothing",
            f"write it out: `{whole}`",
        )
        for span, name, whole in read_in_functions(module)
    ]


def _not_allowed(place: str, name: str) -> Fault:
    return Fault(
        place,
        f"`{name}` is not allowed: a decision is a function of its input",
        "use input.evaluated_at_epoch_s for the time" if name.startswith("time.") else "take the fact from input",
        binds_replay=True,
    )


class _Walk:
    """One module's walk: binds names first, since Rego's order is free, then looks at every node."""

    def __init__(self, module: Module, surroundings: Surroundings) -> None:
        self._module = module
        self._words = surroundings.vocabulary.words
        self._found: list[Fault] = []
        self._infer = Inference(module, surroundings)
        self._own = {*surroundings.packages.get(module.package, ()), *self._infer.rules, *self._infer.imports, "data"}
        self._words |= {tree.rule_name(rule) for rule in module.rules} | set(_literal_keys(list(module.rules)))

    def faults(self) -> list[Fault]:
        for item in self._module.imports:
            if (tree.path_of(item.get("refr")) or ("",))[0] not in ("rego", "future"):
                self._check(item.get("refr"), {})
        for rule in self._module.rules:
            self._check_rule(rule)
        return [*self._found, *_import_faults(self._module)]

    def _fault(self, span: object, what: str, remedy: str = "") -> None:
        self._found.append(Fault(self._module.place(span), what, remedy))

    def _check_rule(self, rule: Node) -> None:
        scope = self._infer.rule_scope(rule)
        kind, body = tree.head(rule)
        for argument in tree.items(body.get("args")):
            self._check_pattern(argument, ANY)
        name = tree.rule_name(rule)
        if name in ("input", "data") or name in self._infer.imports:
            self._fault(body.get("span"), f"the rule `{name}` hides what it is named after", "rename it")
        if kind != "Default":
            self._check_index(body.get("refr"), scope)
        if kind == "Set" and _is_deep(body.get("refr")):
            self._fault(
                body.get("span"),
                _DEEP_WORDS,
                _DEEP_REMEDY,
            )
        self._check(body.get("key"), scope)
        for holder in (body, *tree.bodies(rule)):
            assign = holder.get("assign")
            self._check(assign.get("value") if isinstance(assign, dict) else holder.get("value"), scope)
        for part in tree.bodies(rule):
            self._check_query(part.get("query"), scope)
        self._check_defined(rule, scope)

    def _check_defined(self, rule: Node, scope: Scope) -> None:
        kind, body = tree.head(rule)
        if kind not in ("Set", "Compr") or not any(tree.statements(part.get("query")) for part in tree.bodies(rule)):
            return
        assigned = [holder.get("assign") for holder in (body, *tree.bodies(rule))]
        values = [one.get("value") for one in assigned if isinstance(one, dict)]
        for part in (*_head_indexes(body.get("refr")), body.get("key"), *values):
            unsure = unsure_part(part, self._infer, scope) if part is not None else None
            if unsure is not None:
                self._fault(
                    tree.span_of(unsure),
                    "this may be undefined in the rule's head, and would take the whole rule with it in some engines",
                    "bind it in the body, `x := ...`, and use `x` in the head",
                )

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
                self._check_pattern(body.get("value"), self._infer.shape(body.get("collection"), scope).items or ANY)
                self._check(body.get("collection"), scope)
            elif kind == "Every":
                inner = dict(scope)
                inner[self._module.word_at(body.get("value"))] = (
                    self._infer.shape(body.get("domain"), scope).items or ANY
                )
                if isinstance(body.get("key"), dict):
                    inner[self._module.word_at(body["key"])] = key_shape(self._infer.shape(body.get("domain"), scope))
                self._check(body.get("domain"), scope)
                self._infer.bind(body.get("query"), inner)
                self._check_query(body.get("query"), inner)
            elif kind in ("Expr", "NotExpr"):
                self._check(body.get("expr"), scope)
            for part in tree.nodes(statement.get("with_mods")):
                self._check(part.get("refr"), scope)
                replaced = self._infer.shape(part.get("refr"), scope)
                self._check_pattern(part.get("as"), replaced if not replaced.is_open else ANY)
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
            self._infer.bind(body.get("query"), inner)
            self._check_query(body.get("query"), inner)
            for part in ("term", "key", "value"):
                self._check(body.get(part), inner)
        elif kind == "Object":
            for key, value in tree.pairs(body):
                self._check(key, scope)
                self._check(value, scope)
        elif kind in ("Array", "Set"):
            for item in tree.items(body.get("items")):
                self._check(item, scope)
        elif kind:
            self._check_operation(kind, body, scope)

    def _check_operation(self, kind: str, body: Node, scope: Scope) -> None:
        left, right = body.get("lhs"), body.get("rhs")
        if kind == "AssignExpr":
            self._check_pattern(left, self._infer.shape(right, scope))
            if body.get("op") == "Eq":
                self._check_pattern(right, self._infer.shape(left, scope))
        if kind in ("AssignExpr", "BoolExpr"):
            self._check_both(self._infer.shape(left, scope), self._infer.shape(right, scope), body.get("span"))
            for one, other in ((left, right), (right, left)):
                shape = self._infer.shape(other, scope)
                if body.get("op") in _ORDERS and shape.choices:
                    self._no_order(other)
                else:
                    self._check_choice(one, shape)
        if kind == "Membership":
            wanted = self._infer.shape(body.get("value"), scope)
            for item in tree.items(tree.opened(body.get("collection"))[1].get("items")):
                self._check_choice(item, wanted)
            self._check_choice(body.get("value"), self._infer.shape(body.get("collection"), scope).items or ANY)
            self._check_pattern(body.get("value"), self._infer.shape(body.get("collection"), scope).items or ANY)
        for part in ("lhs", "rhs", "expr", "key", "value", "collection"):
            self._check(body.get(part), scope)

    def _check_reference(self, node: object, kind: str, body: Node, scope: Scope) -> None:
        path = tree.path_of(node)
        if path is not None and ".".join(path) in FORBIDDEN:
            self._forbidden(body.get("span"), ".".join(path))
        above = self._infer.shape(body.get("refr"), scope)
        if kind == "RefDot":
            self._look_up(above, field := tree.field_of(body)[1], tree.field_of(body)[0] if field else None)
        else:
            key = self._infer.constant(body.get("index"), scope)
            if key is not None:
                self._look_up(above, key, tree.span_of(body.get("index")))
            elif _is_computed(body.get("index")):
                self._refuse_computed(above, tree.span_of(body.get("index")))
            self._check(body.get("index"), scope)
            for item in _table_keys(body.get("refr")):
                self._check_choice(item, self._infer.shape(body.get("index"), scope))
        self._check(body.get("refr"), scope)

    def _check_call(self, body: Node, scope: Scope) -> None:
        path = tree.path_of(body.get("fcn")) or ()
        name = ".".join(path)
        parameters = tree.items(body.get("params"))
        if name == "object.get" and len(parameters) == 3:
            self._check_get(parameters[0], parameters[1], scope)
        elif name == "object.subset" and len(parameters) == 2:
            self._check_pattern(parameters[1], self._infer.shape(parameters[0], scope))
        elif name in _KEYED:
            for text, span in _texts(parameters[1:]):
                for word in filter(None, text.split("/")):
                    self._look_up(ANY, word, span)
        if name in FORBIDDEN:
            self._forbidden(body.get("span"), name)
        elif unequal := unequal_call(name, parameters, lambda node: self._infer.constant(node, scope)):
            self._fault(body.get("span"), *unequal)
        elif path and path[0] not in self._own:
            what, remedy = wrong_call(name, len(parameters))
            if what:
                self._fault(body.get("span"), what, remedy)
        if len(path) > 1 and (path[0] == "data" or path[0] in self._infer.imports):
            self._check(body.get("fcn"), scope)
        for parameter in parameters:
            self._check(parameter, scope)

    def _check_get(self, subject: object, wanted: object, scope: Scope) -> None:
        kind, body = tree.opened(wanted)
        shape = self._infer.shape(subject, scope)
        for part in tree.items(body.get("items")) if kind == "Array" else [wanted]:
            key = self._infer.constant(part, scope)
            if key is not None:
                self._look_up(shape, key, tree.span_of(part))
            elif _is_computed(part):
                self._refuse_computed(shape, tree.span_of(part))
            shape = shape.at(key)

    def _check_pattern(self, node: object, shape: Shape) -> None:
        """Look at the keys of an object that is matched against a value."""
        kind, body = tree.opened(node)
        if kind == "Object" and (shape.kind in ("object", "array", "scalar") or tree.variables(node)):
            for key, value in tree.pairs(body):
                if (text := tree.text_of(key)) is not None:
                    self._look_up(shape, text, tree.span_of(key))
                    self._check_choice(value, shape.fields.get(text, ANY))
                    self._check_pattern(value, shape.fields.get(text, ANY))
        elif kind == "Array":
            for item in tree.items(body.get("items")):
                self._check_pattern(item, shape.items or ANY)

    def _no_order(self, node: object) -> None:
        self._fault(
            tree.span_of(node),
            "these words are compared by their letters, which puts critical below high",
            'name them: `x in {"critical", "high"}`',
        )

    def _check_both(self, left: Shape, right: Shape, span: object) -> None:
        """Look at two fields of closed choices that are compared with each other."""
        if left.choices and right.choices and not left.choices & right.choices:
            self._fault(
                span,
                f"one of {', '.join(sorted(left.choices))} is compared with one of {', '.join(sorted(right.choices))}: "
                "this comparison can never hold",
            )

    def _check_choice(self, node: object, shape: Shape) -> None:
        """Look at a value written out that is compared with what has `shape`."""
        kind = tree.opened(node)[0]
        own, other = _LITERALS.get(kind, ""), shape.type
        if shape.kind in ("object", "array"):
            other = shape.kind
        if own and other and own != other:
            mine = _named("set" if kind == "Set" else own)
            self._fault(
                tree.span_of(node),
                f"{_named(other)} is compared with {mine}: the answer is always the same",
                "nothing in the input is null or changes its type; compare it with a value of its own type",
            )
            return
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
            known, whose = self._words.union(shape.fields), "in the vocabulary of the input"
        if key not in known:
            near = get_close_matches(key, sorted(known), n=1)
            self._fault(span, f"there is no field `{key}` {whose}", f"did you mean `{near[0]}`?" if near else "")

    def _refuse_computed(self, shape: Shape, span: object) -> None:
        if (shape.kind == "object" and not shape.is_open) or shape.kind == "parameter":
            self._fault(span, "the name of this field is computed: nobody can check it", "write the field's name out")

    def _forbidden(self, span: object, name: str) -> None:
        self._found.append(_not_allowed(self._module.place(span), name))


def _named(kind: str) -> str:
    return "null" if kind == "null" else f"an {kind}" if kind[0] in "aio" else f"a {kind}"


def _texts(values: Sequence[object]) -> list[tuple[str, object]]:
    found = ((tree.text_of(node), node) for node in tree.everything(list(values)))
    return [(text, tree.span_of(node)) for text, node in found if text is not None]


def _literal_keys(value: object) -> Iterator[str]:
    """Give the keys of every object written in the module: what it builds it may read."""
    for node in tree.everything(value):
        kind, body = tree.opened(node)
        if kind == "Object":
            yield from (text for key, _ in tree.pairs(body) if (text := tree.text_of(key)) is not None)


def _table_keys(node: object) -> list[object]:
    """Give what a set or an object that is written out can be asked for: `{"high", "critical"}[f.severity]`."""
    kind, body = tree.opened(node)
    if kind == "Object":
        return [key for key, _ in tree.pairs(body)]
    return tree.items(body.get("items")) if kind == "Set" else []


def _head_indexes(reference: object) -> Iterator[object]:
    """Give the computed parts of a head: `x` of `r[x].y contains z`."""
    kind, body = tree.opened(reference)
    if kind in ("RefDot", "RefBrack"):
        yield from _head_indexes(body.get("refr"))
        if kind == "RefBrack":
            yield body.get("index")


def _is_deep(reference: object) -> bool:
    """Tell whether a part that is computed stands before the last one: `p[q].r contains s`."""
    _, body = tree.opened(reference)
    above = body.get("refr")
    return any(_is_computed(index) and tree.text_of(index) is None for index in _head_indexes(above))


def _is_computed(index: object) -> bool:
    """Tell whether an index is neither a number nor the wildcard."""
    return tree.opened(index)[0] != "Number" and tree.name_of(index) != "_"
