from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from secgate.gate_events import GateChanged
from secgate.model import Decision, Scope
from secgate.record import RecordRequest, record
from tests.ledger_support import Story, at, document, invocation, protected, sqlite_at


@pytest.fixture
def story(tmp_path: Path) -> Story:
    ledger = sqlite_at(tmp_path)
    ledger.create()
    return Story(ledger)


def told(changes: list[GateChanged]) -> list[tuple[str, str, str, str, str]]:
    return [(one.TYPE, one.name, one.part, one.before, one.after) for one in changes]


def test_the_first_run_changes_nothing(story: Story) -> None:
    assert story.gate_changes(story.run(at_s=0)) == []


def test_the_same_gate_changes_nothing(story: Story) -> None:
    story.run(at_s=0)
    assert story.gate_changes(story.run(at_s=60)) == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"version": "1.1"}, ("scanner-changed", "semgrep", "version", "1.0", "1.1")),
        ({"options": "o2"}, ("scanner-changed", "semgrep", "options", "o1", "o2")),
        ({"pack": "p2"}, ("rule-pack-changed", "semgrep", "digest", "p1", "p2")),
    ],
)
def test_a_changed_scanner_is_told(story: Story, given: dict[str, str], expected: tuple[str, ...]) -> None:
    story.run(at_s=0)
    (change,) = story.gate_changes(story.run(at_s=60, invocations=[invocation(**given)]))  # type: ignore[arg-type]
    assert told([change]) == [expected]
    assert (change.previous_run_id, change.run_id, change.line) == ("run-1", "run-2", "main")
    assert story.gate_changes(story.run(at_s=120, invocations=[invocation(**given)])) == []  # type: ignore[arg-type]


def test_a_scanner_that_failed_meanwhile_is_as_it_was(story: Story) -> None:
    story.run(at_s=0)
    story.run(at_s=60, invocations=[])
    assert story.gate_changes(story.run(at_s=120)) == []


def test_a_further_scanner_is_told(story: Story) -> None:
    story.run(at_s=0)
    changes = story.gate_changes(story.run(at_s=60, invocations=[invocation(), invocation("bandit")]))
    assert {one.name for one in changes} == {"bandit"}
    assert {one.before for one in changes} == {""}


def decided(**given: object) -> Decision:
    decision = document().decision
    assert decision is not None
    return replace(decision, **given)


def test_policy_and_mode_are_told(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(number: int, **given: object) -> list[GateChanged]:
        made = replace(document(run=f"run-{number}", at_s=number), decision=decided(**given))
        monkeypatch.setattr("tests.ledger_support.document", lambda *_, **__: made)
        return story.gate_changes(story.run(at_s=number))

    run(1, policy_digests={"shipped": "a" * 64, "repository": "b" * 64}, mode="enforce")
    assert told(run(2, policy_digests={"shipped": "c" * 64}, mode="observe")) == [
        ("policy-changed", "repository", "digest", "b" * 64, ""),
        ("policy-changed", "shipped", "digest", "a" * 64, "c" * 64),
        ("mode-changed", "gate", "mode", "enforce", "observe"),
    ]


def test_other_people_or_keys_are_another_enforced_layer(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else whoever let themselves approve or override would leave no trace that somebody has to review."""

    def run(number: int, digest: str) -> list[GateChanged]:
        made = replace(document(run=f"run-{number}", at_s=number), decision=decided(enforced_digest=digest))
        monkeypatch.setattr("tests.ledger_support.document", lambda *_, **__: made)
        return story.gate_changes(story.run(at_s=number))

    assert [told(run(1, "a" * 64)), told(run(2, "a" * 64))] == [[], []]
    assert told(run(3, "b" * 64)) == [("policy-changed", "enforced layer", "digest", "a" * 64, "b" * 64)]
    assert told(run(4, "")) == [("policy-changed", "enforced layer", "digest", "b" * 64, "")]


@pytest.mark.parametrize("target", [protected(scope=Scope.CHANGE), protected(dirty=True), protected(line="other")])
def test_other_runs_neither_tell_nor_hide_a_change(story: Story, target: object) -> None:
    newer = [invocation(version="2.0")]
    story.run(at_s=0)
    assert story.gate_changes(story.run(at_s=60, invocations=newer, target=target)) == []
    assert len(story.gate_changes(story.run(at_s=120, invocations=newer))) == 1


def test_another_mapping_is_told_and_one_that_was_not_recorded_is_none(story: Story) -> None:
    def run(at_s: int, digest: str) -> list[tuple[str, str, str, str, str]]:
        story.count += 1
        request = RecordRequest(
            document=document(run=f"run-{story.count}", at_s=at_s),
            decision_input=b"{}",
            now=at(at_s),
            required=False,
            read_only=False,
            mapping_digest=digest,
        )
        return told(story.gate_changes(record(request, story.ledger)))

    assert [run(0, ""), run(60, "a"), run(120, ""), run(180, "a")] == [[], [], [], []]
    assert run(240, "b") == [("policy-changed", "controls", "mapping", "a", "b")]
