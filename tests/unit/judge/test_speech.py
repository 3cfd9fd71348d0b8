"""Which rule spoke, where it is written, and what it read: from the syntax tree, and told apart by asking once more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from secgate.engines.regorus import RegorusEngine
from secgate.errors import PolicyError
from secgate.judge import Judgement, judge
from secgate.model import Scope, Severity, Spoken, State, Word
from secgate.policy import LayerName
from secgate.policy.attribution import MAX_EXPLAINED, QUERY, apart, heads_of
from secgate.ports import Answer, PolicyModule
from tests.unit.judge.conftest import Bench

TWO = """
# a comment that says deny contains
deny contains {"finding": f.fingerprint, "reason": "ärger"} if {
	some f in input.findings
	f.severity == "low"
}

deny contains {"finding": f.fingerprint, "reason": "elsewhere"} if {
	some f in input.findings
	old_enough(f)
	not f.touched
}

old_enough(f) if f.seconds_open >= data.limits.severity_s[f.severity]
"""


def said(bench: Bench, *, rules: str = "", layer: LayerName = "organisation", **changes: Any) -> tuple[Spoken, ...]:
    layers = (bench.layer(layer, rules),) if rules else ()
    return spoken(bench.judge(bench.finding(**changes), and_layers=layers))


def spoken(judgement: Judgement) -> tuple[Spoken, ...]:
    return next(one for one in judgement.decision.verdicts if one.subject == "finding").said


def test_the_shipped_rule_its_line_and_its_facts(bench: Bench) -> None:
    (one,) = said(bench, state=State.NEW)
    head = heads_of(bench.shipped, "data.secgate.rules.new_critical_or_high", "deny")[0]
    text = next(module.text for module in bench.shipped.modules if module.path == head.path)
    assert text.encode()[head.start : head.end] == b"deny"
    assert one.place == f"policies/rego/rules/new_critical_or_high.rego:{head.line}"
    assert text.split("\n")[head.line - 1].startswith("deny contains said if {")
    facts = {"severity": "high", "state": "new", "limits.new_denied": "critical, high"}
    assert facts.items() <= one.facts.items()
    assert one.facts["run.scope"] in ("change", "local")


@pytest.mark.parametrize("layer", ["organisation", "repository"])
def test_of_two_rules_the_one_that_spoke_is_named(bench: Bench, layer: LayerName) -> None:
    (first,) = said(bench, rules=TWO, layer=layer, severity=Severity.LOW)
    (second,) = said(bench, rules=TWO, layer=layer, severity=Severity.MEDIUM, touched=False, first_seen_epoch_s=1)
    assert (first.place, first.facts["severity"]) == ("own.rego:4", "low")
    assert second.place == "own.rego:9"
    assert {"touched", "seconds_open", "limits.severity_s"} <= set(second.facts)


def test_a_rule_that_reads_its_own_set_is_named_with_the_others(bench: Bench) -> None:
    rules = TWO + '\nwarn contains {"run": true, "reason": "many"} if count(deny) > 0\n'
    (one,) = said(bench, rules=rules, severity=Severity.LOW)
    assert one.place == "own.rego:4 or own.rego:9"
    layer = bench.layer("organisation", rules)
    assert [module.text for module in apart(layer, {("data.secgate.rules.own", "deny")})] == [layer.modules[0].text]


def test_every_rule_of_every_layer_is_named_the_strictest_first(bench: Bench) -> None:
    warns = 'warn contains {"finding": f.fingerprint, "reason": "look"} if some f in input.findings\n'
    words = said(bench, rules=warns, state=State.NEW)
    assert [(one.word, one.layer) for one in words] == [(Word.DENY, "shipped"), (Word.WARN, "organisation")]


def test_an_exemption_is_named_with_its_line(bench: Bench) -> None:
    rules = (
        'exempt contains {"finding": f.fingerprint, "reason": "known", "expires_epoch_s": 9999999999} if {\n'
        "\tsome f in input.findings\n}\n"
    )
    words = said(bench, rules=rules, state=State.NEW)
    assert [one.word for one in words] == [Word.DENY, Word.EXEMPT]
    assert words[1].place == "own.rego:2"
    past = rules.replace("9999999999", "1")
    assert [one.word for one in said(bench, rules=past, state=State.NEW)] == [Word.DENY]


def test_what_lets_pass_in_silence_names_nobody(bench: Bench) -> None:
    assert said(bench) == ()


def test_an_overdue_finding_shows_the_time_it_was_measured_at(bench: Bench) -> None:
    seen = bench.finding(first_seen_epoch_s=bench.epoch - 30 * 86400)
    (one,) = spoken(bench.judge(seen, scope=Scope.PROTECTED))
    assert one.place.startswith("policies/rego/rules/overdue.rego:")
    assert one.facts["evaluated_at_epoch_s"] == str(bench.epoch)
    assert one.facts["first_seen_epoch_s"] == str(bench.epoch - 30 * 86400)


class _Tired(RegorusEngine):
    """Decides, and has no answer to what is asked after that."""

    def evaluate(
        self, modules: Sequence[PolicyModule], *, data: bytes, document: bytes, query: str, limit_s: float
    ) -> Answer:
        if query == QUERY:
            raise PolicyError("too tired")
        return super().evaluate(modules, data=data, document=document, query=query, limit_s=limit_s)


def test_where_the_second_question_fails_the_decision_stands(bench: Bench) -> None:
    request = bench.request(bench.finding(severity=Severity.LOW), and_layers=(bench.layer("organisation", TWO),))
    decision = judge(request, engine=RegorusEngine(), guarded=_Tired()).decision
    verdict = next(one for one in decision.verdicts if one.subject == "finding")
    assert (verdict.word, verdict.said[0].place) == (Word.DENY, "own.rego:4 or own.rego:9")
    assert any("which of several rules" in note for note in decision.notes)


def test_facts_are_short(bench: Bench) -> None:
    data = msgspec.json.encode({"long": {"words": ["x" * 90] * 90}})
    rules = (
        'warn contains {"finding": f.fingerprint, "reason": "x"} if {\n'
        "\tsome f in input.findings\n\tcount(data.long.words) > 1\n}\n"
    )
    (one,) = spoken(bench.judge(bench.finding(), and_layers=(bench.layer("organisation", rules, long=data),)))
    assert len(one.facts["long.words"]) == 200


def test_of_very_many_the_worst_are_told_with_their_facts(bench: Bench) -> None:
    many = [bench.finding(number, state=State.NEW, score=8.0) for number in range(1, MAX_EXPLAINED + 2)]
    least = bench.finding(MAX_EXPLAINED + 2, state=State.NEW, score=7.0)
    worst = bench.finding(MAX_EXPLAINED + 3, state=State.NEW, score=9.0)
    judged = bench.judge(*many, least, worst)
    told = {one.id: one.said[0].facts for one in judged.decision.verdicts if one.subject == "finding"}
    assert (bool(told[worst.fingerprint]), bool(told[least.fingerprint])) == (True, False)
    assert sum(map(bool, told.values())) == MAX_EXPLAINED


def test_a_policy_that_uses_such_names_itself_breaks_nothing(bench: Bench) -> None:
    rules = TWO + '\ndeny_secgate_at_zz := ["x"]\n\ndeny_secgate_at_99 := [{"finding": "f", "reason": "made up"}]\n'
    (one,) = said(bench, rules=rules, layer="repository", severity=Severity.LOW)
    assert one.place == "own.rego:4"
