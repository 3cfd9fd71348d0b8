from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from secgate.errors import HeadMovedError, InternalError, LedgerError
from secgate.events import (
    FindingAliased,
    FindingChanged,
    FindingClosed,
    FindingOpened,
    FindingSeenAgain,
    ObligationAdded,
    ObligationSuperseded,
    Run,
)
from secgate.finding_facts import Witness
from secgate.ledgers.sqlite import SqliteLedger
from secgate.memory import Memory
from secgate.model import (
    Digest,
    Entry,
    Gap,
    Head,
    Lane,
    LeftOut,
    Obligation,
    Rule,
    RunDocument,
    ScanStatus,
    Scope,
    Severity,
    encode,
)
from secgate.record import RecordRequest, initialise, record
from tests.ledger_support import (
    EPOCH_S,
    GIT,
    Story,
    account,
    at,
    document,
    finding,
    fingerprint,
    git_at,
    invocation,
    protected,
    sqlite_at,
)

DAY_S = 86400


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(sqlite_at(tmp_path))


def kinds(story: Story, receipt: object) -> list[type]:
    return [type(event) for event in story.events(receipt)]  # type: ignore[arg-type]


def the_run(story: Story, receipt: object) -> Run:
    (run,) = [event for event in story.events(receipt) if isinstance(event, Run)]  # type: ignore[arg-type]
    return run


def duty(
    name: str,
    basis: str = "severity-high",
    *,
    start_s: int = 0,
    limit_s: int = 7 * DAY_S,
    approved_s: int | None = None,
) -> Obligation:
    """A duty of a decision; `approved_s` is when a downgrade that takes it back was approved, None for none."""
    return Obligation(
        finding=fingerprint(name),
        basis=basis,
        start_epoch_s=EPOCH_S + start_s,
        limit_s=limit_s,
        superseded=approved_s is not None,
        superseded_by="" if approved_s is None else "d" * 64,
        superseded_epoch_s=EPOCH_S + (approved_s or 0),
    )


# ------------------------------------------------------------------------------- clocks


def test_the_first_protected_run_starts_the_clock(story: Story) -> None:
    receipt = story.run(finding("a"), at_s=5)
    assert kinds(story, receipt) == [Run, FindingOpened]
    assert receipt.created
    (known,) = story.history().open
    assert (known.fingerprint, known.first_seen_epoch_s) == (fingerprint("a"), EPOCH_S + 5)


def test_seeing_it_again_leaves_only_the_run(story: Story) -> None:
    story.run(finding("a"), at_s=0)
    assert kinds(story, story.run(finding("a"), at_s=DAY_S)) == [Run]
    assert story.history().open[0].first_seen_epoch_s == EPOCH_S


@pytest.mark.parametrize(
    "given",
    [
        {"target": protected(scope=Scope.CHANGE)},
        {"target": protected(scope=Scope.LOCAL)},
        {"target": protected(dirty=True)},
        {"complete": False},
    ],
    ids=["change", "local", "dirty", "broken off"],
)
def test_other_runs_touch_no_clock(story: Story, given: dict[str, Any]) -> None:
    story.run(finding("a"), at_s=0)
    receipt = story.run(finding("b"), at_s=1, **given)
    assert kinds(story, receipt) == [Run]
    assert the_run(story, receipt).settled == ()
    assert [known.fingerprint for known in story.history().open] == [fingerprint("a")]


def test_another_line_has_clocks_of_its_own(story: Story) -> None:
    story.run(finding("a"), at_s=0)
    story.run(finding("a"), at_s=9, target=protected(line="v1"))
    assert story.history(line="v1").open[0].first_seen_epoch_s == EPOCH_S + 9
    story.run(at_s=10)
    assert (len(story.history().open), len(story.history(line="v1").open)) == (0, 1)


@pytest.mark.skipif(not GIT, reason="git is not installed")
def test_two_machines_that_share_a_git_ledger_keep_one_clock(tmp_path: Path) -> None:
    here, there = Story(git_at(tmp_path, "here")), Story(git_at(tmp_path, "there"))
    here.run(finding("a"), at_s=0)
    assert kinds(there, there.run(finding("a"), at_s=DAY_S)) == [Run]
    there.run(at_s=2 * DAY_S)
    assert here.history(at_s=2 * DAY_S).open == ()
    assert here.history(at_s=2 * DAY_S).closed[0].first_seen_epoch_s == EPOCH_S


# ------------------------------------------------------------------------------- closing


