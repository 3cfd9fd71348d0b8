"""Time left is told where the last time tells it, and never where it does not."""

from __future__ import annotations

import pytest

from secgate.model import EvidenceBasis, FileReading, FileStatus, ScanStatus
from secgate.pace import Course, Pace, left_words, paces
from tests.factories import invocation

FILES = tuple(FileReading(path=f"{n}.py", status=FileStatus.COVERED, basis=EvidenceBasis.LISTED) for n in range(100))


def course(*known: Pace) -> Course:
    going = Course({one.scanner: one for one in known}, started=1000.0)
    going.hear("semgrep", "waiting", "100 files")
    going.hear("bandit", "waiting", "100 files")
    return going


SEMGREP, BANDIT = Pace(scanner="semgrep", files=50, seconds=30.0), Pace(scanner="bandit", files=100, seconds=20.0)


def test_who_ends_last_tells_how_long() -> None:
    going = course(SEMGREP, BANDIT)
    assert going.left_s(1010.0) == 50.0
    going.hear("semgrep", "done", "100 files")
    assert going.left_s(1010.0) == 10.0
    assert going.words(1010.0) == "scanning 10 s, about 10 s left, 1 of 2 done: bandit"
    going.hear("bandit", "failed", "it crashed")
    assert (going.running, going.left_s(1011.0)) == ((), None)


@pytest.mark.parametrize(
    "known",
    [
        (),
        (BANDIT,),
        (Pace(scanner="semgrep", files=49, seconds=30.0), BANDIT),
        (Pace(scanner="semgrep", files=201, seconds=30.0), BANDIT),
        (Pace(scanner="semgrep", files=100, seconds=4.9), Pace(scanner="bandit", files=100, seconds=1.0)),
    ],
    ids=["nothing known", "one unknown", "twice as many files", "half as many files", "short"],
)
def test_nothing_is_said_where_nothing_is_known(known: tuple[Pace, ...]) -> None:
    going = course(*known)
    assert going.left_s(1001.0) is None
    assert going.words(1001.0) == "scanning 1 s, 0 of 2 done: bandit, semgrep"


def test_a_scanner_without_files_is_not_waited_for() -> None:
    going = Course({"semgrep": SEMGREP}, started=0.0)
    going.hear("semgrep", "waiting", "50 files")
    going.hear("zizmor", "waiting", "0 files")
    assert going.left_s(0.0) == 30.0


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (-3.0, "longer than the last time"),
        (0.0, "longer than the last time"),
        (1.0, "about 5 s left"),
        (42.0, "about 40 s left"),
        (119.0, "about 120 s left"),
        (180.0, "about 3 min left"),
    ],
)
def test_an_estimate_is_a_round_number(left: float, said: str) -> None:
    assert left_words(left) == said


def test_only_what_came_to_its_end_is_kept() -> None:
    kept = paces(
        [
            invocation("semgrep", files=FILES, duration_s=12.5),
            invocation("bandit", files=FILES, status=ScanStatus.TIMED_OUT),
            invocation("zizmor", files=()),
        ]
    )
    assert kept == (Pace(scanner="semgrep", files=100, seconds=12.5),)
