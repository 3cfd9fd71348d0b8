"""Terraform: blocks of `.tf` (tree-sitter) and `.tf.json`, and assignments of `.tfvars`, as resources."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator

import msgspec
import tree_sitter

from secgate.infrastructure.data_formats import json_node, read_json
from secgate.infrastructure.node import DEEPEST, Node, Refused, Unresolved, entries, items, text
from secgate.infrastructure.resource import Found
from secgate.languages import grammars
from secgate.languages.source import Source

_LABELS = {"resource": 2, "data": 2}
_COUNTED = frozenset({"resource", "data", "module"})
_PREFIX = {"resource": "", "variable": "var."}
_POLICY = re.compile(r"(?:.*_)?(?:polic(?:y|ies)|polic(?:y|ies)_(?:document|text|data)|container_definitions)")
_TRANSPARENT = frozenset({"jsonencode", "sensitive", "nonsensitive", "toset", "tolist", "tomap", "base64encode"})
_ESCAPE = re.compile(r'\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[nrt"\\])|\$\$\{|%%\{')
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_TEMPLATE = re.compile(r"(?<!\$)\$\{|(?<!%)%\{")


def read(path: str, source: Source) -> tuple[list[Found], str]:
    """Give the resources and the problem, "" for none. Blocks beside a syntax error are still given.

    Raises Refused past a cap and for JSON that is none.
    """
    if path.endswith(".json"):
        return list(_from_json(path, source)), ""
    tree = grammars.parse("hcl", source.encoded + b"\n")
    reader = _Reader(source, tree.root_node)
    found = list(reader.variables(path) if path.endswith(".tfvars") else reader.resources())
    return found, reader.problem(tree.root_node)


class _Reader:
    """One `.tf` file. Locals of the same file are followed, since nothing outside of it can change them."""

    def __init__(self, source: Source, root: tree_sitter.Node) -> None:
        self._source = source
        self._root = root
        self._locals: dict[str, tree_sitter.Node] = {}
        self._evaluated: dict[str, Node] = {}
        self._readers: dict[str, Callable[[tree_sitter.Node, int], Node]] = {
            "expression": self._first,
            "literal_value": self._first,
            "collection_value": self._first,
            "template_expr": self._first,
            "tuple": self._tuple,
            "object": self._object,
            "string_lit": self._string,
            "quoted_template": self._string,
            "heredoc_template": self._heredoc,
            "numeric_lit": self._number,
            "bool_lit": self._word,
            "null_lit": self._word,
            "operation": self._operation,
            "function_call": self._call,
        }

    def problem(self, root: tree_sitter.Node) -> str:
        """Say where the first syntax error is; "" for none."""
        if not root.has_error:
            return ""
        node = root
        while not (node.is_error or node.is_missing):
            broken = [child for child in node.children if child.has_error or child.is_error or child.is_missing]
            if not broken:
                break
            node = broken[0]
        return f"a syntax error (line {self._place(node)[0]})"

    def resources(self) -> Iterator[Found]:
        """Give every top-level block."""
        blocks = [node for node in _inner(self._root) if node.type == "block"]
        for block in blocks:
            if _labels(block)[0] == "locals":
                for entry in _inner(block):
                    name = _word_of(entry.named_children[0])
                    self._locals[name] = entry.named_children[-1]
        for block in blocks:
            if block.has_error:
                continue
            kind, *labels = _labels(block)
            line, column = self._place(block)
            attributes = self._body(block, 0)
            if kind in _COUNTED and not _is_made(attributes):
                continue
            kind_name, name, address = named(kind, labels)
            end, _ = self._source.position(self._source.from_byte(block.end_byte))
            yield Found(
                id=address, type=kind_name, name=name, line=line, column=column, end_line=end, attributes=attributes
            )

    def variables(self, path: str) -> Iterator[Found]:
        """Give the assignments of a file of variables as one resource."""
        if not self._root.has_error:
            body = self._body(self._root, 0)
            yield Found(
                id=path, type="tfvars", name="", line=1, column=1, end_line=self._source.line_count, attributes=body
            )

    def _body(self, node: tree_sitter.Node, depth: int) -> Node:
        """Read attributes and blocks; a block's name always holds a list, since blocks may be repeated."""
        if depth > DEEPEST:
            raise Refused(f"nested deeper than {DEEPEST} levels (line {self._place(node)[0]})")
        found: dict[str, Node] = {}
        for child in _inner(node):
            place = self._place(child)
            if child.type == "attribute":
                name = _word_of(child.named_children[0])
                value = self._attribute(name, child.named_children[-1], depth)
                found[name] = Node(value.value, *place)
                continue
            name, *labels = _labels(child)
            block = self._body(child, depth + 1)
            if name == "dynamic" and labels:
                # How many there will be, none included, is known only when the expression is.
                name, block = labels[0], Node(Unresolved(f'dynamic "{labels[0]}"'), *place)
            held = found.get(name)
            if held is not None and isinstance(held.value, list):
                held.value.append(Node(block.value, *place))
            else:
                found[name] = Node([Node(block.value, *place)], *place)
        return Node(found, *self._place(node))

    def _attribute(self, name: str, node: tree_sitter.Node, depth: int) -> Node:
        value = self._value(node, depth + 1)
        if not _POLICY.fullmatch(name):
            return value
        return self._document(node, value)

    def _document(self, node: tree_sitter.Node, value: Node) -> Node:
        """Read a policy that stands in the text as JSON; its own templates stay unresolved."""
        raw, shift = self._raw(node)
        stripped = raw.lstrip()
        if not stripped.startswith(("{", "[")):
            return value
        shift += len(raw) - len(stripped)
        if isinstance(value.value, str) and value.value != raw and node.text is not None and b"\\" in node.text:
            raw, stripped = value.value, value.value.lstrip()
            return self._escaped(stripped, value)
        try:
            msgspec.json.decode(stripped.encode(), type=msgspec.Raw)
            msgspec.json.decode(stripped.encode())
        except (msgspec.DecodeError, RecursionError):
            return value
        return templates(json_node(stripped, self._source, shift))

    @staticmethod
    def _escaped(body: str, value: Node) -> Node:
        """Read JSON inside of a quoted string: every place in it is the string's own."""
        try:
            msgspec.json.decode(body.encode())
        except (msgspec.DecodeError, RecursionError):
            return value
        return _placed(templates(json_node(body, Source(body.encode()), 0)), value)

    def _raw(self, node: tree_sitter.Node) -> tuple[str, int]:
        """Give the text of a string or heredoc, templates as they stand, and its offset; ("", 0) for others."""
        while node.type in ("expression", "literal_value", "template_expr") and node.named_children:
            node = node.named_children[0]
        if node.type == "heredoc_template":
            return self._heredoc_text(node)
        if node.type in ("string_lit", "quoted_template"):
            start, end = self._source.from_byte(node.start_byte) + 1, self._source.from_byte(node.end_byte) - 1
            return self._source.text[start:end], start
        return "", 0

    def _value(self, node: tree_sitter.Node, depth: int) -> Node:
        if depth > 4 * DEEPEST:
            raise Refused(f"an expression is nested too deep (line {self._place(node)[0]})")
        named = _named(node)
        if node.type == "expression" and len(named) > 1:
            return self._reference(node, named)
        reader = self._readers.get(node.type)
        return reader(node, depth + 1) if reader is not None else self._unresolved(node)

    def _first(self, node: tree_sitter.Node, depth: int) -> Node:
        named = _named(node)
        return self._value(named[0], depth) if named else self._unresolved(node)

    def _reference(self, node: tree_sitter.Node, named: list[tree_sitter.Node]) -> Node:
        """Follow `local.NAME` of this file; every other reference is unresolved."""
        is_local = len(named) == 2 and named[0].text == b"local" and named[1].type == "get_attr"
        name = _word_of(named[1].named_children[0]) if is_local and named[1].named_children else ""
        target = self._locals.get(name)
        if target is None:
            return self._unresolved(node)
        if name not in self._evaluated:
            self._evaluated[name] = self._unresolved(node)  # a circle ends here
            self._evaluated[name] = self._value(target, 0)
        return Node(self._evaluated[name].value, *self._place(node))

    def _tuple(self, node: tree_sitter.Node, depth: int) -> Node:
        inner = [self._value(child, depth) for child in _named(node) if child.type == "expression"]
        return Node(inner, *self._place(node))

    def _object(self, node: tree_sitter.Node, depth: int) -> Node:
        found: dict[str, Node] = {}
        for element in _named(node):
            pair = [child for child in _named(element) if child.type == "expression"]
            if element.type != "object_elem" or len(pair) != 2:
                continue
            key = self._key(pair[0], depth)
            if key is None:
                return self._unresolved(node)  # which entries there are cannot be told
            found[key] = Node(self._value(pair[1], depth).value, *self._place(element))
        return Node(found, *self._place(node))

    def _key(self, node: tree_sitter.Node, depth: int) -> str | None:
        first = _named(node)[:1]
        if len(_named(node)) == 1 and first[0].type == "variable_expr":
            return _word_of(first[0])
        value = self._value(node, depth).value
        return str(value) if isinstance(value, str | int) else None

    def _string(self, node: tree_sitter.Node, _depth: int) -> Node:
        if any(child.type in ("template_interpolation", "template_directive") for child in node.children):
            return self._unresolved(node)
        start, end = self._source.from_byte(node.start_byte) + 1, self._source.from_byte(node.end_byte) - 1
        return Node(_ESCAPE.sub(_unescape, self._source.text[start:end]), *self._place(node))

    def _heredoc(self, node: tree_sitter.Node, _depth: int) -> Node:
        body, _ = self._heredoc_text(node)
        if any(child.type in ("template_interpolation", "template_directive") for child in node.children):
            return Node(Unresolved(body), *self._place(node))
        indented = any(child.type == "heredoc_start" and _text(child).endswith("-") for child in node.children)
        body = textwrap.dedent(body) if indented else body
        return Node(body.replace("$${", "${").replace("%%{", "%{"), *self._place(node))

    def _heredoc_text(self, node: tree_sitter.Node) -> tuple[str, int]:
        marks = [child for child in node.children if child.type == "heredoc_identifier"]
        if len(marks) < 2:
            return "", 0
        start = self._source.from_byte(marks[0].end_byte)
        end = self._source.from_byte(marks[-1].start_byte)
        start = self._source.text.find("\n", start, end) + 1 or start
        end = max(self._source.text.rfind("\n", start, end) + 1, start)
        return self._source.text[start:end], start

    def _number(self, node: tree_sitter.Node, _depth: int) -> Node:
        word = _text(node)
        try:
            value = float(word) if any(mark in word for mark in ".eE") else int(word[:19])
        except ValueError:
            return self._unresolved(node)
        return Node(value, *self._place(node))

    def _word(self, node: tree_sitter.Node, _depth: int) -> Node:
        return Node({"true": True, "false": False}.get(_text(node)), *self._place(node))

    def _operation(self, node: tree_sitter.Node, depth: int) -> Node:
        unary = _named(node)[0] if len(_named(node)) == 1 else None
        if unary is not None and unary.type == "unary_operation" and _text(unary).startswith("-") and _named(unary):
            inner = self._value(_named(unary)[-1], depth).value
            if isinstance(inner, int | float) and not isinstance(inner, bool):
                return Node(-inner, *self._place(node))
        return self._unresolved(node)

    def _call(self, node: tree_sitter.Node, depth: int) -> Node:
        """Look through the functions that give their argument in another form."""
        name, *arguments = _named(node)
        given = [child for part in arguments for child in _named(part)]
        if _text(name) in _TRANSPARENT and len(given) == 1:
            return self._value(given[0], depth)
        return self._unresolved(node)

    def _unresolved(self, node: tree_sitter.Node) -> Node:
        return Node(Unresolved(_text(node)), *self._place(node))

    def _place(self, node: tree_sitter.Node) -> tuple[int, int]:
        return self._source.position(self._source.from_byte(node.start_byte))


