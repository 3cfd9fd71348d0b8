"""One layer of policy: its Rego modules and its data, checked before anything is judged.

A layer is the shipped one, the organisation's or the repository's. Each is evaluated in an engine of its own; only the
shipped layer may hold `secgate.main`, `secgate.lib.*` and the sentinel, so that nobody redefines what judges.
Source: notes on threats, rule 4.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from secgate.errors import PolicyError
from secgate.model import Digest
from secgate.policy import tree
from secgate.policy.elements import element_faults
from secgate.policy.faults import Fault, place_order, raise_faults
from secgate.policy.inference import Surroundings
from secgate.policy.reach import Reach
from secgate.policy.recursion import recursion_faults
from secgate.policy.references import check_references
from secgate.policy.shapes import Vocabulary, from_data
from secgate.policy.sources import RuleSource, sources_of
from secgate.policy.tree import Module
from secgate.ports import PolicyModule, SyntaxReader

LayerName = Literal["shipped", "organisation", "repository"]

MAX_MODULE_BYTES = 256 * 1024
MAX_MODULES = 500
MAX_DATA_BYTES = 16 * 1024 * 1024

SETS: Mapping[str, frozenset[str]] = {
    "shipped": frozenset({"deny", "warn", "inconclusive", "obligations", "superseded"}),
    "organisation": frozenset({"deny", "warn", "inconclusive", "obligations", "exempt"}),
    "repository": frozenset({"deny", "warn"}),
}
"""The sets that each layer's rules may add to. A repository can only make a decision stricter."""

_EVERY_SET = frozenset().union(*SETS.values())
_RULE_PACKAGE = re.compile(r"secgate\.rules\.[a-z][a-z0-9_]{0,63}")
_SHIPPED_PACKAGE = re.compile(r"secgate\.(main|lib\.[a-z][a-z0-9_]{0,63})")
_DATA_NAME = re.compile(r"(?:.*/)?data/([a-z][a-z0-9_]{0,63})\.json")
_COMPREHEND = "write it as a comprehension, `x := {...}`, or as one set of pairs"
_SENTINEL_PACKAGE = "secgate.rules.sentinel"


class Layer(Struct, frozen=True, kw_only=True):
    """A checked layer. `modules` are sorted by path; `data` is one JSON object, a key per file under data/."""

    name: LayerName
    modules: tuple[PolicyModule, ...]
    packages: tuple[str, ...]
    """Package of each module, in the order of `modules`."""
    exported: Mapping[str, tuple[str, ...]]
    """Rule names by package."""
    data: bytes
    digest: Digest
    """Over paths and bytes of modules and data together."""
    sources: tuple[RuleSource, ...] = ()
    """Every rule that adds to a set, in the order of `modules` and of their text."""
    uses: Mapping[str, tuple[str, ...]] = {}
    """What each name that the modules define reads, by its full name."""
    faults: tuple[Fault, ...] = ()
    """What is wrong with a layer of long ago by today's checks; () for any other."""
    reach: Reach | None = None
    """How far its rules reach; a layer of which nobody knows is always judged whole."""

    @property
    def rules(self) -> tuple[str, ...]:
        """Names of its rule packages, sorted, the sentinel left out."""
        return tuple(
            sorted({p.rpartition(".")[2] for p in self.packages if p.startswith("secgate.rules.")} - {"sentinel"})
        )

    def files(self) -> dict[str, bytes]:
        """Give what `load_layer` makes this layer of: its modules by path, and a file for each key of its data."""
        values = msgspec.json.decode(self.data, type=dict[str, object])
        data = {f"data/{key}.json": msgspec.json.encode({key: value}, order="sorted") for key, value in values.items()}
        return {module.path: module.text.encode() for module in self.modules} | data

    def ground(self) -> tuple[PolicyModule, ...]:
        """Give the modules that every engine needs: `secgate.main`, `secgate.lib.*` and the sentinel."""
        return tuple(module for module, package in zip(self.modules, self.packages, strict=True) if _is_ground(package))

    def rule_modules(self, *, without: Iterable[str] = ()) -> tuple[PolicyModule, ...]:
        """Give the modules of its rules, those switched off by name left out."""
        off = {f"secgate.rules.{name}" for name in without} | {_SENTINEL_PACKAGE}
        return tuple(
            module
            for module, package in zip(self.modules, self.packages, strict=True)
            if package.startswith("secgate.rules.") and package not in off
        )


