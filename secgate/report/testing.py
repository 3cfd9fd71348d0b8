"""Sections 4, 5, 6 and 13: populations, results, exceptions, and samples that anybody can draw again by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from secgate.assertion_facts import UNKNOWN_BELOW_0, Item
from secgate.assertions import Deviation, Evidence
from secgate.escape import json_text
from secgate.evidence import Examined
from secgate.masking import clean
from secgate.model import Value
from secgate.population import Imported
from secgate.report.about import About, NotApplicable
from secgate.report.accounts import ExceptionRow, Sample, SampleRow, SamplingSection
from secgate.report.document import (
    ControlRow,
    ItemRow,
    ListUse,
    PopulationSection,
    ResultRow,
    ResultSection,
)
from secgate.report.references import References
from secgate.sla import many

METHOD = (
    "An item's rank is the SHA-256 of: the seed, a line feed, the item's key, in UTF-8 without a line end.",
    "The items of a population are sorted by that number, and the first ones are drawn, as many as were asked for.",
    "By hand: printf '%s\\n%s' SEED KEY | sha256sum",
    "Keys are in the population's file, one item a line; its digest is in section 4.",
    "From an item to its record: secgate ledger log, and secgate ledger prove ENTRY for a proof of inclusion.",
    "populations/entries.jsonl has each entry's leaf, and the digests of what is kept beside it: blobs/ of an export.",
)
"""How a sample is drawn."""


def populations(examined: Examined, references: References) -> tuple[PopulationSection, ...]:
    """Give what each assertion was tested on, with every item."""
    return tuple(_population(one, examined, references) for one in examined.found.assertions)


def _facts(item: Item) -> dict[str, Any]:
    """Give what the test saw of an item. Rego is asked with -1 for an age that nobody knows; a reader is told null."""
    facts = msgspec.json.decode(msgspec.json.encode(item), type=dict[str, Any])
    del facts["id"]
    return {name: None if name in UNKNOWN_BELOW_0 and value < 0 else value for name, value in facts.items()}


def _population(one: Evidence, examined: Examined, references: References) -> PopulationSection:
    bad = {deviation.item for deviation in one.deviations}
    left = {untested.item for untested in one.untested}
    all_left = one.result == "not_tested" and not one.tested
    rows = []
    for item in examined.populations[one.assertion].items:
        facts = _facts(item)
        rows.append(
            ItemRow(
                id=item.id,
                standing="deviating" if item.id in bad else "untested" if all_left or item.id in left else "tested",
                entries=references.of(item.id, facts),
                facts=facts,
            )
        )
    known = examined.mapping.assertions[one.assertion].population
    lists = examined.ground.lists.get(known.origin)  # type: ignore[call-overload]  # an origin that is no kind has none
    return PopulationSection(
        assertion=one.assertion,
        statement=one.statement,
        unit=one.unit,
        source=one.source,
        origin=known.origin,
        where=known.where,
        count=one.population,
        file=f"populations/{one.assertion}.jsonl",
        digest=hashlib.sha256(json_lines(rows)).hexdigest(),
        lists=tuple(_list(used, references) for used in (lists.imports if lists is not None else ())),
        unmatched=one.unmatched,
        notes=tuple(clean(note) for note in one.notes),
        items=tuple(rows),
    )


def json_lines(rows: Iterable[Value]) -> bytes:
    """Give the file of a population, or of the entries: one JSON object a line, in their order."""
    lines = (json_text(msgspec.json.encode(row, order="sorted")) for row in rows)
    return b"".join(line + b"\n" for line in lines)


def _list(one: Imported, references: References) -> ListUse:
    event = one.event
    return ListUse(
        kind=event.kind,
        source=clean(event.source),
        query=clean(event.query),
        extracted_epoch_s=event.extracted_epoch_s,
        from_epoch_s=event.from_epoch_s,
        to_epoch_s=event.to_epoch_s,
        repositories=event.repositories,
        environments=event.environments,
        file_digest=event.source_digest,
        rows_digest=event.rows_digest,
        read=event.read,
        taken=event.rows,
        left_out=dict(sorted(event.left_out.items())),
        unknown_people=event.unknown_people,
        entry=references.of_list(one),
    )


def results(examined: Examined, about: About) -> ResultSection:
    """Give what came of each assertion, and the controls that cite them."""
    decided = {one.assertion: one for one in about.not_applicable}
    return ResultSection(
        results=tuple(_result(one, decided.get(one.assertion)) for one in examined.found.assertions),
        controls=tuple(msgspec.convert(one, type=ControlRow, from_attributes=True) for one in examined.found.controls),
    )


def _result(one: Evidence, decided: NotApplicable | None) -> ResultRow:
    """Say what came of it. A decision that it does not apply counts only where there is nothing that it applies to."""
    row = ResultRow(
        assertion=one.assertion,
        statement=one.statement,
        result=one.result,
        reason=clean(one.reason),
        population=one.population,
        tested=one.tested,
        deviating=one.deviating,
        untested=tuple(msgspec.structs.replace(left, reason=clean(left.reason)) for left in one.untested),
    )
    if decided is None:
        return row
    if one.population:
        told = f"{decided.by} decided that it does not apply, and the population is {many(one.population, 'item')}"
        return msgspec.structs.replace(row, reason=f"{row.reason}; {told}" if row.reason else told)
    return msgspec.structs.replace(row, result="not_applicable", reason=decided.why, decided_by=decided.by)


def exceptions(examined: Examined, populations: Sequence[PopulationSection], about: About) -> tuple[ExceptionRow, ...]:
    """Give every deviation, with what is known of its item and what management answered."""
    items = {(one.assertion, row.id): row for one in populations for row in one.items}
    reasons = _reasons(examined)
    citing: dict[str, list[str]] = {}
    for control in examined.found.controls:
        for name in control.assertions:
            citing.setdefault(name, []).append(control.label)
    rows = []
    for one in examined.found.assertions:
        for deviation in one.deviations:
            item = items[one.assertion, deviation.item]
            name = exception_id(one.assertion, deviation)
            rows.append(
                ExceptionRow(
                    id=name,
                    assertion=one.assertion,
                    controls=tuple(citing.get(one.assertion, ())),
                    item=deviation.item,
                    exception=deviation.exception,
                    detail=clean(deviation.detail),
                    reason=clean(reasons.get(deviation.item, "")),
                    facts=item.facts,
                    entries=item.entries,
                    response=about.responses.get(name, ""),
                )
            )
    return tuple(rows)


def exception_id(assertion: str, one: Deviation) -> str:
    """Give the id of a deviation: the same in every report over the same record, in whatever words it is told."""
    text = f"{assertion}\n{one.item}\n{one.exception}\n{one.about}"
    return f"EX-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _reasons(examined: Examined) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for read in examined.ground.ledgers:
        found |= {read.named(one.id, one.id): one.request.reason for one in read.said.waivers}
        found |= {read.named(one.id, one.id): one.request.reason for one in read.said.downgrades}
        found |= {read.named(one.id, one.id): one.said.reason for one in read.said.overrides}
    return found


def sampling(populations: Sequence[PopulationSection], *, seed: str, size: int) -> SamplingSection:
    """Draw from each population, where a seed was given."""
    drawn = tuple(_sample(one, seed, size) for one in populations) if seed else ()
    return SamplingSection(seed=seed, size=size, method=METHOD, samples=drawn)


def _sample(one: PopulationSection, seed: str, size: int) -> Sample:
    digests = [(hashlib.sha256(f"{seed}\n{row.id}".encode()).hexdigest(), row) for row in one.items]
    ranked = sorted(digests, key=lambda pair: (pair[0], pair[1].id))
    return Sample(
        assertion=one.assertion,
        population=one.count,
        rows=tuple(
            SampleRow(rank=rank, item=row.id, digest=digest, standing=row.standing, entries=row.entries)
            for rank, (digest, row) in enumerate(ranked[:size], start=1)
        ),
    )
