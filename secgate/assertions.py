"""Assertions tested: facts go in, one Rego module each decides, and what comes out is complete or an error.

Rego says nothing of what it did not understand, so an assertion is trusted only if it deviates on an item of which
nothing good is known, if every name that it refers to exists, and if all that it says is of its items and exceptions.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from secgate.assertion_facts import UNITS, Item
from secgate.controls import Assertion, holds
from secgate.errors import PolicyError
from secgate.model import Value, encode
from secgate.policy import tree
from secgate.policy.faults import Fault, raise_faults
from secgate.policy.inference import Surroundings
from secgate.policy.recursion import recursion_faults
from secgate.policy.references import check_references
from secgate.policy.shapes import ANY, Shape, Vocabulary
from secgate.ports import Engine, PolicyModule, SyntaxReader

PACKAGE = "secgate.assertions."
LIBRARY = "secgate.lib."
"""What a shipped package that tests of assertions may import begins with."""
NOTHING = "secgate:nothing-is-known"
"""Id of the item that every assertion must find a deviation in."""
MAX_MODULE_BYTES = 64 * 1024
LIMIT_S = 120.0

_PACKAGE = re.compile(r"secgate\.assertions\.[a-z][a-z0-9_]{0,63}")
_ELEMENT = ("item", "exception", "about", "detail")

Result: TypeAlias = Literal["no_deviation", "deviation", "not_tested", "no_occurrence", "not_applicable"]
Detail = typing.Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]


class Period(Value, frozen=True, kw_only=True):
    """From a second until before another one, UTC. Facts after its end are told by their time, and decide nothing."""

    from_epoch_s: int
    to_epoch_s: int


class Deviation(Value, frozen=True, kw_only=True, order=True, forbid_unknown_fields=True):
    """What breaks an assertion: which item, which of its exceptions, and why in words.

    `about` tells several of one item and exception apart, such as by a run or a person, and is "" where there is one.
    """

    item: str
    exception: str
    about: str = ""
    detail: Detail


class Module(NamedTuple):
    """A module of an assertion; `is_ours` for one that was shipped."""

    module: PolicyModule
    package: str
    is_ours: bool
    rules: frozenset[str] = frozenset()
    """Names of all that it defines."""


def read_library(files: Mapping[str, bytes], *, reader: SyntaxReader) -> tuple[Module, ...]:
    """Give the shipped modules that tests of assertions may import."""
    modules = tuple(PolicyModule(path=path, text=_text(path, files[path])) for path in sorted(files))
    read = (
        (module, tree.read_module(node, path=module.path, text=module.text))
        for module, node in zip(modules, reader.syntax(modules), strict=True)
    )
    return tuple(
        Module(module, parsed.package, is_ours=True, rules=frozenset(map(tree.rule_name, parsed.rules)))
        for module, parsed in read
    )


def read_modules(
    files: Mapping[str, bytes],
    assertions: Iterable[Assertion],
    *,
    reader: SyntaxReader,
    is_ours: bool,
    library: Sequence[Module] = (),
) -> tuple[Module, ...]:
    """Give the modules of a layer's assertions, by path; `*_test.rego` holds tests. `assertions` are those known.

    `library` is what they may import.

    Raises PolicyError, with file and line, for a package that is none of an assertion's, a text that does not parse, a
    reference to nothing, an assertion without a module, and a module without an assertion.
    """
    modules = tuple(
        PolicyModule(path=path, text=_text(path, files[path]))
        for path in sorted(files)
        if path.endswith(".rego") and not path.endswith("_test.rego")
    )
    faults: list[Fault] = []
    by_test: dict[str, list[Assertion]] = {}
    for one in assertions:
        by_test.setdefault(PACKAGE + one.test, []).append(one)
    found: list[Module] = []
    for module, node in zip(modules, reader.syntax(modules), strict=True):
        parsed = tree.read_module(node, path=module.path, text=module.text)
        found.append(Module(module, parsed.package, is_ours, frozenset(map(tree.rule_name, parsed.rules))))
        faults += _faults(parsed, by_test, library)
    packages = [one.package for one in found]
    for name in sorted({name for name in packages if packages.count(name) > 1}):
        faults.append(Fault("controls", f"the package `{name}` is there twice", "one module an assertion"))
    raise_faults(faults, layer="assertions'")
    return tuple(found)


def require_modules(assertions: Iterable[Assertion], modules: Iterable[Module]) -> None:
    """Raise PolicyError for an assertion that no module tests, or whose unit nobody knows."""
    packages = {one.package for one in modules}
    for one in assertions:
        if PACKAGE + one.test not in packages:
            raise PolicyError(
                f"the assertion {one.id} has no module", remedy=f"write `package {PACKAGE}{one.test}`", place="controls"
            )
        if one.population.unit not in UNITS:
            raise PolicyError(
                f"the assertion {one.id} is about a unit that nobody knows: {one.population.unit}",
                remedy=f"one of: {', '.join(UNITS)}",
                place="controls",
            )


def _text(path: str, data: bytes) -> str:
    if len(data) > MAX_MODULE_BYTES:
        raise PolicyError(f"the module has more than {MAX_MODULE_BYTES} bytes", remedy="split it", place=path)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise PolicyError("the module is not UTF-8 text", remedy="save it as UTF-8", place=path) from error


def _faults(
    parsed: tree.Module, by_test: Mapping[str, Sequence[Assertion]], library: Sequence[Module]
) -> Iterable[Fault]:
    where = f"{parsed.path}:1"
    if not _PACKAGE.fullmatch(parsed.package):
        yield Fault(where, f"the package is `{parsed.package}`", f"call it `{PACKAGE}NAME`")
        return
    if parsed.package not in by_test:
        yield Fault(where, f"no assertion is tested by `{parsed.package}`", "name it as `test` of one, or remove it")
    if not any(tree.rule_name(rule) == "deviation" and tree.head(rule)[0] == "Set" for rule in parsed.rules):
        yield Fault(where, "it says nothing", "add `deviation contains {...} if`")
    yield from recursion_faults([parsed])
    packages = {one.package: one.rules for one in library}
    for one in by_test.get(parsed.package, ()):
        if one.population.unit in UNITS:
            surroundings = Surroundings(vocabulary=vocabulary(one), data=Shape(kind="object"), packages=packages)
            yield from check_references(parsed, surroundings)


def vocabulary(assertion: Assertion) -> Vocabulary:
    """Give what an assertion's module may refer to: the facts of its unit, its parameters, the period."""
    item = _shape(UNITS[assertion.population.unit])
    numbers = Shape(kind="scalar", type="integer")
    period = Shape(kind="object", fields={"from_epoch_s": numbers, "to_epoch_s": numbers})
    params = Shape(kind="object", fields={name: _constant(value) for name, value in assertion.params.items()})
    document = Shape(
        kind="object",
        fields={
            "assertion": Shape(kind="scalar", type="string"),
            "period": period,
            "params": params,
            "items": Shape(kind="array", items=item),
        },
    )
    words = {*_ELEMENT, "deviation", "pending", *_names(document)}
    return Vocabulary(document=document, words=frozenset(words))