def load_layer(
    name: LayerName,
    files: Mapping[str, bytes],
    *,
    reader: SyntaxReader,
    vocabulary: Vocabulary,
    shipped: Layer | None = None,
    data: bytes = b"{}",
    judged_before: bool = False,
) -> Layer:
    """Check a layer's files, by path: `*.rego` but not `*_test.rego`, and `data/NAME.json`; others are no policy.

    `shipped` is what the modules of another layer may import from; `data` is what they find beside their own.
    Raises PolicyError, with file and line, for: no rule, a wrong package, a text that does not parse, a reference to
    nothing, a function whose answer is not the input's, a set that this layer may not add to, or too much of anything.
    With `judged_before` what judged then judges again: faults of form, which a later version may have learned to see,
    are kept with the layer instead.
    """
    if name == "shipped":
        files = of_runs(files)
    modules = _modules(name, files)
    values = _data(name, files)
    parsed = [
        tree.read_module(node, path=module.path, text=module.text)
        for module, node in zip(modules, reader.syntax(modules), strict=True)
    ]
    exported = _exported(parsed)
    faults = [fault for module in parsed for fault in (*_package_faults(name, module), *_head_faults(name, module))]
    packages = dict(exported)
    if shipped is not None:
        ground = set(shipped.packages) - {p for p in shipped.packages if p.startswith("secgate.rules.")}
        packages |= {package: frozenset(shipped.exported[package]) for package in ground}
    seen = msgspec.json.decode(data, type=dict[str, object]) | values
    surroundings = Surroundings(vocabulary=vocabulary, data=from_data(seen), packages=packages)
    faults += [fault for module in parsed for fault in check_references(module, surroundings)]
    for module in parsed:
        if module.package.startswith("secgate.rules."):
            faults += element_faults(module, surroundings, SETS[name], beside=_beside(module, parsed))
    if shipped is not None:
        # The shipped rules are compiled by OPA in the tests. `secgate.main` reads every rule, so that none may read it.
        main = shipped.reach.judging if shipped.reach is not None else ()
        faults += recursion_faults(parsed, above=main)
    raise_faults([one for one in faults if one.binds_replay or not judged_before], layer=name)
    if parsed or not (name == "organisation" and values):
        # An organisation may set limits and add no rule; anybody else's silence is a mistake.
        _require_rules(name, parsed)
    read = [sources_of(module, surroundings, SETS[name]) for module in parsed]
    uses: dict[str, set[str]] = {}
    for defined, reads in ((defined, reads) for _, own in read for defined, reads in own.items()):
        uses.setdefault(defined, set()).update(reads)
    return Layer(
        name=name,
        modules=modules,
        packages=tuple(module.package for module in parsed),
        exported={package: tuple(sorted(rules)) for package, rules in sorted(exported.items())},
        data=msgspec.json.encode(values, order="sorted"),
        digest=_digest(files),
        sources=tuple(source for found, _ in read for source in found),
        uses={defined: tuple(sorted(reads)) for defined, reads in sorted(uses.items())},
        faults=tuple(sorted(set(faults), key=place_order)),
        reach=Reach(
            parsed,
            sets=SETS[name],
            rules={module.package for module in parsed if not _is_ground(module.package)},
            ground=shipped.reach if shipped is not None else None,
        ),
    )


def _beside(module: Module, parsed: Iterable[Module]) -> frozenset[str]:
    """Give the names that other modules of a module's package define."""
    others = (one for one in parsed if one.package == module.package and one is not module)
    return frozenset(tree.rule_name(rule) for one in others for rule in one.rules)


def _is_ground(package: str) -> bool:
    return package == _SENTINEL_PACKAGE or _SHIPPED_PACKAGE.fullmatch(package) is not None