def named(kind: str, labels: list[str]) -> tuple[str, str, str]:
    """Give type, name and address of a block, as Terraform writes them: `aws_s3_bucket.b`, `data.x.y`, `var.v`."""
    if kind in _LABELS and len(labels) == _LABELS[kind]:
        prefix = "" if kind == "resource" else "data."
        return f"{prefix}{labels[0]}", labels[1], f"{prefix}{labels[0]}.{labels[1]}"
    if kind == "provider" and labels:
        return f"provider.{labels[0]}", labels[0], f"provider.{labels[0]}"
    name = ".".join(labels)
    return kind, name, f"{_PREFIX.get(kind, f'{kind}.')}{name}".rstrip(".")


def templates(node: Node) -> Node:
    """Make every string with a template in it an unresolved one."""
    value = node.value
    if isinstance(value, str) and _TEMPLATE.search(value):
        return Node(Unresolved(value), node.line, node.column)
    if isinstance(value, dict):
        return Node({key: templates(inner) for key, inner in value.items()}, node.line, node.column)
    if isinstance(value, list):
        return Node([templates(inner) for inner in value], node.line, node.column)
    return node


def _placed(node: Node, where: Node) -> Node:
    """Give `node` with every place replaced by that of `where`."""
    value = node.value
    if isinstance(value, dict):
        return Node({key: _placed(inner, where) for key, inner in value.items()}, where.line, where.column)
    if isinstance(value, list):
        return Node([_placed(inner, where) for inner in value], where.line, where.column)
    return Node(value, where.line, where.column)


