"""What a ledger kept judges again as it did then, by whatever today's checks would say of it."""

from __future__ import annotations

import pytest

from secgate.engines.regorus import RegorusEngine
from secgate.errors import PolicyError
from secgate.judge import Replay, replay
from secgate.model import Word
from secgate.pipeline.policy_words import policy_told
from secgate.policy import Layer, load_layer, load_vocabulary
from secgate.policy.accounts import PolicyDiff, PolicyFault
from secgate.policy.documents import read_input
from secgate.policy.stored import Policies
from tests.unit.judge.conftest import Bench

QUIET = """package secgate.rules.own

deny contains {"run": true, "raeson": "never"} if input.evaluated_at_epoch_s < 3

deny contains {"run": true, "reason": "frozen"} if input.evaluated_at_epoch_s > 3
"""


def _layer(bench: Bench, files: dict[str, bytes], text: str) -> Layer:
    return load_layer(
        "organisation",
        {"own.rego": text.encode()},
        reader=RegorusEngine(),
        vocabulary=load_vocabulary(files["schema/input.json"]),
        shipped=bench.shipped,
        judged_before=True,
    )


def _replayed(bench: Bench, layer: Layer) -> Replay:
    document = read_input(bench.judge(bench.finding(), keeps_input=True).input_document)
    engine = RegorusEngine()
    policies = Policies(layers=(bench.shipped, layer))
    return replay(document, policies, engine=engine, guarded=engine, limit_s=20)


def test_a_rule_of_wrong_form_that_never_held_changes_nothing(bench: Bench, shipped_files: dict[str, bytes]) -> None:
    layer = _layer(bench, shipped_files, QUIET)
    assert [fault.what for fault in layer.faults] == ["an element of `deny` has no field `raeson`"]
    found = _replayed(bench, layer)
    assert [one.reason for one in found.verdicts if one.word is Word.DENY] == ["frozen"]


def test_where_it_holds_nothing_is_decided(bench: Bench, shipped_files: dict[str, bytes]) -> None:
    with pytest.raises(PolicyError, match="reason"):
        _replayed(bench, _layer(bench, shipped_files, QUIET.replace("< 3", "> 4")))


def test_the_warnings_are_shown_with_their_place() -> None:
    fault = PolicyFault(place="own.rego:3:32", what="no field `raeson`", remedy="", by="secgate")
    told = PolicyDiff(old="recorded", new="ab12", runs=1, changed=(), untold=(), warnings=(fault,))
    text = policy_told(told, "text", width=80, colour=False).decode()
    assert "1 fault that would be refused today; it judges as it did then" in text
    assert "own.rego:3:32: no field `raeson`" in text
