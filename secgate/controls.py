"""Controls of frameworks and the assertions that they cite: data in `policies/controls/`, checked when it is read.

An assertion is a test that the ledger decides, free of any framework: what it says, over which population, from which
source, and what breaks it. A control belongs to a framework, cites assertions, and says how far they go: what they are
not enough for, what lies outside, and how an auditor tests it. A control has no result of its own. Organisations add
files of the same form; they can neither change nor take away what is shipped.

Source: notes on compliance, section 6. Ids are tokens as OSCAL has them (NIST OSCAL 1.2, `TokenDatatype`); what people
write, such as `gdpr:32(1)(d)`, is the label.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from secgate.errors import ConfigError
from secgate.model import Digest

ASSERTIONS = "secgate/assertions"
CONTROLS = "secgate/controls"
NOT_APPLICABLE = "secgate/not-applicable"
VERSION = 1
MAX_FILE_BYTES = 1024 * 1024

Token = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9._-]{0,127}$")]
Words = Annotated[str, Meta(min_length=1, max_length=1_000)]
Operator = Literal["lte", "gte", "eq", "in", "subset", "superset"]
Strength = Literal["direct", "supporting", "none"]
Source = Literal["external", "ledger"]


class _Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Ground of every part: closed, so that a misspelt key is a fault and never ignored."""


class Population(_Part, frozen=True, kw_only=True):
    """What is tested: its unit, who it comes from, and under which name; `where` says in words which of it."""

    unit: Token
    source: Source
    origin: Words = msgspec.field(name="from")
    where: str = ""


class Guard(_Part, frozen=True, kw_only=True):
    """A setting of the scanners or the record without which a result is not trusted."""

    input: Words
    op: Operator
    value: int | bool | str | list[str]


class Reconciliation(_Part, frozen=True, kw_only=True):
    """Two lists that must agree; what stands on one side only is listed."""

    left: Words
    right: Words
    list: tuple[Literal["left_unmatched", "right_unmatched"], ...]


class Timeliness(_Part, frozen=True, kw_only=True):
    """A time of an item that must not be after another one of it."""

    field: Words
    not_after: Words


class Assertion(_Part, frozen=True, kw_only=True):
    """A test that the ledger decides. `test` names the Rego package `secgate.assertions.TEST`."""

    id: Token
    statement: Words
    population: Population
    test: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    exception_when: tuple[Token, ...]
    requires: tuple[Guard, ...] = ()
    reconcile: Reconciliation | None = None
    timeliness: Timeliness | None = None
    params: dict[str, Any] = {}
    metrics: tuple[Token, ...] = ()


class Control(_Part, frozen=True, kw_only=True):
    """What a framework asks for, in our own words, and what the ledger has to say about it.

    `strength` direct: the gate's record is the control at work; supporting: one input among several; none: nothing here
    speaks for it, and it is listed so that nobody thinks it was forgotten.
    """

    id: Token
    label: Words
    title: Words
    strength: Strength
    assertions: tuple[Token, ...]
    not_enough: tuple[Words, ...]
    outside: tuple[Words, ...]
    auditor_test: Words
    params: dict[str, Any] = {}


class Framework(_Part, frozen=True, kw_only=True):
    """A framework in one edition."""

    key: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    name: Words
    edition: Words
    source: Words


class ControlSet(_Part, frozen=True, kw_only=True):
    """The controls of one framework, in its order."""

    schema: Literal["secgate/controls"]
    version: Literal[1]
    mapping_version: Words
    framework: Framework
    controls: tuple[Control, ...]


class AssertionSet(_Part, frozen=True, kw_only=True):
    """Assertions in one file."""

    schema: Literal["secgate/assertions"]
    version: Literal[1]
    mapping_version: Words
    assertions: tuple[Assertion, ...]


class NotApplicable(_Part, frozen=True, kw_only=True):
    """Somebody of the organisation decided that an assertion does not apply to it, and why. Nothing shipped does."""

    assertion: Token
    reason: Words
    person: Words
    """Id of people.toml."""
    decided_on: Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]

    @property
    def decided_epoch_s(self) -> int:
        """First second of that day in UTC. Raises ValueError for a day that no calendar has."""
        return int(datetime.strptime(self.decided_on, "%Y-%m-%d").replace(tzinfo=UTC).timestamp())


class NotApplicableSet(_Part, frozen=True, kw_only=True):
    """What does not apply, in one file."""

    schema: Literal["secgate/not-applicable"]
    version: Literal[1]
    mapping_version: Words
    not_applicable: tuple[NotApplicable, ...]


class ControlMapping(Struct, frozen=True, kw_only=True):
    """All frameworks and assertions that are known, the shipped ones first. `digest` is of the files' exact bytes."""

    sets: tuple[ControlSet, ...]
    assertions: Mapping[str, Assertion]
    versions: tuple[str, ...]
    digest: Digest
    not_applicable: Mapping[str, NotApplicable] = MappingProxyType({})
    """By assertion."""

    @property
    def frameworks(self) -> tuple[str, ...]:
        """Keys of the frameworks, in order."""
        return tuple(one.framework.key for one in self.sets)

    def of(self, key: str) -> ControlSet | None:
        """Give the controls of a framework; None for one that is not known."""
        return next((one for one in self.sets if one.framework.key == key), None)


