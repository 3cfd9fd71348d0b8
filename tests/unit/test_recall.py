from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from secgate.errors import InternalError, LedgerError
from secgate.events import ObligationAdded, event_of, to_entry
from secgate.memory import Memory
from secgate.merkle import EMPTY_HEAD, decode_entry
from secgate.model import Entry, Head, History
from secgate.recall import recall
from tests.ledger_support import (
    EPOCH_S,
    Story,
    at,
    finding,
    fingerprint,
    sqlite_at,
)


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(sqlite_at(tmp_path))


def recalled(story: Story, **given: Any) -> History:
    plain = {"repository": "example.com/shop", "line": "main", "now": at(0), "required": False, "read_only": False}
    return recall(story.ledger, **{**plain, **given})


def test_nothing_is_there_and_nothing_is_made(story: Story, tmp_path: Path) -> None:
    history = recalled(story)
    assert (history.head_size, history.head_root, history.provisional) == (0, EMPTY_HEAD.root, True)
    assert list(tmp_path.iterdir()) == []


def test_absent_where_required_is_an_error(story: Story) -> None:
    with pytest.raises(LedgerError, match="required here and there is none"):
        recalled(story, required=True)


def test_made_at_first_use_where_required_is_an_error(story: Story) -> None:
    story.run(at_s=0)
    assert recalled(story).provisional
    with pytest.raises(LedgerError, match="made at first use"):
        recalled(story, required=True)


def test_open_closed_and_runs(story: Story) -> None:
    story.run(finding("a"), finding("b"), at_s=0)
    story.run(finding("b"), at_s=100)
    history = recalled(story, now=at(100))
    assert [known.fingerprint for known in history.open] == [fingerprint("b")]
    assert [(known.fingerprint, known.closed_epoch_s) for known in history.closed] == [
        (fingerprint("a"), EPOCH_S + 100)
    ]
    assert [(run.run_id, run.complete) for run in history.runs] == [("run-1", True), ("run-2", True)]


@pytest.mark.parametrize(("later_s", "count"), [(30 * 86400, 1), (30 * 86400 + 1, 0)])
def test_closed_ones_are_told_for_thirty_days(story: Story, later_s: int, count: int) -> None:
    story.run(finding("a"), at_s=0)
    story.run(at_s=100)
    assert len(recalled(story, now=at(100 + later_s)).closed) == count


def test_a_clock_that_was_put_back_reopens_nothing(story: Story) -> None:
    story.run(finding("a"), at_s=0)
    story.run(at_s=100)
    story.run(finding("b"), at_s=100 + 31 * 86400)
    assert recalled(story, now=at(200)).closed == ()


def test_another_repository_sees_nothing_of_it(story: Story) -> None:
    story.run(finding("a"), at_s=0)
    other = recalled(story, repository="example.com/other")
    assert (other.open, other.runs, other.head_size) == ((), (), 3)


def test_a_memory_reads_only_what_is_new_and_says_the_same(story: Story) -> None:
    memory = Memory()
    for number in range(3):
        story.run(finding(f"f{number}"), at_s=number)
        assert recalled(story, memory=memory) == recalled(story)
    assert memory.head == story.ledger.head()


def test_unknown_events_are_passed_over(story: Story) -> None:
    story.run(finding("a"), at_s=0)
    for unknown in (Entry(type="of-the-future", version=1, body=b"{}"), Entry(type="run", version=2, body=b"{}")):
        story.ledger.append(story.ledger.head(), [unknown], now=at(1), blobs={})
    memory = Memory()
    assert len(recalled(story, memory=memory).open) == 1
    assert memory.skipped == 2


def test_a_known_event_that_does_not_read_is_an_error(story: Story) -> None:
    story.run(finding("a"), at_s=0)
    story.ledger.append(story.ledger.head(), [Entry(type="run", version=1, body=b"{}")], now=at(1), blobs={})
    with pytest.raises(LedgerError, match="not verify at entry 3: as a `run` event it does not read"):
        recalled(story)


def test_an_event_about_nothing_known_is_an_error(story: Story) -> None:
    story.run(finding("a"), at_s=0)
    stray = ObligationAdded(
        run_id="r", repository="example.com/shop", line="main", fingerprint="f" * 64, algorithm="a", basis="b",
        start_epoch_s=0, limit_s=1, policy_digest="",
    )  # fmt: skip
    story.ledger.append(story.ledger.head(), [to_entry(stray)], now=at(1), blobs={})
    with pytest.raises(LedgerError, match="entry 3, a 'obligation' event, cannot follow"):
        recalled(story)


def test_every_recorded_event_reads_again_as_it_was(story: Story) -> None:
    story.run(finding("a"), at_s=0)
    story.run(finding("b", previous="a"), at_s=1)
    story.run(at_s=2)
    for entry in story.ledger.read():
        event = event_of(decode_entry(entry.data))
        assert event is not None
        assert to_entry(event).body in entry.data


# ------------------------------------------------------------------------------- remembered heads


def test_a_ledger_that_grew_is_accepted(story: Story) -> None:
    for number in range(3):
        story.run(finding("a"), at_s=number)
        head = story.ledger.head()
        assert recalled(story, remembered=head).head_size == head.size
    assert recalled(story, remembered=Head(size=0, root=EMPTY_HEAD.root)).head_size == 5


def test_a_shorter_ledger_is_refused(story: Story, tmp_path: Path) -> None:
    story.run(finding("a"), at_s=0)
    story.run(at_s=1)
    other = Story(sqlite_at(tmp_path / "other"))
    other.run(finding("a"), at_s=0)
    with pytest.raises(LedgerError, match="has 3 entries, and had 5"):
        recalled(other, remembered=story.ledger.head())


def test_another_past_is_refused(story: Story, tmp_path: Path) -> None:
    story.run(finding("a"), at_s=0)
    other = Story(sqlite_at(tmp_path / "other"))
    other.run(finding("b"), at_s=0)
    for later in range(2):
        with pytest.raises(LedgerError, match="not those that were there before"):
            recalled(other, remembered=story.ledger.head())
        other.run(at_s=later)


def test_a_ledger_that_is_gone_is_refused(story: Story) -> None:
    with pytest.raises(LedgerError, match="the ledger is gone"):
        recalled(story, remembered=Head(size=3, root="0" * 64))


def test_a_time_without_zone_is_a_fault_of_ours(story: Story) -> None:
    with pytest.raises(InternalError):
        recalled(story, now=at(0).replace(tzinfo=None))
