"""A period's report made: evidence examined, fourteen sections put together, with how it was made and what it lacks."""

from __future__ import annotations

import re
import shlex
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from secgate.assertions import Period
from secgate.config import Machine
from secgate.errors import ConfigError, LedgerError, UsageError
from secgate.evidence import EvidenceWish, Examined, Place, examine
from secgate.model import Value, encode
from secgate.report.about import About, read_about
from secgate.report.accounts import ExceptionRow, Input, MakingSection, Parameter
from secgate.report.deadlines import deadlines
from secgate.report.document import Cover, FrameworkName, PopulationSection, Report, ResultRow
from secgate.report.gate import change_section, runs_within, scope_section, system_section
from secgate.report.integrity import integrity
from secgate.report.outages import outages
from secgate.report.references import References
from secgate.report.testing import exceptions, populations, results, sampling
from secgate.report.waivers import waivers
from secgate.report.words import moment, stamp
from secgate.resources import program_digest
from secgate.sla import many, many_entries
from secgate.version import __version__

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://github.com/secgate/secgate/report/v1")
"""What ids of reports, and of all that is in them, are made in."""
SAMPLE_SIZE = 25
"""How many items are drawn of each population by default. No standard says how many it should be."""
MOST_DRAWN = 10_000
_SEED = re.compile(r"[ -~]{1,200}")

LIMITS = (
    "These are results of tests on what the gate recorded. Whether a control is met is for an auditor to say.",
    "A control has no result here. Each shows its assertions, what they are not enough for, and what lies outside.",
    "Scanners do not find every weakness; what they did not look at is in section 9.",
    "Times are those of the machines that recorded, and never go back in a ledger.",
    "Signatures count by the enforced layer as it is now.",
    "A ledger shows that it was changed only relative to a checkpoint that its holder cannot change.",
)


class ReportWish(Value, frozen=True, kw_only=True):
    """Which report: a framework, a period and the moment of making (aware times), ledgers and checkpoints by name.

    `seed` and `size` are for samples, `about` names the file with what management says.
    """

    framework: str
    start: datetime
    end: datetime
    generated: datetime
    ledgers: tuple[str, ...] = ()
    checkpoints: tuple[str, ...] = ()
    about: str = ""
    seed: str = ""
    size: int = SAMPLE_SIZE
    final: bool = False


def make_report(wish: ReportWish, *, place: Place, machine: Machine, now: datetime) -> Report:
    """Give the report. Equal ledgers, files and wishes give an equal value; `now` only tells what lies ahead.

    Raises what `evidence.examine` does, LedgerError for a ledger without entries, UsageError for a wish that cannot be
    met, ConfigError for words of management that speak of nothing.
    """
    _check(wish, now)
    about, about_digest = read_about(wish.about, cwd=machine.cwd)
    evidence = EvidenceWish(
        start=wish.start,
        end=wish.end,
        frameworks=(wish.framework,),
        ledgers=wish.ledgers,
        checkpoints=wish.checkpoints,
    )
    examined = examine(evidence, place=place, machine=machine, now=wish.generated)
    for ledger in examined.found.ledgers:
        if not ledger.size:
            raise LedgerError(
                "the ledger has no entries", place=ledger.address, remedy="name the one that runs record in"
            )
    references = References(examined.ground)
    tested = populations(examined, references)
    found = exceptions(examined, tested, about)
    _check_about(about, examined, found)
    outcome = results(examined, about)
    making = _making(wish, place, examined, tested, about_digest)
    drawn = sampling(tested, seed=wish.seed, size=wish.size)
    waived, out, changed = waivers(examined), outages(examined), change_section(examined)
    return Report(
        cover=_cover(wish, examined, about, making),
        scope=scope_section(examined, about),
        system=system_section(examined),
        populations=tested,
        tests=outcome,
        exceptions=found,
        sla=deadlines(examined, outcome.results),
        waivers=waived,
        outages=out,
        changes=changed,
        integrity=integrity(examined),
        making=making,
        sampling=drawn,
        limits=(*LIMITS, *_limits(wish, examined, outcome.results)),
        entries=references.rows(tested, found, waived, out, changed),
    )