def read_mapping(*layers: Mapping[str, bytes]) -> ControlMapping:
    """Give what files say, by path; each later layer adds to those before it.

    Raises ConfigError with every fault at once: a file that does not read, an id or label that is there twice, a
    framework without controls, a control that cites an assertion twice or one that nobody wrote, one whose strength
    does not fit what it cites, or a word that what nobody wrote does not apply.
    """
    sets: list[ControlSet] = []
    assertions: list[Assertion] = []
    declared: list[NotApplicable] = []
    versions: list[str] = []
    faults: list[tuple[str, str, str]] = []
    places: dict[int, str] = {}
    total = hashlib.sha256()
    for path, data in (item for layer in layers for item in sorted(layer.items())):
        total.update(f"{len(path.encode())}:{path}:{len(data)}:".encode() + data)
        try:
            read = _read(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
            faults.append((path, f"it does not read: {error}", "see docs/controls.md for the form"))
            continue
        versions.append(read.mapping_version)
        if isinstance(read, ControlSet):
            sets.append(read)
            places[id(read)] = path
        elif isinstance(read, NotApplicableSet):
            declared.extend(read.not_applicable)
        else:
            assertions.extend(read.assertions)
    faults += _doubles([one.id for one in assertions], "the assertion")
    faults += _doubles([one.framework.key for one in sets], "the framework")
    faults += _doubles([control.id for one in sets for control in one.controls], "the control")
    # Pages name a control by its label: one that is another's too would speak for it.
    faults += _doubles([control.label for one in sets for control in one.controls], "the label")
    faults += _doubles([one.assertion for one in declared], "the word that it does not apply, of")
    known = {one.id: one for one in assertions}
    faults += (fault for one in declared for fault in _undeclarable(one, known))
    for one in sets:
        if not one.controls:
            faults.append((places[id(one)], f"the framework `{one.framework.key}` has no controls", "write them"))
        faults += (fault for control in one.controls for fault in _faults(control, places[id(one)], known))
    if faults:
        raise ConfigError("the control mapping is wrong", faults=faults, place="controls")
    return ControlMapping(
        sets=tuple(sets),
        assertions=known,
        versions=tuple(dict.fromkeys(versions)),
        digest=total.hexdigest(),
        not_applicable={one.assertion: one for one in declared},
    )


def _undeclarable(one: NotApplicable, known: Mapping[str, Assertion]) -> Iterable[tuple[str, str, str]]:
    if one.assertion not in known:
        told = f"the assertion `{one.assertion}`, which is said not to apply, nobody wrote"
        yield ("controls", told, "name one that there is")
    try:
        _ = one.decided_epoch_s
    except ValueError:
        yield ("controls", f"there is no day {one.decided_on}", "write it as 2026-07-01")


def _read(data: bytes) -> ControlSet | AssertionSet | NotApplicableSet:
    if len(data) > MAX_FILE_BYTES:
        raise ValueError(f"it has {len(data)} bytes, and {MAX_FILE_BYTES} are allowed")
    kind = msgspec.json.decode(data, type=dict[str, Any]).get("schema")
    if kind == ASSERTIONS:
        return msgspec.json.decode(data, type=AssertionSet)
    if kind == CONTROLS:
        return msgspec.json.decode(data, type=ControlSet)
    if kind == NOT_APPLICABLE:
        return msgspec.json.decode(data, type=NotApplicableSet)
    raise ValueError(f"its `schema` is {kind!r}, and none of {ASSERTIONS}, {CONTROLS}, {NOT_APPLICABLE}")


def _doubles(names: Iterable[str], what: str) -> list[tuple[str, str, str]]:
    return [
        ("controls", f"{what} `{name}` is there {count} times", "give one of them another name; none can be replaced")
        for name, count in sorted(Counter(names).items())
        if count > 1
    ]


def _faults(control: Control, place: str, known: Mapping[str, Assertion]) -> Iterable[tuple[str, str, str]]:
    for name in control.assertions:
        if name not in known:
            yield (place, f"{control.id} cites the assertion `{name}`, which nobody wrote", "write it, or cite another")
    for name, count in sorted(Counter(control.assertions).items()):
        if count > 1:
            yield (place, f"{control.id} cites the assertion `{name}` {count} times", "cite it once")
    if (control.strength == "none") != (not control.assertions):
        told = "cites assertions" if control.assertions else "cites none"
        yield (place, f"{control.id} has the strength {control.strength} and {told}", "set the one that is true")
    if not control.not_enough or not control.outside:
        yield (place, f"{control.id} does not say what is not enough and what is outside", "say both")


def holds(guard: Guard, facts: Mapping[str, object]) -> bool:
    """Tell whether a guard holds for what is known. What is not known, or of another type, does not hold."""
    return guard.input in facts and _OPERATORS[guard.op](facts[guard.input], guard.value)


def _is_at_most(value: object, wanted: object) -> bool:
    return _is_number(value) and _is_number(wanted) and value <= wanted  # type: ignore[operator]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_within(value: object, wanted: object) -> bool:
    """Tell whether all of `value` is in `wanted`; of an empty list nothing is known."""
    return (
        isinstance(value, list | tuple)
        and isinstance(wanted, list | tuple)
        and 0 < len(value) == sum(one in wanted for one in value)
    )


_OPERATORS: Mapping[Operator, Callable[[object, object], bool]] = MappingProxyType(
    {
        "eq": lambda value, wanted: type(value) is type(wanted) and value == wanted,
        "lte": _is_at_most,
        "gte": lambda value, wanted: _is_at_most(wanted, value),
        "in": lambda value, wanted: isinstance(wanted, list) and value in wanted,
        "subset": _is_within,
        "superset": lambda value, wanted: _is_within(wanted, value),
    }
)
