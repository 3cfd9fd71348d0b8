"""The report as tables for a spreadsheet: one file a section or population, RFC 4180 in UTF-8, no cell a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from secgate.escape import csv_cell
from secgate.model import Value
from secgate.report import accounts, document
from secgate.report.accounts import EntryReference
from secgate.report.document import PopulationSection, Report
from secgate.report.forms import Files
from secgate.report.words import stamp


def render(report: Report) -> Files:
    """Give a file a table below `csv/`; a table without rows has its header."""
    tables: dict[str, tuple[type[Value], Sequence[Value]]] = {
        "repositories": (document.RepositoryScope, report.scope.repositories),
        "environments": (document.EnvironmentScope, report.scope.environments),
        "excluded": (document.Excluded, report.scope.excluded),
        "outside": (document.OutsideService, report.scope.outside),
        "modes": (document.ModeSpan, report.system.modes),
        "policies": (accounts.DigestSpan, report.system.policies),
        "roles": (document.RoleHolders, report.system.roles),
        "results": (document.ResultRow, report.tests.results),
        "controls": (document.ControlRow, report.tests.controls),
        "exceptions": (accounts.ExceptionRow, report.exceptions),
        "deadlines": (accounts.SlaRow, report.sla.rows),
        "dismissed": (accounts.DismissedRow, report.sla.dismissed),
        "not-yet-due": (accounts.NotDue, report.sla.not_due),
        "waivers": (accounts.WaiverRow, report.waivers.rows),
        "refused-statements": (accounts.RefusedRow, report.waivers.refused),
        "silence": (accounts.SilentSpan, report.outages.silent),
        "windows": (accounts.WindowGap, report.outages.windows),
        "troubled-runs": (accounts.TroubledRun, report.outages.runs),
        "advisories": (accounts.StaleFeed, report.outages.feeds),
        "gate-changes": (accounts.GateChangeRow, report.changes.changes),
        "overrides": (accounts.OverrideRow, report.changes.overrides),
        "versions": (accounts.DigestSpan, report.changes.versions),
        "ledgers": (accounts.LedgerProof, report.integrity.ledgers),
        "parameters": (accounts.Parameter, report.making.parameters),
        "inputs": (accounts.Input, report.making.inputs),
        "entries": (accounts.EntryRow, report.entries),
    }
    files = {f"csv/{name}.csv": _table(kind, rows) for name, (kind, rows) in tables.items()}
    files["csv/cover.csv"] = _written(("name", "value"), _cover(report))
    files["csv/limits.csv"] = _written(("limit",), ((limit,) for limit in report.limits))
    files["csv/lists.csv"] = _lists(report)
    files["csv/unmatched.csv"] = _unmatched(report)
    notes = ((one.assertion, note) for one in report.populations for note in one.notes)
    files["csv/notes.csv"] = _written(("assertion", "note"), notes)
    files["csv/samples.csv"] = _samples(report)
    for one in report.populations:
        files[f"csv/population-{one.assertion}.csv"] = _population(one)
    return files


def _table(kind: type[Value], rows: Sequence[Value]) -> bytes:
    names = [field.name for field in msgspec.structs.fields(kind)]
    return _written(map(_header, names), ([_cell(name, getattr(row, name)) for name in names] for row in rows))


def _cover(report: Report) -> Iterable[tuple[str, str]]:
    cover = report.cover
    yield "title", cover.title
    yield "entity", cover.entity
    yield "status", cover.status
    yield "from", stamp(cover.period.from_epoch_s)
    yield "to", stamp(cover.period.to_epoch_s)
    yield "time zone", cover.time_zone
    for one in cover.frameworks:
        yield "framework", f"{one.name}, {one.edition} ({one.key})"
    yield "report", cover.report_id
    yield "generated at", stamp(cover.generated_epoch_s)
    yield "generator", f"{cover.generator} {cover.generator_digest}"


def _lists(report: Report) -> bytes:
    names = [field.name for field in msgspec.structs.fields(document.ListUse)]
    rows = (
        [population.assertion, *(_cell(name, getattr(used, name)) for name in names)]
        for population in report.populations
        for used in population.lists
    )
    return _written(("assertion", *map(_header, names)), rows)


def _unmatched(report: Report) -> bytes:
    rows = []
    for one in report.populations:
        if one.unmatched is not None:
            rows += [(one.assertion, one.unmatched.left, key) for key in one.unmatched.left_unmatched]
            rows += [(one.assertion, one.unmatched.right, key) for key in one.unmatched.right_unmatched]
    return _written(("assertion", "only among", "key"), rows)


def _samples(report: Report) -> bytes:
    rows = (
        (one.assertion, str(row.rank), row.item, row.digest, row.standing, _cell("entries", row.entries))
        for one in report.sampling.samples
        for row in one.rows
    )
    return _written(("assertion", "rank", "item", "digest", "standing", "entries"), rows)


def _population(one: PopulationSection) -> bytes:
    names = list(dict.fromkeys(name for item in one.items for name in item.facts))
    rows = (
        [
            item.id,
            item.standing,
            _cell("entries", item.entries),
            *(_cell(name, item.facts.get(name, "")) for name in names),
        ]
        for item in one.items
    )
    return _written(("id", "standing", "entries", *map(_header, names)), rows)


def _header(name: str) -> str:
    return name.removesuffix("_epoch_s").replace("_", " ")


def _cell(name: str, value: Any) -> str | int:
    """Give a value as a cell: times in RFC 3339, lists in one cell, further facts as JSON. A number is no text."""
    if name.endswith("_epoch_s"):
        return stamp(value) if isinstance(value, int) else ""
    if value is None or isinstance(value, bool):
        return {None: "", True: "yes", False: "no"}[value]
    if isinstance(value, int):
        return value
    if isinstance(value, EntryReference):
        return f"{value.ledger_id}:{value.sequence}"
    if isinstance(value, list | tuple) and all(isinstance(one, str | EntryReference) for one in value):
        return "; ".join(str(_cell("", one)) for one in value)
    return value if isinstance(value, str) else msgspec.json.encode(value, order="sorted").decode()


def _written(header: Iterable[str], rows: Iterable[Iterable[str | int]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([one if isinstance(one, int) else csv_cell(one) for one in row] for row in rows)
    return text.getvalue().encode("utf-8", "replace")
