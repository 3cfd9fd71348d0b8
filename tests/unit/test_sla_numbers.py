"""The numbers of a period's deadlines: what was dismissed stands beside what was due, to the second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secgate.assertion_facts import EpisodeItem
from secgate.assertions import Deviation, Period
from secgate.chronicle import Chronicle
from secgate.evidence.ground import Bindings, Ground, Read, Said, told_apart
from secgate.evidence.weaknesses import dismissals, is_dismissed, sla_metrics
from secgate.policy.values import PolicyLimits
from secgate.resources import data_dir
from tests.ledger_support import sqlite_at
from tests.unit.test_waived import waiver

HOUR = 3600
DUE = 10 * HOUR
PERIOD = Period(from_epoch_s=0, to_epoch_s=100 * HOUR)


def episode(*, closed: int = 0, covered: int = 0, accepted: int = 0, name: str = "f") -> EpisodeItem:
    return EpisodeItem(
        id=name,
        opened_epoch_s=HOUR,
        due_epoch_s=DUE,
        closed_epoch_s=closed,
        covered_until_epoch_s=covered,
        accepted_until_epoch_s=accepted,
    )


def judged(*items: EpisodeItem) -> list[Deviation]:
    """Say what deviates, by the rule of the assertion's module."""
    found = []
    for item in items:
        is_closed = 0 < item.closed_epoch_s < PERIOD.to_epoch_s
        end = item.closed_epoch_s if is_closed else PERIOD.to_epoch_s
        if end > item.due_epoch_s and item.covered_until_epoch_s < end:
            found.append(Deviation(item=item.id, exception="missed" if is_closed else "overdue_open", detail=""))
    return found


END = PERIOD.to_epoch_s


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (episode(closed=DUE, covered=END), False),
        (episode(closed=DUE + 1, covered=DUE + 1), True),
        (episode(closed=20 * HOUR, covered=20 * HOUR - 1), False),
        (episode(closed=20 * HOUR, covered=30 * HOUR, accepted=20 * HOUR), False),
        (episode(closed=20 * HOUR, covered=30 * HOUR, accepted=20 * HOUR - 1), True),
        (episode(covered=END), True),
        (episode(covered=END - 1), False),
        (episode(covered=END + 1, accepted=END), False),
        (episode(closed=END, covered=END), True),
        (episode(closed=END, covered=END - 1), False),
    ],
)
def test_what_is_dismissed(item: EpisodeItem, *, expected: bool) -> None:
    assert is_dismissed(item, PERIOD) is expected


def test_each_ledger_says_who_dismissed_what_in_it() -> None:
    """One and the same request in two ledgers, each approved there by somebody else."""
    asked = msgspec.structs.replace(waiver(reason="r", days=1), approver="")
    limits = msgspec.json.decode((data_dir("policies") / "data" / "limits.json").read_bytes(), type=dict[str, Any])
    reads = []
    for name, who in (("a", "p-a"), ("b", "p-b")):
        chronicle = Chronicle(name)
        chronicle.memory.ledger_id = name
        approved = msgspec.structs.replace(asked, approver=who)
        reads.append(Read(sqlite_at(Path(name)), chronicle, Said(waivers=(approved,)), Bindings(), (), ()))
    ground = Ground(PERIOD, told_apart(reads), {}, msgspec.convert(limits["limits"], PolicyLimits), ())
    items = [
        msgspec.structs.replace(episode(name=name, covered=END), dismissing=(f"{asked.id} (ledger {name})",))
        for name in ("a", "b")
    ]
    assert [(item.id, one.approver) for item, one in dismissals(items, ground)] == [("a", "p-a"), ("b", "p-b")]


def test_a_dismissed_finding_is_in_no_number_but_its_own() -> None:
    items = [
        episode(name="met", closed=3 * HOUR),
        episode(name="missed", closed=21 * HOUR),
        episode(name="excepted", closed=31 * HOUR, covered=40 * HOUR, accepted=40 * HOUR),
        episode(name="late", closed=90 * HOUR, covered=90 * HOUR),
        episode(name="open", covered=END),
    ]
    assert sla_metrics(items, judged(*items), PERIOD) == {
        "due": 3,
        "met": 1,
        "excepted": 1,
        "missed": 1,
        "overdue_open": 0,
        "dismissed": 2,
        "adherence_per_mille": 333,
        "p50_hours": 20,
        "p90_hours": 30,
    }


TIMES = st.sampled_from([0, *(at + off for at in (DUE, 20 * HOUR, 30 * HOUR, END) for off in (-1, 0, 1))])


@given(st.lists(st.tuples(TIMES, TIMES, TIMES)))
def test_the_parts_are_the_whole(times: list[tuple[int, int, int]]) -> None:
    items = [
        episode(name=str(number), closed=closed, covered=max(until, accepted), accepted=accepted)
        for number, (closed, until, accepted) in enumerate(times)
    ]
    told = sla_metrics(items, judged(*items), PERIOD)
    assert told["due"] == told["met"] + told["excepted"] + told["missed"] + told["overdue_open"]
    assert len(items) == told["due"] + told["dismissed"]
    assert min(told.values()) >= 0