def test_absent_in_a_comparable_run_closes(story: Story) -> None:
    story.run(finding("a"), finding("b"), at_s=0)
    receipt = story.run(finding("b"), at_s=60)
    (closed,) = [event for event in story.events(receipt) if isinstance(event, FindingClosed)]
    assert (closed.fingerprint, closed.basis) == (fingerprint("a"), "absent")
    assert story.history().closed[0].closed_epoch_s == EPOCH_S + 60


failed = [invocation(status=ScanStatus.CRASHED)]
gap = Gap(lane=Lane.SAST, path="shop/cart.py", tool="semgrep", reason="parse-error")
whole_gap = Gap(lane=Lane.SAST, path="", tool="", reason="no-tool")
left_out = LeftOut(path="shop", reason="excluded")


@pytest.mark.parametrize(
    "given",
    [
        {"complete": False},
        {"invocations": failed, "lanes": [account(failed=["semgrep"])]},
        {"invocations": failed},
        {"invocations": []},
        {"invocations": [invocation("bandit")]},
        {"lanes": [account(asked=False)]},
        {"lanes": [account(Lane.SECRETS)]},
        {"lanes": [replace(account(), gaps=(gap,))]},
        {"lanes": [replace(account(), gaps=(whole_gap,))]},
        {"lanes": [replace(account(), not_looked=(left_out,))]},
        {"target": replace(protected(files=["a.py"]), left_out=(left_out,))},
        {"target": protected(prefix="docs")},
        {"target": protected(changed=("docs/index.md",))},
        {"target": protected(dirty=True)},
        {"target": protected(scope=Scope.CHANGE)},
        {"invocations": [invocation(options="o2")]},
        {"invocations": [invocation(pack="p2")]},
        {"invocations": [invocation(version="2.0")]},
    ],
    ids=[
        "broken off",
        "tool failed",
        "tool failed, unsaid by the lane",
        "no tool",
        "another tool",
        "lane not asked",
        "another lane",
        "file not parsed",
        "whole lane failed",
        "folder left out of the lane",
        "folder excluded",
        "subdirectory",
        "changed files only",
        "dirty",
        "change",
        "other options",
        "other pack",
        "other version",
    ],
)
def test_a_failed_or_narrower_run_never_closes(story: Story, given: dict[str, Any]) -> None:
    story.run(finding("a"), at_s=0)
    assert kinds(story, story.run(at_s=60, **given)) == [Run]
    assert len(story.history().open) == 1
    # And once a run is comparable again, it does close.
    assert FindingClosed in kinds(story, story.run(at_s=120))


def test_every_tool_that_saw_it_must_have_looked(story: Story) -> None:
    both = [invocation("semgrep"), invocation("bandit")]
    story.run(finding("a", scanners=("semgrep", "bandit")), at_s=0, invocations=both)
    story.run(finding("a", scanners=("semgrep",)), at_s=10, invocations=[invocation("semgrep")])
    assert kinds(story, story.run(at_s=20, invocations=[invocation("semgrep")])) == [Run]
    assert FindingClosed in kinds(story, story.run(at_s=30, invocations=both))


def test_a_later_version_that_still_has_the_rule_closes(story: Story) -> None:
    story.run(finding("a"), at_s=0)
    newer = replace(invocation(version="2.0", pack="p2"), rules=(Rule(id="other"),))
    assert kinds(story, story.run(at_s=10, invocations=[newer])) == [Run]
    newer = replace(newer, rules=(Rule(id="other"), Rule(id="sql")))
    assert FindingClosed in kinds(story, story.run(at_s=20, invocations=[newer]))


def test_a_rule_that_is_still_there_does_not_make_up_for_other_options(story: Story) -> None:
    story.run(finding("a"), at_s=0)
    narrower = replace(invocation(options="o2"), rules=(Rule(id="sql"),))
    assert kinds(story, story.run(at_s=10, invocations=[narrower])) == [Run]


def test_a_run_of_another_lane_changes_nothing_in_what_is_compared(story: Story) -> None:
    story.run(finding("a"), at_s=0)
    newer = [invocation(version="2.0")]
    story.run(at_s=10, invocations=newer)
    secrets = [invocation("kingfisher", lane=Lane.SECRETS)]
    story.run(at_s=20, invocations=secrets, lanes=[account(Lane.SECRETS)])
    assert kinds(story, story.run(at_s=30, invocations=newer)) == [Run]


def test_an_upgrade_that_still_sees_it_becomes_what_is_compared_with(story: Story) -> None:
    story.run(finding("a"), at_s=0)
    newer = [invocation(version="2.0")]
    story.run(finding("a"), at_s=10, invocations=newer)
    assert FindingClosed in kinds(story, story.run(at_s=20, invocations=newer))


