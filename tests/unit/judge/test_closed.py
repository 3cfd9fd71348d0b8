"""Every hole is a PolicyError, never a pass; no layer can take away from another."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import jsonschema_rs
import pytest

from secgate.engines.regorus import RegorusEngine
from secgate.errors import PolicyError
from secgate.judge import judge
from secgate.model import Outcome, Scope, State, Word
from secgate.policy import SENTINEL
from secgate.policy.evaluation import QUERY
from secgate.ports import Answer, PolicyModule

Bench = Any

DENY_ALL = 'deny contains {"finding": f.fingerprint, "reason": "own"} if some f in input.findings\n'
NOTHING = 'warn contains {"run": true, "reason": "never"} if input.evaluated_at_epoch_s == 0\n'


class Tampered:
    """An engine whose answer is changed before it is given."""

    name = "tampered"
    version = "0"

    def __init__(self, change: Callable[[dict[str, Any]], object]) -> None:
        self._change = change

    def evaluate(
        self, modules: Sequence[PolicyModule], *, data: bytes, document: bytes, query: str, limit_s: float
    ) -> Answer:
        answer = RegorusEngine().evaluate(modules, data=data, document=document, query=query, limit_s=limit_s)
        decision = json.loads(answer.value)
        self._change(decision)
        return Answer(value=json.dumps(decision).encode())


def _spell_out(decision: dict[str, Any]) -> list[dict[str, Any]]:
    """Put every verdict among `verdicts`, and give them; every element and every duty beside its rule."""
    for group in decision.pop("said"):
        about = {"rule": group["rule"], "set": group["set"]}
        decision["elements"] += [about | {"element": element} for element in group["elements"]]
    for group in decision.pop("added"):
        decision["obligations"] += [duty | {"rule": group["rule"]} for duty in group["obligations"]]
    verdicts: list[dict[str, Any]] = decision["verdicts"]
    for alike in decision.pop("alike"):
        verdicts += [{"subject": "finding", "id": name} | alike for name in alike.pop("ids")]
    strictness = ["deny", "inconclusive", "warn"]
    for name in decision.pop("by_elements"):
        said = [one for one in decision["elements"] if one["element"].get("finding") == name]
        word = min((one["set"] for one in said), key=strictness.index)
        speakers = sorted((one for one in said if one["set"] == word), key=lambda one: str(one["element"]["reason"]))
        first, more = speakers[0], len(speakers) - 1
        verdicts.append(
            {
                "subject": "finding",
                "id": name,
                "word": word,
                "rule": first["rule"],
                "reason": first["element"]["reason"] + (f" (and {more} more)" if more else ""),
                "remedy": first["element"].get("remedy", ""),
                "all_rules": sorted({one["rule"] for one in said}),
            }
        )
    return verdicts


def _without(name: str) -> Callable[[dict[str, Any]], object]:
    def change(decision: dict[str, Any]) -> None:
        decision["verdicts"] = [v for v in _spell_out(decision) if v["id"] != name]

    return change


def _word(name: str, word: str) -> Callable[[dict[str, Any]], object]:
    def change(decision: dict[str, Any]) -> None:
        for verdict in _spell_out(decision):
            if verdict["id"] == name:
                verdict["word"] = word

    return change


def _in_one_more(decision: dict[str, Any]) -> None:
    """Say of the finding that rules spoke of it, and that none did."""
    decision["alike"][0]["ids"].append(FINGERPRINT)


FINGERPRINT = f"{1:064x}"
HOLES: dict[str, Callable[[dict[str, Any]], object]] = {
    "missing verdict": _without(FINGERPRINT),
    "missing lane": _without("sast"),
    "missing run": _without("run"),
    "missing sentinel": _without(SENTINEL),
    "sentinel allowed": _word(SENTINEL, "allow"),
    "deny that became allow": _word(FINGERPRINT, "allow"),
    "waived without a waiver": _word(FINGERPRINT, "waived"),
    "unknown word": _word(FINGERPRINT, "fine"),
    "verdict spelt out twice": lambda decision: decision["verdicts"].append(
        _spell_out(json.loads(json.dumps(decision)))[-1]
    ),
    "spoken of and not": _in_one_more,
    "elements that are none": lambda decision: decision["by_elements"].append("f" * 64),
    "by its elements twice": lambda decision: decision["by_elements"].append(FINGERPRINT),
    "nobody speaks, and it was not asked": lambda decision: decision["alike"][0]["ids"].append("f" * 64),
    "spoken of, and named nowhere": lambda decision: decision.update(by_elements=[]),
    "spoken of, and said to be alike": lambda decision: decision["alike"][0]["ids"].extend(decision.pop("by_elements")),
    "twice": lambda decision: decision["verdicts"].append(decision["verdicts"][0]),
    "not asked": lambda decision: decision["verdicts"].append({**decision["verdicts"][0], "id": "f" * 64}),
    "another schema": lambda decision: decision["schema"].update(version=2),
    "a field too many": lambda decision: decision.update(more=1),
    "a field too few": lambda decision: decision.pop("obligations"),
}


@pytest.mark.parametrize("change", HOLES.values(), ids=HOLES.keys())
def test_a_hole_in_the_decision_is_an_error(bench: Bench, change: Callable[[dict[str, Any]], object]) -> None:
    engine = Tampered(change)
    with pytest.raises(PolicyError):
        judge(bench.request(bench.finding(state=State.NEW)), engine=engine, guarded=engine)


def test_engines_that_differ_are_an_error(bench: Bench) -> None:
    request = bench.request(bench.finding())
    engine = RegorusEngine()
    same, other = Tampered(_spell_out), Tampered(_word(FINGERPRINT, "warn"))
    assert judge(request, engine=engine, guarded=engine, references=[same]).decision.outcome is Outcome.PASS
    with pytest.raises(PolicyError, match="tampered decides the shipped layer differently, in verdicts"):
        judge(request, engine=engine, guarded=engine, references=[other])


ELEMENTS = {
    "no subject": '{"reason": "r"}',
    "two subjects": '{"finding": "x", "lane": "sast", "reason": "r"}',
    "no reason": '{"run": true}',
    "empty reason": '{"run": true, "reason": ""}',
    "null": '{"run": true, "reason": null}',
    "a number": '{"run": true, "reason": 1}',
    "a field too many": '{"run": true, "reason": "r", "severity": "low"}',
    "run false": '{"run": false, "reason": "r"}',
    "a string": '"denied"',
    "unknown finding": '{"finding": "x", "reason": "r"}',
    "unknown lane": '{"lane": "dast", "reason": "r"}',
    "unknown gap": '{"lane": "sast", "gap": "gap-9", "reason": "r"}',
    "gap without a lane": '{"run": true, "gap": "gap-1", "reason": "r"}',
}


@pytest.mark.parametrize("element", ELEMENTS.values(), ids=ELEMENTS.keys())
@pytest.mark.parametrize("name", ["organisation", "repository"])
def test_element_that_breaks_the_schema_is_an_error(bench: Bench, element: str, name: str) -> None:
    with pytest.raises(PolicyError, match=f"{name} layer"):
        bench.judge(and_layers=(bench.layer(name, f"deny contains {element} if input.run.complete\n"),))
    # Made by a function, it is seen only when the rule fires.
    layer = bench.layer(name, f"deny contains made if {{\n\tmade := json.unmarshal(`{element}`)\n}}\n")
    with pytest.raises(PolicyError, match=f"{name} layer"):
        bench.judge(and_layers=(layer,))


def test_a_duty_that_names_another_rule_is_its_own_rules(bench: Bench) -> None:
    duty = '{"finding": f.fingerprint, "basis": "own", "start_epoch_s": 1, "limit_s": 9, "rule": "another"}'
    layer = bench.layer("organisation", f"obligations contains {duty} if {{\n\tsome f in input.findings\n}}\n")
    decided = bench.judge(bench.finding(), and_layers=(layer,), scope=Scope.PROTECTED).decision
    assert "own" in {duty.basis for duty in decided.obligations}


def test_repository_cannot_redefine_what_the_organisation_uses(bench: Bench) -> None:
    """Threat 4: in one engine, the second definition would erase the first layer's deny."""
    helper = 'bad(f) if f.severity == "{}"\ndeny contains {{"finding": f.fingerprint, "reason": "own"}} if {{\n'
    helper += "\tsome f in input.findings\n\tbad(f)\n}}\n"
    organisation = bench.layer("organisation", helper.format("high"))
    repository = bench.layer("repository", helper.format("info") + "default bad(_) := false\n")
    finding = bench.finding()
    assert bench.word(finding, and_layers=(organisation,)) == "deny"
    assert bench.word(finding, and_layers=(organisation, repository)) == "deny"