def _from_json(path: str, source: Source) -> Iterator[Found]:
    """Give the resources of a `.tf.json` file. Source: Terraform's JSON configuration syntax."""
    top = templates(read_json(source))
    last = source.line_count
    if path.endswith(".tfvars.json"):
        yield Found(id=path, type="tfvars", name="", line=1, column=1, end_line=last, attributes=top)
        return
    for kind, node in entries(top).items():
        for labels, block in _labelled(node, _LABELS.get(kind, 0 if kind in ("locals", "terraform") else 1)):
            kind_name, name, address = named(kind, labels)
            attributes = _policies(block, source)
            if kind in _COUNTED and not _is_made(attributes):
                continue
            yield Found(
                id=address,
                type=kind_name,
                name=name,
                line=block.line,
                column=block.column,
                end_line=max([block.line, *_last_lines(block)]),
                attributes=attributes,
            )


def _labelled(node: Node, count: int) -> Iterator[tuple[list[str], Node]]:
    """Give (labels, body) below `node`; each level may be a list of objects."""
    for body in items(node) or [node]:
        if count == 0:
            if isinstance(body.value, dict):
                yield [], body
            continue
        for label, inner in entries(body).items():
            for labels, block in _labelled(inner, count - 1):
                yield [label, *labels], Node(block.value, inner.line, inner.column)


