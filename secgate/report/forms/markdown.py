"""The report as Markdown, for places that show it: every section, long tables cut with a word of where the rest is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from secgate.escape import markdown_text
from secgate.evidence import notes_once
from secgate.report.accounts import EntryReference
from secgate.report.document import RESULT_WORDS, Report
from secgate.report.forms import Files
from secgate.report.words import days, facts_of, moment, percent
from secgate.sla import many

MAX_ROWS = 200
"""Rows of any table but those of exceptions, which are all told."""
MAX_TEXT = 1_000


def render(report: Report) -> Files:
    """Give `report.md`."""
    parts = (
        _cover(report),
        _scope(report),
        _system(report),
        _populations(report),
        _results(report),
        _exceptions(report),
        _deadlines(report),
        _waivers(report),
        _outages(report),
        _changes(report),
        _integrity(report),
        _making(report),
        _samples(report),
        (*_heading(14, "Limits"), *_bullets(report.limits)),
    )
    text = "\n".join(line for part in parts for line in part)
    return {"report.md": (text + "\n").encode("utf-8", "replace")}


def _cover(report: Report) -> Iterator[str]:
    cover = report.cover
    yield f"# {_text(cover.title)}"
    yield ""
    yield f"{moment(cover.period.from_epoch_s)} until before {moment(cover.period.to_epoch_s)}. {cover.status.title()}."
    yield "Results of tests for whoever audits: no control is said to be met here."
    yield ""
    yield f"- entity: {_text(cover.entity) or 'not stated'}"
    for one in cover.frameworks:
        yield f"- framework: {_text(one.name)}, {_text(one.edition)} ({_text(one.source)})"
    yield f"- report: {cover.report_id}"
    yield f"- made: {moment(cover.generated_epoch_s)} by {_text(cover.generator)}, {cover.generator_digest}"


def _scope(report: Report) -> Iterator[str]:
    scope = report.scope
    yield from _heading(2, "Scope")
    yield f"Systems: {_text('; '.join(scope.systems)) or 'not stated by management'}"
    columns = {"repository": "repository", "on a list": "listed", "from": "from_epoch_s", "until": "until_epoch_s"}
    columns |= {"lines": "lines", "protected runs": "protected_runs", "other runs": "other_runs"}
    yield from _rows(columns, scope.repositories)
    yield from _rows({"environment": "name", "deployments": "deployments"}, scope.environments)
    yield from _rows({"left out": "what", "why": "why", "said by": "said_by"}, scope.excluded)
    yield from _rows({"service of others": "name", "what it does": "what"}, scope.outside)


_SPAN = {"first": "first_epoch_s", "last": "last_epoch_s", "runs": "runs"}


def _system(report: Report) -> Iterator[str]:
    system = report.system
    yield from _heading(3, "The gate and its controls")
    yield from _rows({"stage": "name", "what it does": "what"}, system.stages)
    columns = {
        "repository": "repository",
        "line": "line",
        "mode": "mode",
        "from": "from_epoch_s",
        "until": "to_epoch_s",
    }
    yield from _rows(columns, system.modes)
    yield from _rows({"policy": "what", "digest": "digest", **_SPAN}, system.policies)
    yield from _rows({"role": "role", "people": "people"}, system.roles)


def _populations(report: Report) -> Iterator[str]:
    yield from _heading(4, "Populations")
    columns = {"assertion": "assertion", "unit": "unit", "source": "source", "from": "origin", "items": "count"}
    yield from _rows({**columns, "file": "file", "SHA-256": "digest"}, report.populations)
    lists = {(used.entry, used.rows_digest): used for one in report.populations for used in one.lists}
    columns = {"list": "kind", "source": "source", "query": "query", "taken": "extracted_epoch_s"}
    columns |= {"holds from": "from_epoch_s", "until": "to_epoch_s", "records": "read", "rows": "taken"}
    yield from _rows({**columns, "entry": "entry", "file's SHA-256": "file_digest"}, list(lists.values()))
    notes = notes_once((one.assertion, one.notes) for one in report.populations)
    for one in report.populations:
        if one.unmatched is not None:
            for side, keys in (
                (one.unmatched.left, one.unmatched.left_unmatched),
                (one.unmatched.right, one.unmatched.right_unmatched),
            ):
                yield ""
                yield f"{_text(one.assertion)}, only among {_text(side)}: {len(keys)}"
                yield from _bullets(keys)
        if one.notes:
            yield ""
            yield f"{_text(one.assertion)}, to be known of it:"
            yield from _bullets(notes[one.assertion])


def _results(report: Report) -> Iterator[str]:
    results = {one.assertion: RESULT_WORDS[one.result] for one in report.tests.results}
    yield from _heading(5, "Tests and results")
    yield "Population N, tested n, deviating items d."
    yield from _table(
        ("assertion", "result", "N", "n", "d", "why"),
        (
            (
                f"{one.assertion}: {one.statement}",
                results[one.assertion],
                str(one.population),
                str(one.tested),
                str(one.deviating),
                f"{one.reason} (decided by {one.decided_by})" if one.decided_by else one.reason,
            )
            for one in report.tests.results
        ),
    )
    yield ""
    yield "A control has no result of its own."
    yield from _table(
        ("control", "strength", "assertions", "not enough", "outside", "how to test it"),
        (
            (
                f"{one.label} {one.title}",
                one.strength,
                "; ".join(f"{name}: {results[name]}" for name in one.assertions)
                or "not tested: no assertion speaks for it",
                "; ".join(one.not_enough),
                "; ".join(one.outside),
                one.auditor_test,
            )
            for one in report.tests.controls
        ),
    )


def _exceptions(report: Report) -> Iterator[str]:
    yield from _heading(6, "Exceptions")
    if not report.exceptions:
        yield "No deviation was found in what could be tested. Section 5 says what could not."
    for one in report.exceptions:
        yield ""
        yield f"### {_text(one.id)}: {_text(one.exception.replace('_', ' '))}"
        yield ""
        yield f"- assertion: {_text(one.assertion)}; controls: {_text(', '.join(one.controls))}"
        yield f"- item: {_text(one.item)}: {_text(one.detail)}"
        told = "; ".join(f"{name} {value}" for name, value in facts_of(dict(one.facts)))
        if told:
            yield f"- facts: {_text(told)}"
        if one.reason:
            yield f"- reason given: {_text(one.reason)}"
        yield f"- entries: {_cell('', one.entries)}"
        yield f"- management's response: {_text(one.response)}".rstrip()


def _deadlines(report: Report) -> Iterator[str]:
    sla = report.sla
    yield from _heading(7, "Deadlines")
    yield f"{_text(sla.assertion)} {RESULT_WORDS[sla.result]}. {_text(sla.reason)}".strip()
    columns = {"severity": "severity", "due": "due", "met": "met", "excepted": "excepted", "missed": "missed"}
    columns |= {"overdue, open": "overdue_open", "met / due": "adherence_per_mille"}
    columns |= {"dismissed": "dismissed"}
    columns |= {"p50 h": "p50_hours", "p90 h": "p90_hours", "oldest open h": "oldest_open_hours"}
    yield from _rows(columns, sla.rows)
    yield ""
    yield from _bullets(sla.formula)
    columns = {"dismissed": "item", "severity": "severity", "due": "due_epoch_s", "closed": "closed_epoch_s"}
    columns |= {"as": "kind", "waiver": "waiver", "asked for by": "requester", "approved by": "approver"}
    yield from _rows({**columns, "approved": "approved_epoch_s", "reason": "reason"}, sla.dismissed)
    yield ""
    yield "Open at the period's end and not yet due, in neither number:"
    columns = {"finding": "item", "severity": "severity", "opened": "opened_epoch_s", "due": "due_epoch_s"}
    yield from _rows(columns, sla.not_due)


def _waivers(report: Report) -> Iterator[str]:
    waivers = report.waivers
    yield from _heading(8, "Waivers")
    if waivers.reason:
        yield f"Nobody's word could be checked: {_text(waivers.reason)}"
        yield ""
    names = ("opened", "approved", "renewed", "expired", "revoked", "active")
    yield ", ".join(f"{getattr(waivers, name)} {name}" for name in names)
    columns = {
        "waiver": "id",
        "kind": "kind",
        "subject": "subject",
        "severity": "severity",
        "asked for by": "requester",
    }
    columns |= {"approved by": "approver", "approved": "approved_epoch_s", "ends": "until_epoch_s", "state": "state"}
    columns |= {"revoked by": "revoked_by", "age, days": "age_days", "renews": "renews", "reason": "reason"}
    yield from _rows({**columns, "ticket": "ticket"}, waivers.rows)
    yield from _rows({"entry that counts for nothing": "entry", "statement": "type", "why": "why"}, waivers.refused)


def _outages(report: Report) -> Iterator[str]:
    outages = report.outages
    yield from _heading(9, "Outages and gaps")
    yield f"Silence of more than {days(outages.longest_s)} days, windows without a whole run, runs with errors."
    columns = {"from": "from_epoch_s", "until": "to_epoch_s"}
    yield from _rows({"no complete run of": "repository", **columns}, outages.silent)
    missing = {"repository": "repository", "lane": "lane", **columns, "what was missing": "what"}
    yield from _rows(missing, outages.windows)
    columns = {"run": "run_id", "when": "at_epoch_s", "repository": "repository", "outcome": "outcome"}
    yield from _rows({**columns, "not completed": "failed", "entry": "entry"}, outages.runs)
    yield from _rows({"scanner": "scanner", "advisories": "what", **_SPAN}, outages.feeds)


def _changes(report: Report) -> Iterator[str]:
    changes = report.changes
    yield from _heading(10, "Changes to the gate")
    yield f"{many(len(changes.changes), 'change')}, {many(len(changes.overrides), 'override')}."
    columns = {"change at": "at_epoch_s", "what": "type", "repository": "repository", "of": "name", "part": "part"}
    yield from _rows({**columns, "before": "before", "after": "after", "entry": "entry"}, changes.changes)
    columns = {"override": "id", "repository": "repository", "line": "line", "by": "by", "given": "given_epoch_s"}
    columns |= {"until": "until_epoch_s", "reason": "reason", "reviewed by": "reviewer", "word": "word"}
    columns |= {"found": "review_reason", "void": "void", "runs": "runs"}
    yield from _rows(columns, changes.overrides)
    yield from _rows({"version of": "what", "digest": "digest", **_SPAN}, changes.versions)


def _integrity(report: Report) -> Iterator[str]:
    yield from _heading(11, "Integrity of the record")
    ledgers = report.integrity.ledgers
    columns = {"ledger": "ledger_id", "where": "address", "entries": "size", "root": "root", "first": "first_epoch_s"}
    columns |= {"last": "last_epoch_s", "of unknown type": "unknown_entries", "made at first use": "provisional"}
    columns |= {"signed statements": "statements", "counting for nothing": "refused"}
    columns |= {"result": "result", "why": "reason"}
    yield from _rows(columns, ledgers)
    columns = {"checkpoint": "place", "size": "size", "of": "at_epoch_s", "signed by who counts": "signed"}
    kept = [kept for one in ledgers for kept in one.checkpoints]
    yield from _rows({**columns, "grown from it": "same_root", "timestamps": "timestamps"}, kept)
    yield ""
    yield from _bullets(report.integrity.how)


def _making(report: Report) -> Iterator[str]:
    making = report.making
    yield from _heading(12, "How this was made")
    yield from (_text(making.command), "", _text(making.again))
    yield from _rows({"version of": "name", "which": "value"}, making.versions)
    columns = {"input": "what", "name": "name", "SHA-256": "digest", "rows in": "rows_in", "rows out": "rows_out"}
    yield from _rows(columns, making.inputs)
    yield ""
    yield from _bullets(making.filters)


def _samples(report: Report) -> Iterator[str]:
    sampling = report.sampling
    yield from _heading(13, "Samples")
    yield from _bullets(sampling.method)
    yield ""
    if sampling.samples:
        yield f"Seed {_text(sampling.seed)}, up to {sampling.size} items of each population."
    else:
        yield "No seed was given, and nothing was drawn."
    for one in sampling.samples:
        columns = {"rank": "rank", f"{one.assertion}: item": "item", "number": "digest"}
        yield from _rows({**columns, "standing": "standing", "entries": "entries"}, one.rows)


def _heading(number: int, title: str) -> Iterator[str]:
    yield from ("", f"## {number}. {title}", "")


def _bullets(lines: Sequence[str]) -> Iterator[str]:
    yield from (f"- {_text(line)}" for line in lines[:MAX_ROWS])
    if len(lines) > MAX_ROWS:
        yield f"- and {len(lines) - MAX_ROWS} more in report.json"


def _rows(columns: Mapping[str, str], rows: Sequence[object]) -> Iterator[str]:
    """Give a table of values: what each column is called, and the field that it shows."""
    fields = tuple(columns.values())
    return _table(tuple(columns), ([_cell(name, getattr(row, name)) for name in fields] for row in rows))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Give a table; the name of its first column and "none" where there are no rows."""
    whole = list(rows)
    yield ""
    if not whole:
        yield f"{_text(head[0][:1].upper() + head[0][1:])}: none."
        return
    yield f"| {' | '.join(map(_text, head))} |"
    yield f"|{'---|' * len(head)}"
    for row in whole[:MAX_ROWS]:
        yield f"| {' | '.join(_text(cell) or '-' for cell in row)} |"
    if len(whole) > MAX_ROWS:
        yield ""
        yield f"{len(whole) - MAX_ROWS} more rows are in report.json."


def _cell(name: str, value: object) -> str:
    if name.endswith("_epoch_s") and isinstance(value, int):
        return moment(value)
    if name == "adherence_per_mille" and isinstance(value, int):
        return percent(value)
    if value is None or isinstance(value, bool):
        return {None: "-", True: "yes", False: "no"}[value]
    if isinstance(value, EntryReference):
        return str(value.sequence)
    if isinstance(value, list | tuple):
        return ", ".join(_cell("", one) for one in value) or "none"
    return str(value).replace("_", " ") if name == "result" else str(value)


def _text(text: str) -> str:
    return markdown_text(text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…")
