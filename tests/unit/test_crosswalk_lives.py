"""Any edits of the crosswalk: what was looked at stays waived, what was not does not, and no clock starts later."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from secgate.bounds import bound_of
from secgate.chronicle import Chronicle
from secgate.evidence.covering import Covers
from secgate.evidence.ground import Said
from secgate.model import Finding, History, Lane
from secgate.pipeline.exceptions import by_every_name, lineages_of
from secgate.policy.values import WaiverLimits
from secgate.waived import for_findings
from secgate.waivers import Request, Waiver, statement_id, statement_of, subject_of
from tests.ledger_support import EPOCH_S, protected
from tests.unit.identity_kit import Scan, advisory, crosswalk, scan_of, scans_of
from tests.unit.identity_life import Life

_DAY_S, _LONGEST_S = 86400, 90 * 86400
_RULES = tuple(f"{tool}-{rule}" for tool in ("alpha", "beta", "delta") for rule in ("eval", "call"))
_NAMES = ("code-injection", "one", "two", "three")
_REPOSITORY = "example.com/shop"


def _seen(files: Mapping[str, str], rules: Collection[str]) -> list[Scan]:
    """Let each tool see every `eval` by those of its two rules."""
    scans = []
    for scan in scans_of(files, ("alpha", "beta", "delta")):
        own = [raw for raw in scan.readings[0].results if raw.rule.endswith("-eval")]
        tool = scan.invocation.scanner
        both = [msgspec.structs.replace(raw, rule=f"{tool}-{rule}") for raw in own for rule in ("eval", "call")]
        scans.append(scan_of(tool, [raw for raw in both if raw.rule in rules]))
    return scans


def _tables(chance: random.Random) -> dict[str, str]:
    return {rule: chance.choice(_NAMES) for rule in _RULES}


def _edited(table: Mapping[str, str], chance: random.Random) -> dict[str, str]:
    """Most edits are of a rule or two."""
    if chance.random() < 0.2:
        return _tables(chance)
    return {**table, **{chance.choice(_RULES): chance.choice(_NAMES) for _ in range(chance.randint(0, 2))}}


def _waiver(one: Finding, day: int) -> Waiver:
    asked = Request(
        kind="accept",
        subject=subject_of(one, repository=_REPOSITORY),
        bound=bound_of(one),
        reason="made",
        requester="p-1",
        requested_epoch_s=EPOCH_S + day * _DAY_S + 1,
        expires_epoch_s=EPOCH_S + _LONGEST_S,
    )
    name = statement_id(statement_of(asked))
    return Waiver(id=name, request=asked, approver="p-2", approved_epoch_s=EPOCH_S + day * _DAY_S + 2)


def _chosen(findings: Sequence[Finding], chance: random.Random) -> list[Finding]:
    return chance.sample(findings, chance.randint(1, len(findings)))


def _rules(findings: Iterable[Finding]) -> set[str]:
    return {result.rule for one in findings for result in one.witnesses}


def _covered(findings: Iterable[Finding], looked_at: Collection[str]) -> set[str]:
    """Give what every rule was looked at of."""
    return {one.fingerprint for one in findings if _rules([one]) <= set(looked_at)}


def _by_gate(findings: Sequence[Finding], waivers: Sequence[Waiver], history: History, at_epoch_s: int) -> set[str]:
    found = for_findings(
        waivers,
        by_every_name(findings, history, protected()),
        repository=_REPOSITORY,
        now_epoch_s=at_epoch_s,
        longest_s=lambda _: _LONGEST_S,
        lineages=lineages_of(findings, history, protected()),
    )
    return {name for name, one in found.items() if one.state == "active"}


def _by_evidence(line: Life, waivers: Sequence[Waiver], at_epoch_s: int) -> set[str]:
    episodes = Chronicle("ledger").read(line.story.ledger.read()).episodes()
    limits: Any = dict.fromkeys(("critical", "high", "medium", "low"), _LONGEST_S)
    covers = Covers(Said(waivers=tuple(waivers)), episodes, WaiverLimits(**limits))
    now = [one for one in episodes if not one.closed_epoch_s]
    return {one.known.facts.fingerprint for one in now if covers.until(one, at_epoch_s)}


@settings(deadline=None, max_examples=25)
@given(st.randoms(use_true_random=False))
def test_what_every_rule_was_looked_at_of_is_waived_and_nothing_else(chance: random.Random) -> None:
    files = {"a.py": "def f(x):\n    eval(x)\n"}
    table, looked_at, waivers = _tables(chance), set[str](), list[Waiver]()
    with tempfile.TemporaryDirectory() as folder:
        line = Life(Path(folder))
        for day in range(6):
            at_epoch_s = EPOCH_S + day * _DAY_S
            history = line.story.history(at_s=day * _DAY_S)
            done, _ = line.see(files, _seen(files, _RULES), at_s=day * _DAY_S, table=crosswalk(**table))
            waived = _by_gate(done.findings, waivers, history, at_epoch_s)
            assert waived == _by_gate(done.findings[::-1], waivers[::-1], history, at_epoch_s)
            assert waived == _by_evidence(line, waivers, at_epoch_s)
            assert waived == _covered(done.findings, looked_at)
            if chance.random() < 0.4:
                chosen = _chosen(done.findings, chance)
                waivers += [_waiver(one, day) for one in chosen]
                looked_at |= _rules(chosen)
            table = _edited(table, chance)


@settings(deadline=None, max_examples=25)
@given(st.randoms(use_true_random=False))
def test_no_edit_starts_a_clock_later(chance: random.Random) -> None:
    """Rules come one after another; what was ever of one finding with an older one has its clock, wherever it is."""
    files = {"a.py": "def f(x):\n    eval(x)\n"}
    table, came = _tables(chance), {rule: chance.choice([0, 0, 0, 1, 2, 3]) for rule in _RULES}
    clocks: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        line = Life(Path(folder))
        for day in range(6):
            scans = _seen(files, [rule for rule in _RULES if came[rule] <= day])
            before, at_s = (scans if day else None), day * _DAY_S
            done, _ = line.see(files, scans, at_s=at_s, table=crosswalk(**table), version=str(day), before=before)
            recorded = {one.fingerprint: (one.first_seen_epoch_s - EPOCH_S) // _DAY_S for one in line.open()}
            assert recorded.keys() == {one.fingerprint for one in done.findings}
            for one in done.findings:
                rules = [result.rule for result in one.witnesses]
                first = min(clocks.get(rule, day) for rule in rules)
                assert recorded[one.fingerprint] <= first
                clocks.update(dict.fromkeys(rules, recorded[one.fingerprint]))
            table = _edited(table, chance)


@settings(deadline=None, max_examples=25)
@given(st.randoms(use_true_random=False))
def test_a_tool_that_is_dropped_meanwhile_changes_nothing_of_that(chance: random.Random) -> None:
    """Evidence counts witnesses whose tool was dropped as well: it may say less is waived, never more."""
    files = {"a.py": "def f(x):\n    eval(x)\n"}
    table, looked_at, waivers = _tables(chance), set[str](), list[Waiver]()
    with tempfile.TemporaryDirectory() as folder:
        line = Life(Path(folder))
        for day in range(6):
            ran = chance.sample(("alpha", "beta", "delta"), chance.choice([3, 3, 2, 1]) if day else 3)
            scans = [scan for scan in _seen(files, _RULES) if scan.invocation.scanner in ran]
            history, at_s = line.story.history(at_s=day * _DAY_S), day * _DAY_S
            before = scans if day else None
            done, _ = line.see(files, scans, at_s=at_s, table=crosswalk(**table), version=str(day), before=before)
            waived = _by_gate(done.findings, waivers, history, EPOCH_S + at_s)
            assert waived == _covered(done.findings, looked_at)
            assert {one.fingerprint for one in done.findings} & _by_evidence(line, waivers, EPOCH_S + at_s) <= waived
            if chance.random() < 0.4:
                chosen = _chosen(done.findings, chance)
                waivers += [_waiver(one, day) for one in chosen]
                looked_at |= _rules(chosen)
            table = _edited(table, chance)


@settings(deadline=None, max_examples=25)
@given(st.randoms(use_true_random=False))
def test_a_file_that_is_renamed_meanwhile_changes_nothing_of_that(chance: random.Random) -> None:
    """Names have the path in them: git's word for the rename is what tells which of them was what."""
    text = "def f(x):\n    eval(x)\n"
    table, looked_at, waivers = _tables(chance), set[str](), list[Waiver]()
    with tempfile.TemporaryDirectory() as folder:
        line = Life(Path(folder))
        for day, path in enumerate(("a.py", "b.py", "b.py", "c.py")):
            renames = {"b.py": {"a.py": path}, "c.py": {"b.py": path}}.get(path, {}) if day != 2 else {}
            history, at_s = line.story.history(at_s=day * _DAY_S), day * _DAY_S
            scans = _seen({path: text}, _RULES)
            done, _ = line.see({path: text}, scans, at_s=at_s, table=crosswalk(**table), renames=renames)
            waived = _by_gate(done.findings, waivers, history, EPOCH_S + at_s)
            assert waived == _by_evidence(line, waivers, EPOCH_S + at_s)
            assert waived == _covered(done.findings, looked_at)
            assert {one.first_seen_epoch_s for one in line.open()} == {EPOCH_S}
            if chance.random() < 0.6:
                chosen = _chosen(done.findings, chance)
                waivers += [_waiver(one, day) for one in chosen]
                looked_at |= _rules(chosen)
            table = _edited(table, chance)