def test_what_an_upgrade_did_not_see_stays_compared_with_the_old_tool(story: Story) -> None:
    story.run(finding("a"), finding("b"), at_s=0)
    newer = [invocation(version="2.0")]
    first = story.run(finding("b"), at_s=10, invocations=newer)
    assert the_run(story, first).unseen == (fingerprint("a"),)
    assert kinds(story, story.run(finding("b"), at_s=20, invocations=newer)) == [Run]
    story.run(at_s=30, invocations=newer)
    assert [known.fingerprint for known in story.history().open] == [fingerprint("a")]


def test_what_a_newer_tool_sees_after_all_is_compared_with_that_tool(story: Story) -> None:
    newer = [invocation(version="2.0")]
    story.run(finding("a"), at_s=0)
    story.run(at_s=10, invocations=newer)
    story.run(finding("a"), at_s=20, invocations=newer)
    assert FindingClosed in kinds(story, story.run(at_s=30, invocations=newer))


def test_text_known_to_be_gone_closes_under_other_rules(story: Story) -> None:
    story.run(finding("a"), at_s=0)
    receipt = story.run(at_s=10, invocations=[invocation(version="2.0")], gone=["a"])
    (closed,) = [event for event in story.events(receipt) if isinstance(event, FindingClosed)]
    assert closed.basis == "text-gone"


@pytest.mark.parametrize(("files", "closes"), [(["shop/pay.js"], True), (["shop/pay.py"], False)])
def test_a_deleted_file_counts_unless_its_tool_was_taken_away(story: Story, files: list[str], closes: bool) -> None:
    story.run(finding("a", scanners=("bandit",)), at_s=0, invocations=[invocation("bandit")])
    receipt = story.run(at_s=10, invocations=[invocation("semgrep")], target=protected(files=files))
    assert (FindingClosed in kinds(story, receipt)) is closes


def test_older_advisories_never_close(story: Story) -> None:
    story.run(finding("a"), at_s=0, invocations=[invocation(age_s=100)])
    assert kinds(story, story.run(at_s=10, invocations=[invocation(age_s=5000)])) == [Run]
    assert FindingClosed in kinds(story, story.run(at_s=20, invocations=[invocation(age_s=50)]))


# ------------------------------------------------------------------------------- episodes


@pytest.mark.parametrize(("back_s", "kind"), [(30 * DAY_S, FindingSeenAgain), (30 * DAY_S + 1, FindingOpened)])
def test_back_within_thirty_days_is_the_same_episode(story: Story, back_s: int, kind: type) -> None:
    story.run(finding("a"), at_s=0, obligations=[duty("a")])
    story.run(at_s=100)
    receipt = story.run(finding("a"), at_s=100 + back_s)
    assert kinds(story, receipt) == [Run, kind]
    (known,) = story.history(at_s=100 + back_s).open
    is_same = kind is FindingSeenAgain
    assert known.first_seen_epoch_s == EPOCH_S + (0 if is_same else 100 + back_s)
    assert len(known.obligations) == int(is_same)


def test_a_new_episode_names_the_end_of_the_one_before(story: Story) -> None:
    story.run(finding("a"), at_s=0)
    story.run(at_s=100)
    opened = story.events(story.run(finding("a"), at_s=40 * DAY_S))[1]
    assert isinstance(opened, FindingOpened)
    assert (opened.episode, opened.previous_closed_epoch_s) == (2, EPOCH_S + 100)


# ------------------------------------------------------------------------------- changes and names


@pytest.mark.parametrize(
    ("severity", "changes"), [(Severity.CRITICAL, ("severity-raised",)), (Severity.LOW, ("severity-lowered",))]
)
def test_another_severity_is_recorded(story: Story, severity: Severity, changes: tuple[str, ...]) -> None:
    story.run(finding("a"), at_s=0)
    changed = story.events(story.run(finding("a", severity=severity), at_s=10))[1]
    assert isinstance(changed, FindingChanged)
    assert (changed.changes, changed.previous_severity) == (changes, Severity.HIGH)
    assert story.history().open[0].severity == severity


def test_a_renamed_finding_keeps_its_clock_and_duties(story: Story) -> None:
    story.run(finding("a"), at_s=0, obligations=[duty("a")])
    moved = finding("b", path="shop/pay.py", previous="a")
    assert kinds(story, story.run(moved, at_s=10)) == [Run, FindingAliased, FindingChanged]
    (known,) = story.history().open
    assert (known.fingerprint, known.first_seen_epoch_s, known.path) == (fingerprint("b"), EPOCH_S, "shop/pay.py")
    assert [alias.value for alias in known.aliases] == [fingerprint("a")]
    assert [owed.finding for owed in known.obligations] == [fingerprint("b")]