def _check(wish: ReportWish, now: datetime) -> None:
    if wish.generated > now:
        raise UsageError("that moment lies ahead", place="--generated-at", remedy="give the present, or an earlier one")
    if wish.seed and not _SEED.fullmatch(wish.seed):
        raise UsageError(
            "a seed is up to 200 printable ASCII characters", place="--seed", remedy="take the auditor's, on one line"
        )
    if not 1 <= wish.size <= MOST_DRAWN:
        raise UsageError(f"of 1 to {MOST_DRAWN} items", place="--sample", remedy="ask for fewer; JSON has them all")


def _check_about(about: About, examined: Examined, found: Sequence[ExceptionRow]) -> None:
    """Refuse words that are about nothing: they would be lost unseen."""
    ids = {one.id for one in found}
    known = {one.assertion for one in examined.found.assertions}
    faults = [
        (f"responses.{name}", "there is no such exception in this report", "take its id from section 6")
        for name in sorted(set(about.responses) - ids)
    ]
    faults += [
        (f"not_applicable {one.assertion}", "no control of this framework cites it", "take its name from section 5")
        for one in about.not_applicable
        if one.assertion not in known
    ]
    if faults:
        raise ConfigError("it speaks of what is not there", faults=faults, place="--about")


def _cover(wish: ReportWish, examined: Examined, about: About, making: MakingSection) -> Cover:
    frameworks = tuple(
        FrameworkName(
            key=one.framework.key,
            name=one.framework.name,
            edition=one.framework.edition,
            source=one.framework.source,
        )
        for one in examined.mapping.sets
        if one.framework.key in examined.found.frameworks
    )
    made_from = encode({"parameters": making.parameters, "inputs": making.inputs, "versions": making.versions})
    return Cover(
        title=f"Evidence for {' and '.join(one.name for one in frameworks)}",
        entity=about.entity,
        status="final" if wish.final else "draft",
        period=examined.found.period,
        frameworks=frameworks,
        report_id=str(uuid.uuid5(NAMESPACE, made_from.decode())),
        generated_epoch_s=int(wish.generated.timestamp()),
        generator=f"secgate {__version__}",
        generator_digest=program_digest(),
    )


def _making(
    wish: ReportWish, place: Place, examined: Examined, tested: Sequence[PopulationSection], about_digest: str
) -> MakingSection:
    words = ["secgate", "report", wish.framework]
    given: list[tuple[str, str]] = [
        ("--from", stamp(int(wish.start.timestamp()))),
        ("--to", stamp(int(wish.end.timestamp()))),
        ("--generated-at", stamp(int(wish.generated.timestamp()))),
        *(("--ledger", name) for name in wish.ledgers),
        *(("--checkpoint", name) for name in wish.checkpoints),
        *([("--about", wish.about)] if wish.about else []),
        *([("--seed", wish.seed)] if wish.seed else []),
        ("--sample", str(wish.size)),
        *([("--path", place.path)] if place.path != "." else []),
        *([("--config", place.config)] if place.config else []),
        *([("--enforced", place.enforced)] if place.enforced else []),
    ]
    flags = ["--final"] if wish.final else []
    command = shlex.join([*words, *(word for pair in given for word in pair), *flags, "-o", "DIR"])
    return MakingSection(
        command=command,
        parameters=(
            Parameter(name="framework", value=wish.framework),
            *(Parameter(name=name, value=value) for name, value in given),
            *(Parameter(name=name, value="") for name in flags),
        ),
        versions=(
            Parameter(name="secgate", value=__version__),
            Parameter(name="engine", value=examined.found.engine),
            Parameter(name="control mapping", value=", ".join(examined.found.mapping_versions)),
        ),
        inputs=tuple(_inputs(examined, tested, about_digest)),
        filters=tuple(_filters(examined)),
        again="The same command over the same inputs gives the same files, byte for byte; SHA256SUMS has digests.",
    )


