"""What is told of a policy, for a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import msgspec

from secgate.escape import json_text
from secgate.page import Page
from secgate.policy.accounts import (
    CaseResult,
    ChangedRun,
    ListedLayer,
    PolicyDiff,
    PolicyLint,
    PolicyList,
    PolicyTests,
)
from secgate.sla import many, utc_words
from secgate.summary import short_rule

Told = PolicyLint | PolicyList | PolicyTests | PolicyDiff

MOST_LISTED = 100
"""Verdicts of one run that are listed; JSON has all."""
_NAMES = {
    PolicyDiff: "secgate-policy-diff",
    PolicyLint: "secgate-policy-lint",
    PolicyList: "secgate-policy-list",
    PolicyTests: "secgate-policy-test",
}


def policy_told(told: Told, form: str, *, width: int, colour: bool) -> bytes:
    """Give it as `text` or `json`."""
    if form == "json":
        whole = {"format": {"name": _NAMES[type(told)], "version": told.version}, "told": told}
        return json_text(msgspec.json.format(msgspec.json.encode(whole, order="sorted"), indent=2)) + b"\n"
    page = Page(width, colour=colour)
    match told:
        case PolicyLint():
            _lint(page, told)
        case PolicyList():
            _list(page, told)
        case PolicyTests():
            _tests(page, told)
        case PolicyDiff():
            _diff(page, told)
    return page.data().lstrip(b"\n")


def _lint(page: Page, lint: PolicyLint) -> None:
    for fault in lint.faults:
        page.wrap(f"{fault.place or lint.layer}: {fault.what} [{fault.by}]", 0, style="bad")
        if fault.remedy:
            page.wrap(fault.remedy, 7, first="  try:", style="dim")
    looked = f"{lint.layer} layer, {many(lint.modules, 'module')}, by {' and '.join(lint.checked_by)}"
    said = many(len(lint.faults), "fault") if lint.faults else "no fault"
    page.heading(f"{said}: {looked}", "bad" if lint.faults else "good")


def _list(page: Page, listed: PolicyList) -> None:
    page.heading(f"engine {listed.engine}, profile {listed.profile}", "bold")
    for layer in listed.layers:
        _layer(page, layer)
    page.title("data")
    for name, layer_name in sorted(listed.data.items()):
        page.wrap(layer_name, 22, first=f"  {name}")
    if listed.enforced_digest:
        page.title(f"enforced layer {listed.enforced_digest[:12]}")


def _layer(page: Page, layer: ListedLayer) -> None:
    page.title(f"{layer.name} layer {layer.digest[:12]}")
    for rule in layer.rules:
        off = "  SWITCHED OFF by the enforced layer" if rule.off else ""
        page.wrap(f"{', '.join(rule.sets) or 'no set'}{off}", 26, first=f"  {rule.package.rpartition('.')[2]}")
        page.wrap(", ".join(rule.paths), 26, style="dim")
    if layer.libraries:
        page.wrap(", ".join(layer.libraries), 26, first="  also")


def _tests(page: Page, tests: PolicyTests) -> None:
    for name, cases in groupby(tests.tests, key=lambda one: one.engine):
        _cases(page, name, tuple(cases))
    page.title("rules")
    for rule in tests.rules:
        lines = f"{rule.reached} of {many(rule.lines, 'line')} reached"
        more = "" if rule.tested else "; no test fails without it"
        name = f"{rule.package.rpartition('.')[2]} {rule.word}"
        mark = "tested" if rule.tested else "UNTESTED"
        page.wrap(f"{name}, {lines}{more}", 11, first=f"  {mark}", style="" if rule.tested else "bad")
        page.wrap(rule.place, 11, style="dim")
    untested = sum(not one.tested for one in tests.rules)
    page.title("passed" if tests.passed else "FAILED" if tests.tests else "FAILED: there is no test")
    rules = f"{many(len(tests.rules), 'rule')}, {untested} untested"
    page.wrap(f"{tests.layer} layer, {', '.join(tests.engines)}; {rules}", 0)


def _cases(page: Page, engine: str, cases: Sequence[CaseResult]) -> None:
    failed = [one for one in cases if not one.passed]
    page.title(f"{engine}: {many(len(cases), 'test')}, {len(failed)} failed")
    for one in failed:
        page.wrap(one.name.removeprefix("data."), 8, first="  FAIL", style="bad")
        page.wrap(f"{one.place}{': ' if one.error else ''}{one.error}", 8, style="dim")


def _diff(page: Page, diff: PolicyDiff) -> None:
    since = f" since {utc_words(diff.since_epoch_s)}" if diff.since_epoch_s else ""
    page.wrap(f"from {diff.old} to {diff.new}: {many(diff.runs, 'recorded run')}{since}", 0)
    for run in diff.changed:
        _run(page, run)
    if diff.warnings:
        page.title(f"{many(len(diff.warnings), 'fault')} that would be refused today; it judges as it did then")
        for fault in diff.warnings[:MOST_LISTED]:
            page.wrap(f"{fault.place}: {fault.what}", 2)
    if diff.untold:
        page.title(f"{many(len(diff.untold), 'run')} could not be judged again")
        for one in diff.untold:
            page.wrap(f"{one.run_id}: {one.reason}", 2)
    judged = diff.runs - len(diff.untold)
    others = sum(run.old is not run.new for run in diff.changed)
    page.title(f"{len(diff.changed)} of {judged} would change, {others} of them in their outcome")


def _run(page: Page, run: ChangedRun) -> None:
    outcome = run.new.value if run.old is run.new else f"{run.old.value} -> {run.new.value}"
    page.title(f"{utc_words(run.evaluated_epoch_s)}  {run.scope.value} {run.line}  {outcome}".replace("  ", " "))
    page.wrap(run.run_id, 2, style="dim")
    if run.error:
        page.wrap(run.error, 2, style="bad")
    for one in run.verdicts[:MOST_LISTED]:
        was, would = (word.value if word is not None else "not judged" for word in (one.old, one.new))
        rule = short_rule(one.new_rule or one.old_rule)
        page.wrap(f"{was} -> {would}: {one.subject} {one.about} [{rule}]", 4, first="  -")
        if one.reason:
            page.wrap(one.reason, 4, style="dim")
    if len(run.verdicts) > MOST_LISTED:
        page.wrap(f"and {len(run.verdicts) - MOST_LISTED} more: see --format json", 4)
