"""A period's evidence: ledgers and lists read, each assertion tested on its population, beside the controls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from msgspec.structs import replace

from secgate.assertion_facts import Item
from secgate.assertions import (
    Deviation,
    Evidence,
    Module,
    Period,
    Population,
    conclude,
    evaluate,
    read_library,
    read_modules,
    require_modules,
    undecided,
)
from secgate.config import Machine
from secgate.controls import Assertion, ControlMapping
from secgate.engines.regorus import RegorusEngine
from secgate.errors import LedgerError, PolicyError, UsageError
from secgate.evidence import agreements, scanning, shipping, weaknesses
from secgate.evidence.ground import Ground, Kept, fetch_checkpoints, of_each, read_ground
from secgate.model import Value
from secgate.ports import Engine, Ledger
from secgate.preparation import (
    Enforced,
    Place,
    Prepared,
    RunRequest,
    Silence,
    Workshop,
    choose_ledger,
    guarded_reader,
    named_ledger,
    prepare,
    workshop,
)
from secgate.resources import data_dir, files_under
from secgate.sla import utc_words

FORMAT_VERSION = 1
_LIBRARY = "rego/lib/words.rego"

Builder = Callable[[Ground, Assertion], Population]
POPULATIONS: Mapping[str, Builder] = MappingProxyType(
    {
        "deployments": shipping.deployments,
        "reviews": shipping.changes,
        "artifacts": shipping.releases,
        "repositories": scanning.repositories,
        "feed_uses": scanning.feed_uses,
        "protected_runs": scanning.protected_runs,
        "runs": scanning.records,
        "finding_episodes": weaknesses.opened_or_due,
        "supersedings": weaknesses.supersedings,
        "dependency_episodes": weaknesses.patches,
        "secret_episodes": weaknesses.secrets,
        "breaches": weaknesses.breaches,
        "overrides": agreements.overrides,
        "exceptions": agreements.exceptions,
        "gate_changes": agreements.gate_changes,
        "review_windows": agreements.review_windows,
        "checkpoints": agreements.checkpoints,
    }
)
"""What makes each population that an assertion may be `from`."""


class EvidenceWish(Value, frozen=True, kw_only=True):
    """Over which period (aware times), for which frameworks (() for all), from which ledgers (() for the tree's)."""

    start: datetime
    end: datetime
    frameworks: tuple[str, ...] = ()
    ledgers: tuple[str, ...] = ()
    checkpoints: tuple[str, ...] = ()
    """Where checkpoints are kept: a file, REPOSITORY#REF or an address."""


class SourceLedger(Value, frozen=True, kw_only=True):
    """A ledger that was read and verified."""

    address: str
    ledger_id: str
    size: int
    root: str
    first_epoch_s: int
    last_epoch_s: int
    skipped: int
    """Entries of a type or version that this program does not know."""


class CitedControl(Value, frozen=True, kw_only=True):
    """A control and the assertions that it cites. It has no result of its own."""

    framework: str
    id: str
    label: str
    title: str
    strength: str
    assertions: tuple[str, ...]
    not_enough: tuple[str, ...]
    outside: tuple[str, ...]
    auditor_test: str


class PeriodEvidence(Value, frozen=True, kw_only=True):
    """What came of every assertion over a period. Equal ledgers and parameters give an equal value."""

    version: int = FORMAT_VERSION
    period: Period
    frameworks: tuple[str, ...]
    mapping_versions: tuple[str, ...]
    mapping_digest: str
    engine: str
    enforced_digest: str
    ledgers: tuple[SourceLedger, ...]
    assertions: tuple[Evidence, ...]
    controls: tuple[CitedControl, ...]


class Examined(NamedTuple):
    """A period's evidence, and what it was drawn from: `populations` by assertion, `kept` checkpoints from outside."""

    found: PeriodEvidence
    ground: Ground
    mapping: ControlMapping
    enforced: Enforced
    populations: Mapping[str, Population]
    kept: tuple[Kept, ...]


def period_evidence(wish: EvidenceWish, *, place: Place, machine: Machine, now: datetime) -> PeriodEvidence:
    """Test every assertion that is cited, as `examine` does, and give what came of it."""
    return examine(wish, place=place, machine=machine, now=now).found


def examine(wish: EvidenceWish, *, place: Place, machine: Machine, now: datetime) -> Examined:
    """Test every assertion that is cited. Facts after the period's end are used as far as they tell of it.

    Raises UsageError for a period that is not over or a framework that nobody knows, LedgerError for a ledger that is
    not there or does not verify, ConfigError for a mapping that is wrong, PolicyError for a test that cannot decide.
    """
    if wish.start >= wish.end:
        raise UsageError("the period ends before it begins", place="--to", remedy="give a later day")
    if wish.end > now:
        raise UsageError("the period is not over", place="--to", remedy="what may still happen cannot be tested")
    period = Period(from_epoch_s=int(wish.start.timestamp()), to_epoch_s=int(wish.end.timestamp()))
    with workshop(machine, now=now, observer=Silence()) as shop:
        request = RunRequest(path=place.path, config=place.config, enforced=place.enforced)
        prepared = prepare(request, machine=machine, runner=shop.executor, scratch=shop.scratch)
        mapping = prepared.mapping
        _require_populations(mapping)
        frameworks = _frameworks(wish.frameworks, mapping)
        modules = assertion_modules(prepared, mapping, shop)
        kept = fetch_checkpoints(wish.checkpoints, shop)
        ledgers = evidence_ledgers(wish.ledgers, prepared, shop)
        ground = read_ground(ledgers, period=period, prepared=prepared, shop=shop, kept=kept)
        cited = {name for key in frameworks for one in _controls(mapping, key) for name in one.assertions}
        tested = [one for name, one in mapping.assertions.items() if name in cited]
        populations = {one.id: POPULATIONS[one.population.origin](ground, one) for one in tested}
        found = PeriodEvidence(
            period=period,
            frameworks=frameworks,
            mapping_versions=mapping.versions,
            mapping_digest=mapping.digest,
            engine=f"{prepared.engine.name} {prepared.engine.version}",
            enforced_digest=prepared.enforced.digest,
            ledgers=tuple(_source(one.chronicle.address, ground, at) for at, one in enumerate(ground.ledgers)),
            assertions=tuple(_tested(one, populations[one.id], ground, modules, prepared) for one in tested),
            controls=tuple(one for key in frameworks for one in _controls(mapping, key)),
        )
        return Examined(found, ground, mapping, prepared.enforced, populations, kept)


def _require_populations(mapping: ControlMapping) -> None:
    for one in mapping.assertions.values():
        if one.population.origin not in POPULATIONS:
            raise UsageError(
                f"the assertion {one.id} is from a population that nobody makes: {one.population.origin}",
                place="controls",
                remedy=f"one of: {', '.join(POPULATIONS)}",
            )


def assertion_modules(prepared: Prepared, mapping: ControlMapping, shop: Workshop) -> tuple[Module, ...]:
    """Give the tests of all assertions. The organisation's are read in a child, and can take the place of none."""
    shipped_files = dict(files_under(data_dir("policies") / "controls", ".rego"))
    own_files = {name: data for name, data in prepared.enforced.controls.items() if name.endswith(".rego")}
    shared = {_LIBRARY: (data_dir("policies") / _LIBRARY).read_bytes()}
    assertions = tuple(mapping.assertions.values())
    library = read_library(shared, reader=RegorusEngine())
    ours = read_modules(shipped_files, assertions, reader=RegorusEngine(), is_ours=True, library=library)
    guarded = guarded_reader(shop.machine, runner=shop.executor, scratch=shop.scratch)
    theirs = read_modules(own_files, assertions, reader=guarded, is_ours=False, library=library)
    taken = {one.package for one in ours}
    for one in theirs:
        if one.package in taken:
            raise PolicyError(
                f"`{one.package}` is shipped, and cannot be replaced",
                place=one.module.path,
                remedy="give the test another name",
            )
    require_modules(assertions, (*ours, *theirs))
    return (*library, *ours, *theirs)


def _frameworks(wanted: Sequence[str], mapping: ControlMapping) -> tuple[str, ...]:
    for key in wanted:
        if key not in mapping.frameworks:
            raise UsageError(
                f"there is no framework `{key}`", place="--framework", remedy=f"one of: {', '.join(mapping.frameworks)}"
            )
    return tuple(dict.fromkeys(wanted)) or mapping.frameworks


def _controls(mapping: ControlMapping, key: str) -> Iterable[CitedControl]:
    found = mapping.of(key)
    for one in found.controls if found is not None else ():
        yield CitedControl(
            framework=key,
            id=one.id,
            label=one.label,
            title=one.title,
            strength=one.strength,
            assertions=one.assertions,
            not_enough=one.not_enough,
            outside=one.outside,
            auditor_test=one.auditor_test,
        )


def evidence_ledgers(names: Sequence[str], prepared: Prepared, shop: Workshop) -> tuple[Ledger, ...]:
    """Give the ledgers that are named, or the tree's own. Raises LedgerError where there is none."""
    if names:
        once = tuple(dict.fromkeys(names))
        return of_each(once, lambda name: named_ledger(name, machine=shop.machine, executor=shop.executor))
    chosen = choose_ledger(
        prepared.settings.ledger,
        target=prepared.target,
        repository=prepared.repository,
        machine=shop.machine,
        executor=shop.executor,
        read_only=True,
    )
    if chosen is None or not chosen.ledger.exists():
        raise LedgerError(
            "there is no ledger",
            place=chosen.ledger.address if chosen is not None else "ledger.store",
            remedy="name one with --ledger",
        )
    return (chosen.ledger,)


def _source(address: str, ground: Ground, at: int) -> SourceLedger:
    chronicle = ground.ledgers[at].chronicle
    memory = chronicle.memory
    return SourceLedger(
        address=address,
        ledger_id=memory.ledger_id or "",
        size=memory.head.size,
        root=memory.head.root,
        first_epoch_s=chronicle.first_epoch_s,
        last_epoch_s=memory.last_epoch_s,
        skipped=memory.skipped,
    )


def _tested(
    assertion: Assertion, population: Population, ground: Ground, modules: Sequence[Module], prepared: Prepared
) -> Evidence:
    declared = prepared.mapping.not_applicable.get(assertion.id)
    if declared is not None:
        told = f"{declared.reason} (decided by {declared.person} on {declared.decided_on})"
        if not population.items and declared.decided_epoch_s < ground.period.to_epoch_s:
            return replace(conclude(assertion, population, ()), result="not_applicable", reason=told)
        why = "there is something of it" if population.items else "that was after the period"
        noted = f"declared not to apply, and judged all the same, since {why}: {told}"
        population = population._replace(notes=(*population.notes, noted))
    if population.reason:
        return conclude(assertion, population, ())
    deviations = deviations_of(assertion, population, ground, modules, prepared)
    population = _without_undecided(assertion, population, ground, modules, prepared)
    evidence = conclude(assertion, population, deviations, blind=_blind(ground))
    if assertion.metrics and assertion.population.unit == "finding_episode":
        numbers = weaknesses.sla_metrics(weaknesses.as_episodes(population.items), deviations, ground.period)
        dismissed = weaknesses.dismissal_notes(weaknesses.as_episodes(population.items), ground)
        return replace(evidence, metrics=numbers, dismissed=dismissed)
    return evidence


def deviations_of(
    assertion: Assertion, population: Population, ground: Ground, modules: Sequence[Module], prepared: Prepared
) -> tuple[Deviation, ...]:
    """Ask an assertion's module about the items that can be told. Raises PolicyError for one that cannot decide."""
    engine = _engine(assertion, modules, prepared)
    return evaluate(assertion, _known(population), ground.period, modules=modules, engine=engine)


def _without_undecided(
    assertion: Assertion, population: Population, ground: Ground, modules: Sequence[Module], prepared: Prepared
) -> Population:
    """Leave what still has time at the period's end untested: nobody can tell yet whether it is kept."""
    engine = _engine(assertion, modules, prepared)
    waiting = undecided(assertion, _known(population), ground.period, modules=modules, engine=engine)
    return population._replace(untested={**population.untested, **waiting})


def _known(population: Population) -> list[Item]:
    return [item for item in population.items if item.id not in population.untested]


def _engine(assertion: Assertion, modules: Sequence[Module], prepared: Prepared) -> Engine:
    is_ours = all(one.is_ours for one in modules if one.package.endswith(f".{assertion.test}"))
    return prepared.engine if is_ours else prepared.guarded


def _blind(ground: Ground) -> str:
    """Say where no ledger reaches back to the period's beginning: what was then, none of them can tell."""
    first = min((one.chronicle.first_epoch_s for one in ground.ledgers), default=0)
    if first > ground.period.from_epoch_s:
        return f"the first entry of the ledger is of {utc_words(first)}, after the period's beginning"
    return ""