def test_repository_data_does_not_reach_other_layers(bench: Bench) -> None:
    limits = {"version": 1, "severity_s": dict.fromkeys(("critical", "high", "medium", "low"), 1), "new_denied": []}
    layer = bench.layer("repository", NOTHING, limits=json.dumps({"limits": limits}).encode())
    assert bench.word(bench.finding(state=State.NEW), and_layers=(layer,)) == "deny"


def test_repository_adds_deny(bench: Bench) -> None:
    layer = bench.layer("repository", DENY_ALL)
    judgement = bench.judge(bench.finding(), and_layers=(layer,))
    verdict = judgement.decision.verdicts[0]
    assert (verdict.word, verdict.layer, verdict.rule) == (Word.DENY, "repository", "data.secgate.rules.own")
    assert judgement.decision.outcome is Outcome.FAIL


def test_organisation_switches_off_and_it_is_said(bench: Bench) -> None:
    decision = bench.judge(bench.finding(state=State.NEW), disabled_rules=("new_critical_or_high",)).decision
    assert decision.outcome is Outcome.PASS
    assert "the enforced layer switches off the shipped rule new_critical_or_high" in decision.notes


@pytest.mark.parametrize("disabled", [("nothing",), None])
def test_switching_off_what_is_not_there_or_everything_is_an_error(bench: Bench, disabled: Any) -> None:
    with pytest.raises(PolicyError, match="switch"):
        bench.judge(disabled_rules=bench.shipped.rules if disabled is None else disabled)