def of_runs(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Give what of policies/ decides about runs: below controls/ lies what assertions are tested with."""
    return {path: data for path, data in files.items() if not path.startswith("controls/")}


def is_module(path: str) -> bool:
    """Tell whether a file of a layer holds rules; `*_test.rego` holds tests, which no run reads."""
    return path.endswith(".rego") and not path.endswith("_test.rego")


def _modules(name: LayerName, files: Mapping[str, bytes]) -> tuple[PolicyModule, ...]:
    paths = sorted(filter(is_module, files))
    if len(paths) > MAX_MODULES:
        raise PolicyError(f"the {name} layer has {len(paths)} modules, and {MAX_MODULES} are allowed")
    modules = []
    for path in paths:
        if len(files[path]) > MAX_MODULE_BYTES:
            raise PolicyError(
                f"the module has {len(files[path])} bytes, and {MAX_MODULE_BYTES} are allowed",
                remedy="move what is data into data/NAME.json, or split the module",
                place=path,
            )
        try:
            text = files[path].decode()
        except UnicodeDecodeError as error:
            raise PolicyError("the module is not UTF-8 text", remedy="save it as UTF-8", place=path) from error
        modules.append(PolicyModule(path=path, text=text))
    return tuple(modules)


def _data(name: LayerName, files: Mapping[str, bytes]) -> dict[str, object]:
    found: dict[str, object] = {}
    if sum(len(files[path]) for path in files if _DATA_NAME.fullmatch(path)) > MAX_DATA_BYTES:
        raise PolicyError(f"the {name} layer's data has more than {MAX_DATA_BYTES} bytes", remedy="keep less in it")
    for path in sorted(files):
        match = _DATA_NAME.fullmatch(path)
        if match is None:
            continue
        if match[1] in found or match[1] == "secgate":
            raise PolicyError(f"two things are called data.{match[1]}", remedy="rename this file", place=path)
        try:
            content = msgspec.json.decode(files[path], type=dict[str, object])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise PolicyError(f"the data is no JSON object: {error}", remedy="correct the file", place=path) from error
        if list(content) != [match[1]]:
            # So that `opa test` and `opa eval`, which merge files at the root, see the same data.
            raise PolicyError(
                "a data file holds one key, its own name", remedy=f'write {{"{match[1]}": ...}}', place=path
            )
        found |= content
    return found


def _exported(parsed: Sequence[Module]) -> dict[str, frozenset[str]]:
    packages: dict[str, set[str]] = {}
    for module in parsed:
        packages.setdefault(module.package, set()).update(tree.rule_name(rule) for rule in module.rules)
    return {package: frozenset(rules) for package, rules in packages.items()}


def _package_faults(name: LayerName, module: Module) -> list[Fault]:
    if _RULE_PACKAGE.fullmatch(module.package) and (module.package != _SENTINEL_PACKAGE or name == "shipped"):
        return []
    if name == "shipped" and _SHIPPED_PACKAGE.fullmatch(module.package):
        return []
    what = f"the package is `{module.package}`; nothing would read its rules"
    if _SHIPPED_PACKAGE.fullmatch(module.package) or module.package == _SENTINEL_PACKAGE:
        what = f"the package `{module.package}` belongs to the shipped layer alone"
    return [
        Fault(f"{module.path}:1", what, "call it `secgate.rules.NAME`, with a-z, 0-9 and _ in NAME", binds_replay=True)
    ]


def _head_faults(name: LayerName, module: Module) -> list[Fault]:
    if not module.package.startswith("secgate.rules."):
        return []
    found = []
    read = _referenced(module)
    for rule in module.rules:
        kind, head = tree.head(rule)
        word = tree.rule_name(rule)
        place = module.place(head.get("span"))
        if word in _EVERY_SET and (kind != "Set" or tree.name_of(head.get("refr")) is None):
            found.append(Fault(place, f"`{word}` is not a set of elements here", f"write `{word} contains {{...}} if`"))
        elif kind == "Set" and tree.name_of(head.get("refr")) is None:
            found.append(Fault(place, f"`{word}` is undefined while it is empty, in some engines", _COMPREHEND))
        elif word in _EVERY_SET - SETS[name]:
            allowed = ", ".join(sorted(SETS[name]))
            what = f"the {name} layer may not add to `{word}`"
            found.append(Fault(place, what, f"it may add to: {allowed}", binds_replay=True))
        elif kind == "Set" and word not in SETS[name] and word not in read:
            found.append(Fault(place, f"nothing reads the set `{word}`", "did you mean `deny`?"))
    return found


def _referenced(module: Module) -> frozenset[str]:
    """Give the names that rule bodies and values refer to; a head's own name is not among them."""
    found: set[str] = set()
    for rule in module.rules:
        head = tree.head(rule)[1]
        for part in (head.get("key"), head.get("assign"), head.get("value"), tree.bodies(rule)):
            found.update(tree.variables(part))
    return frozenset(found)


def _require_rules(name: LayerName, parsed: Sequence[Module]) -> None:
    """Refuse a layer, and a package, that cannot say a word: it would pass everything in silence."""
    speaking: dict[str, bool] = {}
    where: dict[str, str] = {}
    for module in parsed:
        if module.package.startswith("secgate.rules.") and module.package != _SENTINEL_PACKAGE:
            says = any(tree.rule_name(rule) in SETS[name] for rule in module.rules)
            speaking[module.package] = speaking.get(module.package, False) or says
            where.setdefault(module.package, module.path)
    if not speaking:
        raise PolicyError(
            f"the {name} layer has no rule",
            remedy="add a module `package secgate.rules.NAME` with `deny contains {...} if`, or do not name the layer",
        )
    for package, says in sorted(speaking.items()):
        if not says:
            raise PolicyError(
                f"the package `{package}` adds to none of {', '.join(sorted(SETS[name]))}",
                remedy="add `deny contains {...} if`, or take the module out",
                place=where[package],
            )


def _digest(files: Mapping[str, bytes]) -> Digest:
    total = hashlib.sha256()
    for path in sorted(files):
        if is_module(path) or _DATA_NAME.fullmatch(path):
            total.update(f"{len(path.encode())}:{path}:{len(files[path])}:".encode() + files[path])
    return total.hexdigest()
