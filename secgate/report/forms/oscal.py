"""The report as OSCAL assessment results: one observation an assertion, and a finding only for what was tested.

OSCAL knows of a finding's objective that it is satisfied or not, and nothing else. So what was not tested, did not
occur or does not apply has an observation with a property and no finding. A finding is of an assertion, never of a
control.
Source: NIST OSCAL 1.2.1, assessment results model.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from secgate.errors import InternalError
from secgate.escape import json_text, plain
from secgate.report.document import PopulationSection, Report, ResultRow
from secgate.report.forms import Files
from secgate.report.forms.json import population_files
from secgate.report.words import stamp

OSCAL_VERSION = "1.2.1"
NAME = "oscal-assessment-results.json"
NAMESPACE = "https://github.com/secgate/secgate/ns/oscal"
"""Namespace of our properties."""
_STATES = {"no_deviation": "satisfied", "deviation": "not-satisfied"}


def render(report: Report) -> Files:
    """Give the assessment results, and each population's file, which they name by digest."""
    document = assessment_results(report)
    check_references(document)
    data = msgspec.json.format(msgspec.json.encode(document, order="sorted"), indent=2)
    return {NAME: json_text(data) + b"\n", **population_files(report)}


def assessment_results(report: Report) -> dict[str, Any]:
    """Give the document as plain values. Ids are UUIDs (version 5) within the report's own id."""
    cover, ids = report.cover, _Ids(report.cover.report_id)
    made = stamp(cover.generated_epoch_s)
    populations = {one.assertion: one for one in report.populations}
    result: dict[str, Any] = {
        "uuid": ids.of("result"),
        "title": _line(cover.title),
        "description": "Results of tests on what the gate recorded. Whether a control is met is for an auditor to say.",
        "start": stamp(cover.period.from_epoch_s),
        "end": stamp(cover.period.to_epoch_s),
        "props": _props({"status": cover.status, "mapping": _version(report), "time-zone": cover.time_zone}),
        "reviewed-controls": {
            "control-selections": [_reviewed(report)],
            **_not_reviewed(report),
        },
        "observations": [_observation(one, populations[one.assertion], ids, made) for one in report.tests.results],
    }
    findings = [_finding(one, report, ids) for one in report.tests.results if one.result in _STATES]
    if findings:
        result["findings"] = findings
    return {
        "assessment-results": {
            "uuid": cover.report_id,
            "metadata": {
                "title": _line(cover.title),
                "last-modified": made,
                "version": cover.report_id,
                "oscal-version": OSCAL_VERSION,
                "props": _props({"entity": cover.entity, "generator": cover.generator}),
            },
            "import-ap": {
                "href": f"#{ids.of('plan')}",
                "remarks": "There is no plan in OSCAL: parameters stand for it.",
            },
            "results": [result],
            "back-matter": {"resources": list(_resources(report, ids))},
        }
    }


def _reviewed(report: Report) -> dict[str, Any]:
    """Name the controls that an assertion speaks for, by whatever result; OSCAL has no empty list of them."""
    named = [{"control-id": one.id} for one in report.tests.controls if one.assertions]
    if named:
        return {"include-controls": named}
    return {"include-all": {}, "exclude-controls": [{"control-id": one.id} for one in report.tests.controls]}


def _not_reviewed(report: Report) -> dict[str, Any]:
    """Name the controls that no assertion speaks for: nothing of them was looked at."""
    left = [{"not-tested": one.id} for one in report.tests.controls if not one.assertions]
    return {"props": _props(*left)} if left else {}


class _Ids:
    def __init__(self, report_id: str) -> None:
        self._space = uuid.UUID(report_id)

    def of(self, name: str) -> str:
        return str(uuid.uuid5(self._space, name))


def _observation(one: ResultRow, population: PopulationSection, ids: _Ids, made: str) -> dict[str, Any]:
    counts = f"population {one.population}, tested {one.tested}, deviating {one.deviating}"
    return {
        "uuid": ids.of(f"observation {one.assertion}"),
        "title": _line(one.assertion),
        "description": _line(f"{one.statement} Result: {one.result}; {counts}."),
        "methods": ["TEST"],
        "types": ["control-objective"],
        "props": _props(
            {
                "result": one.result,
                "reason": one.reason,
                "decided-by": one.decided_by,
                "population": str(one.population),
                "tested": str(one.tested),
                "deviating": str(one.deviating),
                "source": population.source,
            }
        ),
        "relevant-evidence": [
            {
                "href": f"#{ids.of(f'population {one.assertion}')}",
                "description": "Every item of the population, with its facts and the ledger's entries.",
            }
        ],
        "collected": made,
        **({"remarks": "\n".join(map(_line, population.notes))} if population.notes else {}),
    }


def _finding(one: ResultRow, report: Report, ids: _Ids) -> dict[str, Any]:
    controls = [control.id for control in report.tests.controls if one.assertion in control.assertions]
    exceptions = [found.id for found in report.exceptions if found.assertion == one.assertion]
    return {
        "uuid": ids.of(f"finding {one.assertion}"),
        "title": _line(one.assertion),
        "description": _line(one.statement),
        "props": _props(
            {"result": one.result},
            *({"control": control} for control in controls),
            *({"exception": name} for name in exceptions),
        ),
        "target": {
            "type": "objective-id",
            "target-id": one.assertion,
            "description": "An assertion of the mapping, not a control: it speaks for one as far as the mapping says.",
            "status": {"state": _STATES[one.result]},
        },
        "related-observations": [{"observation-uuid": ids.of(f"observation {one.assertion}")}],
    }


def _resources(report: Report, ids: _Ids) -> Iterator[dict[str, Any]]:
    yield {
        "uuid": ids.of("plan"),
        "title": "Parameters of the report",
        "description": _line(report.making.command),
    }
    for one in report.populations:
        yield {
            "uuid": ids.of(f"population {one.assertion}"),
            "title": _line(f"Population of {one.assertion}"),
            "rlinks": [
                {
                    "href": one.file,
                    "media-type": "application/jsonl",
                    "hashes": [{"algorithm": "SHA-256", "value": one.digest}],
                }
            ],
        }


def _version(report: Report) -> str:
    return next((one.value for one in report.making.versions if one.name == "control mapping"), "")


def _props(*groups: Mapping[str, str]) -> list[dict[str, str]]:
    """Give properties; those without a value are left out, since OSCAL has no empty ones."""
    return [
        {"name": name, "ns": NAMESPACE, "value": _line(value)}
        for group in groups
        for name, value in group.items()
        if value.strip()
    ]


def _line(text: str) -> str:
    """Give one line without white space around it, as OSCAL's strings are."""
    return plain(text).strip() or "-"


def check_references(document: Mapping[str, Any]) -> None:
    """Raise InternalError for an id that is there twice, or a reference that leads nowhere: the schema sees neither."""
    own, named = [], []
    for key, value in _walk(document):
        if key == "uuid":
            own.append(value)
        elif key.endswith("-uuid"):
            named.append(value)
        elif key == "href" and value.startswith("#"):
            named.append(value[1:])
    if len(set(own)) != len(own):
        raise InternalError("an id is twice in the OSCAL document")
    dangling = sorted(set(named) - set(own))
    if dangling:
        raise InternalError(f"a reference in the OSCAL document leads nowhere: {dangling[0]}")


def _walk(value: object) -> Iterable[tuple[str, str]]:
    if isinstance(value, dict):
        for key, one in value.items():
            if isinstance(one, str):
                yield key, one
            else:
                yield from _walk(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _walk(one)