def test_a_waiver_of_an_advisory_covers_what_turns_out_to_be_another_name_of_it(tmp_path: Path) -> None:
    """By whichever of them the tool calls it; what turns out to be another advisory is not covered."""
    files, line = {"requirements.txt": "flask==1.0\n"}, Life(tmp_path)
    days: list[list[tuple[str, ...]]] = [
        [("PYSEC-1",), ("CVE-1",)],
        [("CVE-1", "PYSEC-1")],
        [("GHSA-1", "CVE-1")],
        [("PYSEC-1", "GHSA-1"), ("CVE-1",)],
    ]
    covered, waivers = list[list[str]](), list[Waiver]()
    for day, known in enumerate(days):
        scans = [scan_of("pip-audit", [advisory(*names) for names in known], Lane.DEPENDENCIES)]
        history = line.story.history(at_s=day * _DAY_S)
        done, _ = line.see(files, scans, at_s=day * _DAY_S)
        waived = _by_gate(done.findings, waivers, history, EPOCH_S + day * _DAY_S)
        assert waived == _by_evidence(line, waivers, EPOCH_S + day * _DAY_S)
        covered.append([one.advisories[-1] for one in done.findings if one.fingerprint in waived])
        if not day:
            waivers = [_waiver(one, day) for one in done.findings if one.advisories == ("PYSEC-1",)]
    assert covered == [[], ["PYSEC-1"], ["PYSEC-1"], ["PYSEC-1"]]