def _policies(node: Node, source: Source) -> Node:
    """Read policies that stand as JSON inside of a string; their places are the string's."""
    del source
    found: dict[str, Node] = {}
    for key, inner in entries(node).items():
        value = inner
        body = text(inner) or (inner.value.text if isinstance(inner.value, Unresolved) else "")
        if _POLICY.fullmatch(key) and body.lstrip().startswith(("{", "[")):
            try:
                msgspec.json.decode(body.encode())
                value = _placed(templates(json_node(body, Source(body.encode()), 0)), inner)
            except (msgspec.DecodeError, RecursionError):
                value = inner
        found[key] = value
    return Node(found, node.line, node.column)


def _last_lines(node: Node) -> Iterator[int]:
    for inner in entries(node).values() or items(node):
        yield inner.line
        yield from _last_lines(inner)


def _is_made(attributes: Node) -> bool:
    """Tell whether the resource is made at all: `count = 0` and an empty `for_each` leave it out."""
    count, each = entries(attributes).get("count"), entries(attributes).get("for_each")
    is_none = count is not None and not isinstance(count.value, bool | str) and count.value == 0
    is_empty = each is not None and isinstance(each.value, dict | list) and not each.value
    return not (is_none or is_empty)


def _inner(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    """Give attributes and blocks directly in a file's or block's body."""
    bodies = [child for child in node.named_children if child.type == "body"]
    return [child for body in bodies for child in body.named_children if child.type in ("block", "attribute")]


def _named(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    marks = ("comment", "tuple_start", "tuple_end", "object_start", "object_end")
    return [child for child in node.named_children if child.type not in marks]


def _labels(node: tree_sitter.Node) -> list[str]:
    return [_word_of(child) for child in node.named_children if child.type in ("identifier", "string_lit")]


def _word_of(node: tree_sitter.Node) -> str:
    return _text(node).strip('"')


def _text(node: tree_sitter.Node) -> str:
    return node.text.decode("utf-8", "replace") if node.text else ""


def _unescape(match: re.Match[str]) -> str:
    mark = match[0]
    if mark in ("$${", "%%{"):
        return mark[1:]
    if mark[1] in "uU":
        number = int(f"0x{mark[2:]}", 0)
        return chr(number) if number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else "\ufffd"
    return _ESCAPED[mark[1]]