def _constant(value: object) -> Shape:
    if isinstance(value, bool):
        return Shape(kind="scalar", type="boolean")
    if isinstance(value, int):
        return Shape(kind="scalar", type="integer")
    return Shape(kind="scalar", type="string") if isinstance(value, str) else ANY


def _shape(kind: Any) -> Shape:
    """Give the shape of a type of facts."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        hints = get_type_hints(kind)
        names = [field.name for field in msgspec.structs.fields(kind)]
        return Shape(kind="object", fields={name: _shape(hints[name]) for name in names})
    if get_origin(kind) is tuple:
        return Shape(kind="array", items=_shape(get_args(kind)[0]))
    if get_origin(kind) is Literal:
        return Shape(kind="scalar", type="string", choices=frozenset(get_args(kind)))
    return Shape(kind="scalar", type={str: "string", int: "integer", bool: "boolean"}[kind])


def _names(shape: Shape) -> set[str]:
    below = [*shape.fields.values(), *([shape.items] if shape.items else [])]
    return set(shape.fields).union(*(_names(one) for one in below))


class _Document(Value, frozen=True, kw_only=True):
    assertion: str
    period: Period
    params: Mapping[str, Any]
    items: tuple[Item, ...]


def evaluate(
    assertion: Assertion, items: Sequence[Item], period: Period, *, modules: Sequence[Module], engine: Engine
) -> tuple[Deviation, ...]:
    """Give every deviation that an assertion's module finds, sorted by item; `modules` holds the library too.

    What is said of one item, exception and `about` in several ways is one deviation, with all of its words.

    Raises PolicyError where it finds none in an item of which nothing is known, speaks of what it was not asked, or
    says an exception that the assertion does not name.
    """
    own = _own(assertion, modules)
    answer = _ask(assertion, items, period, modules=modules, engine=engine, rule="deviation")
    try:
        found = msgspec.json.decode(answer, type=tuple[Deviation, ...])
    except (msgspec.DecodeError, RecursionError) as error:
        raise _void(
            assertion, f"an element is not of the form {{item, exception, detail}}, with or without about: {error}", own
        ) from error
    known = {item.id for item in items} | {NOTHING}
    for one in found:
        if one.item not in known:
            raise _void(assertion, f"it speaks of `{one.item[:80]}`, which is no item", own)
        if one.exception not in assertion.exception_when:
            raise _void(assertion, f"it says `{one.exception[:80]}`, which is none of its exceptions", own)
    if not any(one.item == NOTHING for one in found):
        raise _void(assertion, "it finds nothing in an item of which nothing is known", own)
    said: dict[tuple[str, str, str], list[str]] = {}
    for one in sorted(found):
        if one.item != NOTHING:
            said.setdefault((one.item, one.exception, one.about), []).append(one.detail)
    return tuple(
        Deviation(item=item, exception=exception, about=about, detail="; ".join(details))
        for (item, exception, about), details in said.items()
    )


def undecided(
    assertion: Assertion, items: Sequence[Item], period: Period, *, modules: Sequence[Module], engine: Engine
) -> Mapping[str, str]:
    """Give the items whose time was not over at the period's end, with why: neither kept nor missed, so not tested.

    They are what a module's `pending` says, {item, detail}; one without it decides every item. Raises PolicyError as
    `evaluate` does, and where an item of which nothing is known would have time.
    """
    package, own = PACKAGE + assertion.test, _own(assertion, modules)
    if not any("pending" in one.rules for one in modules if one.package == package):
        return {}
    answer = _ask(assertion, items, period, modules=modules, engine=engine, rule="pending")
    try:
        found = msgspec.json.decode(answer, type=tuple[_Pending, ...])
    except (msgspec.DecodeError, RecursionError) as error:
        raise _void(assertion, f"an element of `pending` is not of the form {{item, detail}}: {error}", own) from error
    known = {item.id for item in items}
    for one in found:
        if one.item not in known:
            name = "an item of which nothing is known" if one.item == NOTHING else f"`{one.item[:80]}`, no item,"
            raise _void(assertion, f"it leaves {name} undecided", own)
    return {one.item: f"{one.detail}, and its time was not over at the period's end" for one in sorted(found)}


class _Pending(Value, frozen=True, kw_only=True, order=True, forbid_unknown_fields=True):
    item: str
    detail: Detail


def _own(assertion: Assertion, modules: Sequence[Module]) -> list[PolicyModule]:
    return [one.module for one in modules if one.package == PACKAGE + assertion.test]


def _ask(
    assertion: Assertion,
    items: Sequence[Item],
    period: Period,
    *,
    modules: Sequence[Module],
    engine: Engine,
    rule: str,
) -> bytes:
    """Give what a rule of the assertion's module says of items, and of one of which nothing is known."""
    library = [one.module for one in modules if one.package.startswith(LIBRARY)]
    nothing = UNITS[assertion.population.unit](id=NOTHING)
    document = _Document(assertion=assertion.id, period=period, params=assertion.params, items=(*items, nothing))
    answer = engine.evaluate(
        [*_own(assertion, modules), *library],
        data=b"{}",
        document=encode(document),
        query=f"data.{PACKAGE}{assertion.test}.{rule}",
        limit_s=LIMIT_S,
    )
    return answer.value


