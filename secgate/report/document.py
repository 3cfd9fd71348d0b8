"""The report over a period as one typed document, `secgate/report/v1`: the same ledgers and parameters, the same value.

Fourteen sections, in the order in which they are read. Every form (a page, tables, OSCAL) is made from this document
and from nothing else. It holds results of tests and what they were made from; it says of no control that it is met.
Times are UTC seconds, 0 for never. Source: notes on compliance, section 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from secgate.assertions import Period, Result, Unmatched, Untested
from secgate.model import Value
from secgate.report.accounts import (
    ChangeSection,
    DigestSpan,
    EntryReference,
    EntryRow,
    ExceptionRow,
    IntegritySection,
    MakingSection,
    OutageSection,
    SamplingSection,
    SlaSection,
    Standing,
    WaiverSection,
)

SCHEMA: Literal["secgate/report/v1"] = "secgate/report/v1"
RESULT_WORDS: Mapping[Result, str] = {
    "no_deviation": "no deviation",
    "deviation": "deviation",
    "not_tested": "not tested",
    "no_occurrence": "no occurrence",
    "not_applicable": "not applicable",
}
"""How each result reads, in the order in which they are counted."""

# ------------------------------------------------------------------------------------------------- 1, 2: cover, scope


class FrameworkName(Value, frozen=True, kw_only=True):
    """A framework in its edition."""

    key: str
    name: str
    edition: str
    source: str


class Cover(Value, frozen=True, kw_only=True):
    """What the report is, of whom and when. `entity` is "" where nobody said."""

    title: str
    entity: str
    status: Literal["draft", "final"]
    period: Period
    time_zone: Literal["UTC"] = "UTC"
    frameworks: tuple[FrameworkName, ...]
    report_id: str
    generated_epoch_s: int
    generator: str
    generator_digest: str
    """SHA-256 over names and bytes of the program's own files."""


class RepositoryScope(Value, frozen=True, kw_only=True):
    """A repository that a list from outside names, or that has runs in the period."""

    repository: str
    listed: bool
    from_epoch_s: int = 0
    until_epoch_s: int = 0
    protected_runs: int = 0
    other_runs: int = 0
    lines: tuple[str, ...] = ()


class EnvironmentScope(Value, frozen=True, kw_only=True):
    """An environment that deployments of the period went to."""

    name: str
    deployments: int


class Excluded(Value, frozen=True, kw_only=True):
    """What is not looked at, why, and who says so: `management` or `secgate`."""

    what: str
    why: str
    said_by: Literal["management", "secgate"]


class OutsideService(Value, frozen=True, kw_only=True):
    """A service of somebody else that management names."""

    name: str
    what: str


class ScopeSection(Value, frozen=True, kw_only=True):
    """What the report is about. Systems and outside services are management's words, () where it gave none."""

    systems: tuple[str, ...]
    repositories: tuple[RepositoryScope, ...]
    environments: tuple[EnvironmentScope, ...]
    excluded: tuple[Excluded, ...]
    outside: tuple[OutsideService, ...]


# ---------------------------------------------------------------------------------------------------------- 3: system


class Stage(Value, frozen=True, kw_only=True):
    """A part of the gate, in words."""

    name: str
    what: str


class ModeSpan(Value, frozen=True, kw_only=True):
    """How the gate stood on a line from one run until the next of another mode; `unknown` before its first run."""

    repository: str
    line: str
    mode: str
    from_epoch_s: int
    to_epoch_s: int


class RoleHolders(Value, frozen=True, kw_only=True):
    """Who has a role in the enforced layer as it is now, by opaque id."""

    role: str
    people: tuple[str, ...]


class SystemSection(Value, frozen=True, kw_only=True):
    """The gate: its parts, its mode over time, the versions of its policies, the roles of people."""

    stages: tuple[Stage, ...]
    modes: tuple[ModeSpan, ...]
    policies: tuple[DigestSpan, ...]
    roles: tuple[RoleHolders, ...]


# --------------------------------------------------------------------------------------------- 4, 5: populations, tests


class ListUse(Value, frozen=True, kw_only=True):
    """A list from outside that a population was made from, and how much of it was taken."""

    kind: str
    source: str
    query: str
    extracted_epoch_s: int
    from_epoch_s: int
    to_epoch_s: int
    repositories: tuple[str, ...]
    environments: tuple[str, ...]
    file_digest: str
    rows_digest: str
    read: int
    taken: int
    left_out: Mapping[str, int]
    unknown_people: int
    entry: EntryReference


class ItemRow(Value, frozen=True, kw_only=True):
    """One item of a population: its stable key, its facts as the test saw them, and entries that they come from.

    A fact that nobody knows, as the age of rules that tell no date, is null.
    """

    id: str
    standing: Standing
    entries: tuple[EntryReference, ...]
    facts: Mapping[str, Any]


class PopulationSection(Value, frozen=True, kw_only=True):
    """What one assertion was tested on. `digest` is of `file`, which the forms json and oscal write."""

    assertion: str
    statement: str
    unit: str
    source: str
    origin: str
    where: str
    count: int
    file: str
    digest: str
    lists: tuple[ListUse, ...]
    unmatched: Unmatched | None
    notes: tuple[str, ...]
    items: tuple[ItemRow, ...]


class ResultRow(Value, frozen=True, kw_only=True):
    """What came of one assertion. `decided_by` is who decided that it does not apply, "" for nobody."""

    assertion: str
    statement: str
    result: Result
    reason: str
    population: int
    tested: int
    deviating: int
    untested: tuple[Untested, ...]
    decided_by: str = ""


class ControlRow(Value, frozen=True, kw_only=True):
    """A control with the assertions it cites. It has no result of its own."""

    framework: str
    id: str
    label: str
    title: str
    strength: str
    assertions: tuple[str, ...]
    not_enough: tuple[str, ...]
    outside: tuple[str, ...]
    auditor_test: str


class ResultSection(Value, frozen=True, kw_only=True):
    """Results by assertion, and the controls that cite them."""

    results: tuple[ResultRow, ...]
    controls: tuple[ControlRow, ...]


class Report(Value, frozen=True, kw_only=True):
    """The whole report: sections 1 to 14 in their order."""

    schema: Literal["secgate/report/v1"] = SCHEMA
    cover: Cover
    scope: ScopeSection
    system: SystemSection
    populations: tuple[PopulationSection, ...]
    tests: ResultSection
    exceptions: tuple[ExceptionRow, ...]
    sla: SlaSection
    waivers: WaiverSection
    outages: OutageSection
    changes: ChangeSection
    integrity: IntegritySection
    making: MakingSection
    sampling: SamplingSection
    limits: tuple[str, ...]
    entries: tuple[EntryRow, ...]
    """Every entry that a row names, to be followed from there to the record."""