def test_a_copy_does_not_take_over_the_clock_of_what_is_still_there(story: Story) -> None:
    story.run(finding("a"), at_s=0)
    receipt = story.run(finding("a"), finding("b", previous="a"), at_s=10)
    assert kinds(story, receipt) == [Run, FindingOpened]


def test_back_under_its_former_name_it_is_still_the_same(story: Story) -> None:
    story.run(finding("a"), at_s=0)
    story.run(finding("b", previous="a"), at_s=10)
    assert kinds(story, story.run(finding("a"), at_s=20)) == [Run, FindingAliased]
    assert story.history().open[0].first_seen_epoch_s == EPOCH_S


def test_a_witness_whose_tool_did_not_run_is_kept(story: Story) -> None:
    both = [invocation("semgrep"), invocation("bandit")]
    story.run(finding("a", scanners=("semgrep", "bandit")), at_s=0, invocations=both)
    assert kinds(story, story.run(finding("a"), at_s=10)) == [Run]
    changed = story.events(story.run(finding("a"), at_s=20, invocations=both))[1]
    assert isinstance(changed, FindingChanged)
    assert changed.finding.witnesses == (Witness(scanner="semgrep", rule="sql"),)


# ------------------------------------------------------------------------------- duties


def test_a_duty_is_recorded_once(story: Story) -> None:
    assert ObligationAdded in kinds(story, story.run(finding("a"), at_s=0, obligations=[duty("a")]))
    for again in (duty("a"), duty("a", start_s=10), duty("a", limit_s=DAY_S)):
        assert kinds(story, story.run(finding("a"), at_s=10, obligations=[again])) == [Run]


def test_of_two_duties_on_one_basis_the_earlier_due_is_kept(story: Story) -> None:
    story.run(finding("a"), at_s=0, obligations=[duty("a"), duty("a", limit_s=DAY_S)])
    assert [owed.limit_s for owed in story.history().open[0].obligations] == [DAY_S]


def test_a_duty_of_a_run_without_clocks_is_not_recorded(story: Story) -> None:
    story.run(finding("a"), at_s=0)
    change = protected(scope=Scope.CHANGE)
    assert kinds(story, story.run(finding("a"), at_s=1, obligations=[duty("a")], target=change)) == [Run]


def test_a_duty_is_superseded_by_what_was_approved_before_it_was_due(story: Story) -> None:
    story.run(finding("a"), at_s=0, obligations=[duty("a"), duty("a", "kev")])
    receipt = story.run(finding("a"), at_s=9 * DAY_S, obligations=[duty("a", approved_s=7 * DAY_S)])
    assert kinds(story, receipt) == [Run, ObligationSuperseded]
    owed = {duty.basis: duty.superseded for duty in story.history().open[0].obligations}
    assert owed == {"severity-high": True, "kev": False}


def test_a_duty_that_was_due_is_not_superseded_and_that_is_said(story: Story) -> None:
    story.run(finding("a"), at_s=0, obligations=[duty("a")])
    receipt = story.run(finding("a"), at_s=9 * DAY_S, obligations=[duty("a", approved_s=7 * DAY_S + 1)])
    assert kinds(story, receipt) == [Run]
    assert "it stands" in receipt.notes[0]


def test_what_a_downgrade_took_back_is_added_anew_once_it_ended_and_once_only(story: Story) -> None:
    story.run(finding("a"), at_s=0, obligations=[duty("a")])
    story.run(finding("a"), at_s=10, obligations=[duty("a", approved_s=5)])
    (gone,) = story.history().open[0].obligations
    assert (gone.superseded_by, gone.superseded_epoch_s) == ("d" * 64, EPOCH_S + 5)
    assert kinds(story, story.run(finding("a"), at_s=20, obligations=[duty("a")])) == [Run, ObligationAdded]
    assert kinds(story, story.run(finding("a"), at_s=30, obligations=[duty("a")])) == [Run]
    assert [one.superseded for one in story.history().open[0].obligations] == [True, False]


# ------------------------------------------------------------------------------- the run itself


def test_the_run_entry_says_what_may_be_compared(story: Story) -> None:
    run = the_run(story, story.run(at_s=0))
    assert (run.complete, run.commit, run.lanes) == (True, "c" * 40, (Lane.SAST,))
    newer = the_run(story, story.run(at_s=1, invocations=[invocation(version="2.0")]))
    same = the_run(story, story.run(at_s=2, invocations=[replace(invocation(), started_epoch_s=9, executed=3)]))
    assert same.tools_digest == run.tools_digest != newer.tools_digest
    assert not the_run(story, story.run(at_s=3, target=protected(changed=("a",)))).complete