def _void(assertion: Assertion, what: str, modules: Sequence[PolicyModule]) -> PolicyError:
    return PolicyError(
        f"the test of {assertion.id} is void: {what}",
        remedy="correct the module, and try it with `test_` rules",
        place=modules[0].path if modules else "controls",
    )


# ------------------------------------------------------------------------------------------------------------- results


class Unmatched(Value, frozen=True, kw_only=True):
    """Two lists that should agree, and what stands on one side only."""

    left: str
    right: str
    left_unmatched: tuple[str, ...] = ()
    right_unmatched: tuple[str, ...] = ()


class Population(NamedTuple):
    """What an assertion is tested on. `reason` says why it cannot be, "" where it can.

    `untested` are items for which it cannot be told, with why; `facts` are what guards ask for, for all items, and
    `item_facts` by item.
    """

    items: tuple[Item, ...] = ()
    reason: str = ""
    untested: Mapping[str, str] = types.MappingProxyType({})
    facts: Mapping[str, object] = types.MappingProxyType({})
    item_facts: Mapping[str, Mapping[str, object]] = types.MappingProxyType({})
    unmatched: Unmatched | None = None
    notes: tuple[str, ...] = ()
    metrics: Mapping[str, int] = types.MappingProxyType({})


class Untested(Value, frozen=True, kw_only=True):
    """An item that could not be decided, and why."""

    item: str
    reason: str


