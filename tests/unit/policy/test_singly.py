"""Which rules are known to speak of one finding at a time; everything else is judged whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from secgate.policy import Layer
from secgate.policy.reach import Reach

Load = Callable[..., Layer]

HEAD = 'deny contains {"finding": f.fingerprint, "reason": "r"} if '


def reach(layer: Layer) -> Reach:
    assert layer.reach is not None
    return layer.reach


def loaded(load: Load, rules: str, *more: str) -> Layer:
    files = {f"{number}.rego": text.encode() for number, text in enumerate(more)}
    return load({"own.rego": f"package secgate.rules.own\n{rules}".encode(), **files})


@pytest.mark.parametrize(
    "rules",
    [
        HEAD + '{ some f in input.findings; f.severity == "high" }',
        HEAD + '{ input.run.scope == "local"; some f in input.findings; known(f) }\nknown(f) if f.owner == ""',
        HEAD + '{ some f in input["findings"]; every c in f.cwes { c > 7 } }',
        "import data.secgate.lib.place\n" + HEAD + '{ some f in input.findings; place.of(f) == "a.py" }',
        "import data.secgate.lib.newness\n" + HEAD + "{ some f in input.findings; newness.is_new(f) }",
        'deny contains {"run": true, "reason": "r"} if { count(input.gaps) > 3 }',
        HEAD
        + "{ some f in input.findings; f.lane in lanes }\nlanes := {one.lane | some one in input.lanes; one.asked}",
    ],
)
def test_goes_through_the_findings_one_by_one(load: Load, rules: str) -> None:
    assert reach(loaded(load, rules)).speaks_singly


@pytest.mark.parametrize(
    "rules",
    [
        HEAD + "{ some f in input.findings; count(input.findings) > 3 }",
        HEAD + '{ some f in input.findings; some g in input.findings; g.path == f.path; g.lane != "iac" }',
        HEAD + "{ some i, f in input.findings; i > 3 }",
        HEAD + "{ some f in input.findings; f == input.findings[0] }",
        HEAD + "{ f := input.findings[_]; f.secret }",
        HEAD + "{ some f in all_of_them; f.secret }\nall_of_them := input.findings",
        HEAD + "{ some f in input.findings; many }\nmany if count([1 | some g in input.findings; g.secret]) > 3",
        HEAD + "{ some f in input.findings; is_first(f) }\nis_first(f) if f == input.findings[0]",
        HEAD + "{ some f in input.findings; f.secret }\nwarn contains x if { count(deny) > 3; "
        'x := {"run": true, "reason": "many"} }',
        "import input.findings as found\n" + HEAD + "{ some f in found; count(found) > 3 }",
        "import data.secgate.lib.duties\n" + HEAD + "{ some f in input.findings; count(duties.added) > 3 }",
        'deny contains {"run": true, "reason": "r"} if { every f in input.findings { f.secret } }',
        'deny contains {"run": true, "reason": sprintf("%d", [count(input.findings)])} if { input.run.complete }',
        HEAD + "{ some f in input.findings; plain with input.findings as [] }\nplain if input.run.complete",
    ],
)
def test_may_depend_on_several_findings(load: Load, rules: str) -> None:
    assert not reach(loaded(load, rules)).speaks_singly


def test_reading_another_package_back_counts(load: Load) -> None:
    other = 'package secgate.rules.other\ndeny contains {"finding": f.fingerprint, "reason": "r"} if { '
    other += "some f in input.findings; f.secret }"
    rules = 'warn contains {"run": true, "reason": "r"} if { count(data.secgate.rules.other.deny) > 3 }'
    assert not reach(loaded(load, rules, other)).speaks_singly


def test_one_rule_is_enough_to_judge_the_whole(load: Load) -> None:
    one_by_one = HEAD + "{ some f in input.findings; f.secret }\n"
    rules = one_by_one + HEAD + "{ some f in input.findings; count(input.findings) > 3 }"
    assert not reach(loaded(load, rules)).speaks_singly


GATHERED = {
    "secgate.lib.duties.added",
    "secgate.lib.duties.baseline",
    "secgate.lib.duties.bod_26_04",
    "secgate.lib.duties.epss",
    "secgate.lib.duties.first",
    "secgate.lib.duties.first_since_seen",
    "secgate.lib.duties.held",
    "secgate.lib.duties.known_exploited",
    "secgate.lib.duties.levelled",
    "secgate.lib.duties.listed",
    "secgate.lib.duties.lowered",
    "secgate.lib.duties.more_known",
    "secgate.lib.duties.of_a_level",
    "secgate.lib.duties.others",
    "secgate.lib.duties.returning",
    "secgate.lib.duties.risen",
    "secgate.lib.duties.severity",
    "secgate.lib.duties.since_now",
    "secgate.lib.duties.since_seen",
    "secgate.lib.duties.standing",
    "secgate.lib.duties.taken_back",
    "secgate.lib.duties.unlevelled",
    "secgate.lib.duties.unseen",
    "secgate.lib.duties.weighed",
    "secgate.rules.new_critical_or_high.others",
    "secgate.rules.new_critical_or_high.plain",
    "secgate.rules.overdue.added",
    "secgate.rules.overdue.lengths",
    "secgate.rules.overdue.limits",
    "secgate.rules.overdue.lowered",
    "secgate.rules.overdue.recorded",
    "secgate.rules.overdue.timed",
    "secgate.rules.overdue.told",
    "secgate.rules.overdue.weighed",
}
"""What the shipped rules gather over findings: lists to go through, and sets asked for what a finding has."""


def test_what_shipped_rules_gather_is_known(shipped: Layer) -> None:
    """A new name here must be read by a person: judged in parts, it has the findings of its part alone."""
    gathered = {name for name in reach(shipped).several if not name.startswith("secgate.main.")}
    speaking = {name for name in gathered if name.rpartition(".")[2] in ("deny", "warn", "obligations", "superseded")}
    assert gathered - speaking == GATHERED