def test_document_and_input_are_stored_by_digest(story: Story) -> None:
    run = the_run(story, story.run(finding("a"), at_s=0))
    stored = story.ledger.blob(run.document_digest)
    assert stored == encode(document(finding("a")))
    assert story.ledger.blob(run.input_digest) == b"{}"


def test_a_clock_that_went_back_is_said_and_not_followed(story: Story) -> None:
    story.run(at_s=500)
    assert the_run(story, story.run(finding("a"), at_s=20, obligations=[duty("a", start_s=20)])).clock_back_s == 480
    (known,) = story.history().open
    assert known.first_seen_epoch_s == known.obligations[0].start_epoch_s == EPOCH_S + 500


def request(run: RunDocument, **given: object) -> RecordRequest:
    plain = RecordRequest(document=run, decision_input=b"{}", now=at(0), required=False, read_only=False)
    return replace(plain, **given)


def test_a_read_only_run_writes_nothing(tmp_path: Path) -> None:
    ledger = sqlite_at(tmp_path)
    assert record(request(document(), read_only=True), ledger).entries == ()
    assert list(tmp_path.iterdir()) == []


def test_where_one_is_required_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="required here and there is none"):
        record(request(document(), required=True), sqlite_at(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_provisional_one_does_not_do_where_one_is_required(story: Story) -> None:
    story.run(finding("a"), at_s=0)
    with pytest.raises(LedgerError, match="made at first use"):
        record(request(document(), required=True), story.ledger)
    initialise(story.ledger, seed="s", secgate_version="0.1.0", now=at(1))
    assert not record(request(document(finding("a")), required=True), story.ledger).provisional
    assert story.history().open[0].first_seen_epoch_s == EPOCH_S


def test_a_ledger_is_made_on_purpose_once(tmp_path: Path) -> None:
    ledger = sqlite_at(tmp_path)
    assert initialise(ledger, seed="s", secgate_version="0.1.0", now=at(0)).size == 1
    with pytest.raises(LedgerError, match="there is a ledger already"):
        initialise(ledger, seed="t", secgate_version="0.1.0", now=at(0))


def test_another_input_than_the_judged_one_is_a_fault_of_ours(tmp_path: Path) -> None:
    with pytest.raises(InternalError, match="not the one that was judged"):
        record(request(document(), decision_input=b"[]"), sqlite_at(tmp_path))


class Overtaken(SqliteLedger):
    """A ledger on which another writer is first, `times` times."""

    times = 3

    def append(self, expected: Head, entries: Sequence[Entry], *, now: datetime, blobs: Mapping[Digest, bytes]) -> Head:
        if self.times:
            self.times -= 1
            other = document(finding("a"), run=f"other-{self.times}")
            record(request(other), SqliteLedger(self.address))
        return super().append(expected, entries, now=now, blobs=blobs)


def test_what_follows_is_worked_out_again_when_another_was_first(tmp_path: Path) -> None:
    ledger = Overtaken(str(tmp_path / "ledger.sqlite"))
    waits: list[float] = []
    receipt = record(request(document(finding("a"))), ledger, pause=waits.append)
    assert [entry.type for entry in receipt.entries] == ["run"]
    assert (len(waits), max(waits) <= 0.5) == (3, True)


def test_it_gives_up_after_so_many_times(tmp_path: Path) -> None:
    with pytest.raises(HeadMovedError, match="2 times in a row"):
        record(request(document(), attempts=2), Overtaken(str(tmp_path / "ledger.sqlite")), pause=lambda _: None)


def test_many_runs_at_once_make_one_history(tmp_path: Path) -> None:
    def one(number: int) -> None:
        for turn in range(5):
            run = document(finding("a"), finding(f"b{number}"), run=f"{number}-{turn}")
            record(request(run), sqlite_at(tmp_path))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    memory = Memory()
    memory.catch_up(sqlite_at(tmp_path))
    assert len(memory.runs("example.com/shop")) == 20
    assert memory.line("example.com/shop", "main").findings[fingerprint("a")].episode == 1


def test_the_input_digest_of_an_undecided_run_is_empty(tmp_path: Path) -> None:
    undecided = replace(document(), decision=None)
    receipt = record(request(undecided, decision_input=b""), sqlite_at(tmp_path))
    assert b'"input_digest":""' in receipt.entries[-1].body
    assert receipt.document_digest == sha256(encode(undecided)).hexdigest()
