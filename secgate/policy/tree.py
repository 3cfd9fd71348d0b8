"""Reading a Rego syntax tree: nodes are one-key objects (`{"RefDot": {...}}`), names are spans of the module's text."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from secgate.errors import PolicyError

Node = dict[str, object]

MAX_DEPTH = 240
"""Nested levels of a syntax tree; deeper text is made to exhaust whoever walks it."""


class Module(Struct, frozen=True, kw_only=True):
    """One parsed file. `package` is its dotted name without `data`."""

    path: str
    package: str
    text: bytes
    imports: tuple[Node, ...]
    rules: tuple[Node, ...]

    def word_at(self, span: object) -> str:
        """Give the text of a span; offsets count bytes of UTF-8."""
        start, end = number(span, "start"), number(span, "end")
        return self.text[start:end].decode("utf-8", "replace")

    def place(self, span: object) -> str:
        """Give `file:line:column` of a span. Columns count characters from 1, and a tab is one, as in editors."""
        # The parser's own columns count bytes, and four for a tab; its offsets are exact.
        start = number(span, "start")
        before = self.text[self.text.rfind(b"\n", 0, start) + 1 : start]
        return f"{self.path}:{number(span, 'line')}:{len(before.decode('utf-8', 'replace')) + 1}"


def read_module(tree: Node, *, path: str, text: str) -> Module:
    """Take a parser's tree apart. Raises PolicyError for a tree that is too deep or not of the known form."""
    if _is_deep(tree):
        raise PolicyError("the module is nested too deep to be read", remedy="write it flatter", place=path)
    ast = tree.get("ast")
    if not isinstance(ast, dict) or not isinstance(ast.get("package"), dict):
        raise _unknown_form(path)
    return Module(
        path=path,
        package=".".join(path_of(ast["package"].get("refr")) or ()),
        text=text.encode(),
        imports=tuple(nodes(ast.get("imports"))),
        rules=tuple(nodes(ast.get("rules"))),
    )


def _unknown_form(path: str) -> PolicyError:
    return PolicyError(
        "the engine's syntax tree has a form that is not known", remedy="install a tested regorus", place=path
    )


def _is_deep(tree: object) -> bool:
    level: list[object] = [tree]
    for _ in range(MAX_DEPTH):
        below: list[object] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
        if not below:
            return False
        level = below
    return True


def nodes(value: object) -> Iterator[Node]:
    """Give the objects of a list, and nothing for anything else."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def number(span: object, key: str) -> int:
    """Give an integer of a span, 0 where it has none."""
    value = span.get(key) if isinstance(span, dict) else None
    return value if isinstance(value, int) else 0


def opened(node: object) -> tuple[str, Node]:
    """Give (kind, body) of a one-key node; ("", {}) for anything else."""
    if isinstance(node, dict) and len(node) == 1:
        ((kind, body),) = node.items()
        if isinstance(kind, str) and kind[:1].isupper() and isinstance(body, dict):
            return kind, body
    return "", {}


def text_of(node: object) -> str | None:
    """Give the text of a string literal; None for anything else."""
    kind, body = opened(node)
    value = body.get("value")
    return value if kind in ("String", "RawString") and isinstance(value, str) else None


def name_of(node: object) -> str | None:
    """Give the name of a variable; None for anything else."""
    kind, body = opened(node)
    value = body.get("value")
    return value if kind == "Var" and isinstance(value, str) else None


def field_of(body: Node) -> tuple[object, str]:
    """Give (span, name) of a dotted reference's last part."""
    field = body.get("field")
    if isinstance(field, list) and len(field) == 2 and isinstance(field[1], str):
        return field[0], field[1]
    return None, ""


def path_of(node: object) -> tuple[str, ...] | None:
    """Give the parts of a reference whose every part is written out: `a.b["c"]`; None for any other."""
    if (name := name_of(node)) is not None:
        return (name,)
    kind, body = opened(node)
    if kind not in ("RefDot", "RefBrack"):
        return None
    above = path_of(body.get("refr"))
    last = field_of(body)[1] if kind == "RefDot" else text_of(body.get("index"))
    return None if above is None or not last else (*above, last)


def imported_as(item: Node, module: Module) -> str:
    """Give the name by which an import is known in its module."""
    alias = module.word_at(item["as"]) if isinstance(item.get("as"), dict) else ""
    return alias or (path_of(item.get("refr")) or ("",))[-1]


def span_of(node: object) -> object:
    """Give the span of a node, None where it has none."""
    return opened(node)[1].get("span")


def statements(query: object) -> list[Node]:
    """Give the literals of a query, in order, with the `with` parts beside them under `with_mods`."""
    return list(nodes(query.get("stmts"))) if isinstance(query, dict) else []


def bodies(rule: Node) -> list[Node]:
    """Give the bodies of a rule, `else` branches included."""
    return list(nodes(opened(rule)[1].get("bodies")))


def head(rule: Node) -> tuple[str, Node]:
    """Give (kind, body) of a rule's head: `Compr`, `Set`, `Func`, or `Default` for a default."""
    kind, body = opened(rule)
    return (kind, body) if kind == "Default" else opened(body.get("head"))


def rule_name(rule: Node) -> str:
    """Give the first part of what a rule defines: `r` for `r[x].b contains y`."""
    node: object = head(rule)[1].get("refr")
    while name_of(node) is None:
        kind, body = opened(node)
        if kind not in ("RefDot", "RefBrack"):
            return ""
        node = body.get("refr")
    return name_of(node) or ""


def everything(value: object) -> Iterator[object]:
    """Give every node below `value`."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting.extend(reversed(one.values()))
        elif isinstance(one, list):
            waiting.extend(reversed(one))


def variables(node: object) -> list[str]:
    """Give the names of every variable in `node`."""
    return [name for below in everything(node) if (name := name_of(below)) is not None]


def items(value: object) -> list[object]:
    """Give a list as it is, and an empty one for anything else."""
    return value if isinstance(value, list) else []


def pairs(body: Node) -> Iterator[tuple[object, object]]:
    """Give the keys and values of an object that is written out."""
    for field in items(body.get("fields")):
        if isinstance(field, list) and len(field) == 3:
            yield field[1], field[2]