def _inputs(examined: Examined, tested: Sequence[PopulationSection], about_digest: str) -> Iterator[Input]:
    ground = examined.ground
    for read in ground.ledgers:
        head = read.chronicle.memory.head
        within = sum(ground.within(one.at_epoch_s) for one in read.chronicle.runs)
        yield Input(
            what="ledger: root; entries read, runs of the period",
            name=f"{read.chronicle.address} ({(read.chronicle.memory.ledger_id or '')[:12]})",
            digest=head.root,
            rows_in=head.size,
            rows_out=within,
        )
    for kind, joined in sorted(ground.lists.items()):
        for one in joined.imports:
            yield Input(
                what=f"list of {kind}: file; records read, rows taken",
                name=f"entry {one.sequence}, {one.event.form}",
                digest=one.event.source_digest,
                rows_in=one.event.read,
                rows_out=one.event.rows,
            )
    for population in tested:
        yield Input(
            what="population: file; items, items tested",
            name=population.file,
            digest=population.digest,
            rows_in=population.count,
            rows_out=sum(item.standing != "untested" for item in population.items),
        )
    for kept in examined.kept:
        yield Input(
            what="checkpoint: root; entries",
            name=kept.address,
            digest=kept.sealed.checkpoint.root,
            rows_in=kept.sealed.checkpoint.size,
            rows_out=kept.sealed.checkpoint.size,
        )
    controls, assertions = len(examined.found.controls), len(examined.found.assertions)
    yield Input(
        what="control mapping: controls and assertions in the report",
        name=", ".join(examined.found.mapping_versions),
        digest=examined.found.mapping_digest,
        rows_in=controls,
        rows_out=assertions,
    )
    for name, digest in (("enforced layer", examined.enforced.digest), ("--about", about_digest)):
        if digest:
            yield Input(what=name, name=name, digest=digest, rows_in=1, rows_out=1)


def _filters(examined: Examined) -> Iterator[str]:
    period = examined.found.period
    yield f"time: from {moment(period.from_epoch_s)} until before {moment(period.to_epoch_s)}, by the ledger's time"
    yield f"frameworks: {', '.join(examined.found.frameworks)}"
    yield "repositories, lines, environments: all that the ledgers and lists hold"
    yield "runs: those of protected branches, of whole and clean trees, unless the assertion says otherwise"


def _limits(wish: ReportWish, examined: Examined, tested: Sequence[ResultRow]) -> Iterator[str]:
    counts = Counter(one.result for one in tested)
    if counts["not_tested"]:
        yield f"{many(counts['not_tested'], 'assertion')} of {len(tested)} could not be tested; section 5 says why."
    if counts["no_occurrence"]:
        told = many(counts["no_occurrence"], "assertion")
        yield f"{told} had nothing in the period to be tested on, which shows nothing of how the control works."
    if not wish.checkpoints:
        yield "No checkpoint from outside was named: nothing here shows that a ledger is what it was."
    generated = int(wish.generated.timestamp())
    for read in examined.ground.ledgers:
        memory, name = read.chronicle.memory, (read.chronicle.memory.ledger_id or "")[:12]
        if memory.provisional:
            yield f"The ledger {name} was made at first use, and nobody took it over since."
        if memory.skipped:
            told = "of a type or version that this secgate does not know: what they say is in no number here"
            yield f"The ledger {name} holds {many_entries(memory.skipped)} {told}."
        reach = examined.ground.reach(read)
        if wish.checkpoints and reach < memory.head.size:
            told = f"{many_entries(memory.head.size - reach)}, from number {reach} on, that no checkpoint here is of"
            yield f"The ledger {name} has {told}: only its holder vouches for them."
        if memory.last_epoch_s > generated:
            yield f"The ledger {name} has entries of a later time than the report's."
    if not any(True for _ in runs_within(examined.ground)):
        yield "No run was recorded in the period."
    yield from _of_lists(examined, examined.found.period)


def _of_lists(examined: Examined, period: Period) -> Iterator[str]:
    unknown = sum(one.event.unknown_people for joined in examined.ground.lists.values() for one in joined.imports)
    if unknown:
        yield f"{many(unknown, 'person', 'people')} in lists are unknown to people.toml; two may be one person."
    early = [
        kind
        for kind, joined in sorted(examined.ground.lists.items())
        for one in joined.imports
        if one.event.extracted_epoch_s < period.to_epoch_s
    ]
    if early:
        yield f"Lists that were taken before the period's end: {', '.join(dict.fromkeys(early))}."