class Evidence(Value, frozen=True, kw_only=True):
    """What came of one assertion over a period: of `population` items `tested` could be decided.

    `deviations` may be several of one item, so `deviating` counts items. An empty population is never a pass.
    """

    assertion: str
    statement: str
    unit: str
    source: str
    result: Result
    reason: str = ""
    population: int = 0
    tested: int = 0
    deviating: int = 0
    deviations: tuple[Deviation, ...] = ()
    untested: tuple[Untested, ...] = ()
    unmatched: Unmatched | None = None
    notes: tuple[str, ...] = ()
    metrics: Mapping[str, int] = {}
    dismissed: tuple[str, ...] = ()
    """Of deadlines: what was dismissed as no weakness, by whom and why, in words."""
    items: tuple[str, ...] = ()
    """Keys of the whole population, to sample from."""


def conclude(
    assertion: Assertion, population: Population, deviations: Sequence[Deviation], *, blind: str = ""
) -> Evidence:
    """Say what came of an assertion. `blind` says what of the period no ledger can tell, "" where they tell all.

    An item whose guards do not hold was not tested, unless it deviates all the same: what a scanner with looser
    settings did find is true, what it did not find says nothing.
    """
    bad = {one.item for one in deviations}
    untested = () if population.reason else tuple(_untested(assertion, population, bad))
    count = len(population.items)
    evidence = Evidence(
        assertion=assertion.id,
        statement=assertion.statement,
        unit=assertion.population.unit,
        source=assertion.population.source,
        result="no_deviation",
        population=count,
        tested=0 if population.reason else count - len(untested),
        deviating=len(bad),
        deviations=tuple(deviations),
        untested=untested,
        unmatched=population.unmatched if assertion.reconcile is not None else None,
        notes=population.notes,
        items=tuple(item.id for item in population.items),
    )
    if population.reason:
        return replace(evidence, result="not_tested", reason=population.reason)
    if bad:
        return replace(evidence, result="deviation", reason=blind)
    if blind:
        return replace(evidence, result="not_tested", reason=blind)
    if not count:
        return replace(evidence, result="no_occurrence", reason="there was none in the period")
    if untested:
        told = f"{len(untested)} of {count} could not be tested: {untested[0].reason}"
        return replace(evidence, result="not_tested", reason=told)
    return evidence


def _untested(assertion: Assertion, population: Population, bad: set[str]) -> Iterable[Untested]:
    for item in population.items:
        if item.id in bad:
            continue
        reason = population.untested.get(item.id, "")
        facts = {**population.facts, **population.item_facts.get(item.id, {})}
        for guard in assertion.requires:
            if not reason and not holds(guard, facts):
                known = facts.get(guard.input, "not known")
                reason = f"{guard.input} is {known}, and must be {guard.op} {guard.value}"
        if reason:
            yield Untested(item=item.id, reason=reason)
