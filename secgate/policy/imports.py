"""A function does not read what is imported by the import's name.

regorus works out a module's imports with its rules. Once a rule of the module has a value, a function of it that reads
an import by its name (`import input as plan`, `import data.limits`) finds nothing, in silence; calls of imported
functions are found. OPA has no such order. So the name is written out, `input.x`, where all engines agree.
"""

from __future__ import annotations

from collections.abc import Iterator

from secgate.policy import tree
from secgate.policy.tree import Module, Node


def imported_names(module: Module) -> dict[str, str]:
    """Give what each import stands for, `data.secgate.lib.clock`, by the name that it has in the module."""
    names = {}
    for item in module.imports:
        parts = tree.path_of(item.get("refr")) or ()
        if parts[:1] not in (("rego",), ("future",), ()):
            alias = module.word_at(item["as"]) if isinstance(item.get("as"), dict) else ""
            names[alias or parts[-1]] = ".".join(parts)
    return names


def misnamed(module: Module) -> Iterator[tuple[object, str]]:
    """Give (span, name) of each import that takes the name of the input or of data: regorus passes over it, OPA not."""
    for item in module.imports:
        name = tree.imported_as(item, module)
        if name in ("input", "data") and tree.path_of(item.get("refr")) != (name,):
            yield item.get("span") or tree.span_of(item.get("refr")), name


def read_in_functions(module: Module) -> Iterator[tuple[object, str, str]]:
    """Give (span, name, what it stands for) of each import that a function reads by its name."""
    imports = imported_names(module)
    for rule in module.rules:
        kind, head = tree.head(rule)
        if kind != "Func":
            continue
        own = {name for argument in tree.items(head.get("args")) for name in tree.variables(argument)}
        holders = [head, *tree.bodies(rule)]
        assigned = [one.get("value") for holder in holders if isinstance(one := holder.get("assign"), dict)]
        parts: list[object] = [*assigned, *(holder.get("value") for holder in holders)]
        for part in (*parts, *(body.get("query") for body in tree.bodies(rule))):
            for node in _read(part):
                name = tree.name_of(node) or ""
                if name in imports and name not in own:
                    yield tree.span_of(node), name, imports[name]


def _read(value: object) -> Iterator[Node]:
    """Give every name that is read below `value`: all but those of functions that are called."""
    if isinstance(value, list):
        for one in value:
            yield from _read(one)
    elif isinstance(value, dict):
        kind, body = tree.opened(value)
        if kind == "Var":
            yield value
        elif kind == "Call":
            yield from _read(body.get("params"))
        else:
            for one in value.values():
                yield from _read(one)