def exempting(bench: Bench, seconds: int) -> Any:
    element = f'{{"finding": f.fingerprint, "reason": "pilot", "expires_epoch_s": {bench.epoch + seconds}}}'
    return bench.layer("organisation", f"exempt contains {element} if some f in input.findings\n")


def test_exempt_takes_back_a_joined_deny_and_is_said(bench: Bench) -> None:
    finding = bench.finding(state=State.NEW)
    decision = bench.judge(finding, and_layers=(exempting(bench, 60), bench.layer("repository", DENY_ALL))).decision
    verdict = decision.verdicts[0]
    assert (verdict.word, verdict.layer, decision.outcome) == (Word.EXEMPT, "organisation", Outcome.PASS)
    assert verdict.reason.startswith("exempt until 2026-01-01 00:01:00 UTC: pilot (else: ")
    assert any("exempts" in note for note in decision.notes)


@pytest.mark.parametrize(("seconds", "word"), [(1, "exempt"), (0, "deny"), (-1, "deny")])
def test_exempt_ends_to_the_second(bench: Bench, seconds: int, word: str) -> None:
    assert bench.word(bench.finding(state=State.NEW), and_layers=(exempting(bench, seconds),)) == word


def test_duty_of_the_organisation_counts_on_the_day_it_is_made(bench: Bench) -> None:
    rule = 'obligations contains {"finding": f.fingerprint, "basis": "own", "start_epoch_s": 1, "limit_s": 1} if '
    layer = bench.layer("organisation", rule + "some f in input.findings\n")
    judgement = bench.judge(bench.finding(), scope=Scope.PROTECTED, and_layers=(layer,))
    assert judgement.decision.verdicts[0].rule == "data.secgate.rules.overdue"
    assert [duty.basis for duty in judgement.decision.obligations] == ["own", "severity:high"]
    other = bench.judge(bench.finding(), and_layers=(layer,)).decision
    assert (other.outcome, other.obligations) == (Outcome.PASS, ())


def test_sentinel_is_not_in_what_is_stored(bench: Bench) -> None:
    judgement = bench.judge(bench.finding())
    assert SENTINEL.encode() not in judgement.input_document
    assert not any(SENTINEL in verdict.id for verdict in judgement.decision.verdicts)


@pytest.mark.parametrize("fingerprint", [SENTINEL, FINGERPRINT])
def test_reserved_or_double_fingerprints_are_an_error(bench: Bench, fingerprint: str) -> None:
    with pytest.raises(PolicyError, match=r"reserved|more than once"):
        bench.judge(bench.finding(), bench.finding(2, fingerprint=fingerprint))


def test_documents_obey_their_schemas(bench: Bench, shipped_files: dict[str, bytes]) -> None:
    finding = bench.finding(state=State.NEW)
    document = bench.judge(finding).input_document
    jsonschema_rs.validate(json.loads(shipped_files["schema/input.json"]), json.loads(document))
    modules = (*bench.shipped.ground(), *bench.shipped.rule_modules())
    answer = RegorusEngine().evaluate(modules, data=bench.shipped.data, document=document, query=QUERY, limit_s=10)
    jsonschema_rs.validate(json.loads(shipped_files["schema/decision.json"]), json.loads(answer.value))
