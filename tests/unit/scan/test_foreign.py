"""Somebody else's scanner that raises what it may not: its files are gaps, and it is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from secgate.errors import ConfigError, OutputError, PluginError
from secgate.foreign import ForeignScanner
from secgate.model import Job, Lane, Output, Reading, ScanStatus, SourceFile, View
from secgate.ports import PlanRequest
from secgate.scan import ScanResult
from tests.unit.scan.fakes import CannedExecutor, LineScanner, make_view
from tests.unit.scan.test_invoke import GOOD, one, reasons


@pytest.fixture
def view(tmp_path: Path) -> View:
    return make_view(tmp_path, {"a.py": b"x = 1\n", "b.py": b"eval(x)\n"})


def _raise(error: BaseException) -> Callable[..., Any]:
    def work(*_: object) -> object:
        raise error

    return work


def _give(value: object) -> Callable[..., Any]:
    return lambda *_: value


def _scanner(member: str, work: Callable[..., Any]) -> ForeignScanner:
    class Theirs(LineScanner):
        def supports(self, file: SourceFile) -> bool:
            return bool(work(file)) if member == "supports" else super().supports(file)

        def plan(self, request: PlanRequest) -> tuple[Job, ...]:
            made: tuple[Job, ...] = work(request) if member == "plan" else super().plan(request)
            return made

        def read(self, job: Job, output: Output) -> Reading:
            read: Reading = work(job, output) if member == "read" else super().read(job, output)
            return read

    return ForeignScanner(Theirs(), "lines", "`lines` (theirs)")


def _seen(view: View, scanner: object) -> ScanResult:
    return one(CannedExecutor({"lines": GOOD}), view, cast("LineScanner", scanner))


@pytest.mark.parametrize("member", ["supports", "plan", "read"])
@pytest.mark.parametrize("error", [RuntimeError("boom\nboom"), KeyError("x"), SystemExit(0), RecursionError()])
def test_whatever_it_raises_its_files_are_gaps(view: View, member: str, error: BaseException) -> None:
    result = _seen(view, _scanner(member, _raise(error)))
    assert result.invocation.status is ScanStatus.CRASHED
    assert set(reasons(result).values()) == {"tool-crashed"}
    assert "the plug-in `lines` (theirs) cannot " in result.invocation.reason
    assert type(error).__name__ in result.invocation.reason
    assert "\n" not in result.invocation.reason


@pytest.mark.parametrize(
    ("member", "value", "what"),
    [
        ("plan", None, "NoneType"),
        ("plan", ("job",), "a str is no job"),
        ("plan", (Job(scanner="other", name="other:1", argv=(), files=()),), "a job is called 'other:1'"),
        ("read", None, "a NoneType is no reading"),
        (
            "read",
            Reading(status=ScanStatus.COMPLETED, follow_up=(Job(scanner="x", name="x", argv=(), files=()),)),
            "called 'x'",
        ),
    ],
)
def test_what_it_gives_is_held_to_its_form(view: View, member: str, value: object, what: str) -> None:
    result = _seen(view, _scanner(member, _give(value)))
    assert (result.invocation.status, set(reasons(result).values())) == (ScanStatus.CRASHED, {"tool-crashed"})
    assert what in result.invocation.reason


def test_a_generator_that_breaks_off_is_no_plan(view: View) -> None:
    result = _seen(view, _scanner("plan", lambda _: (1 // 0 for _ in range(2))))
    assert "ZeroDivisionError" in result.invocation.reason


def test_what_it_raises_on_purpose_stays(view: View) -> None:
    unread = _seen(view, _scanner("read", _raise(OutputError("odd"))))
    assert unread.invocation.status is ScanStatus.UNREADABLE
    with pytest.raises(ConfigError):
        _seen(view, _scanner("plan", _raise(ConfigError("no", faults=()))))


def test_an_interrupt_is_not_its_fault(view: View) -> None:
    with pytest.raises(KeyboardInterrupt):
        _seen(view, _scanner("plan", _raise(KeyboardInterrupt())))


def test_one_that_works_is_as_before(view: View) -> None:
    plain = _seen(view, LineScanner())
    held = _seen(view, ForeignScanner(LineScanner(), "lines", "theirs"))
    assert held.readings == plain.readings
    assert reasons(held) == reasons(plain)


@pytest.mark.parametrize(
    ("name", "lanes"), [("other", (Lane.SAST,)), ("lines", ()), ("lines", ("sast",)), ("lines", None)]
)
def test_one_of_another_name_or_lane_is_refused(name: str, lanes: Any) -> None:
    scanner = LineScanner()
    scanner.lanes = lanes
    with pytest.raises(PluginError, match="theirs cannot be used"):
        ForeignScanner(scanner, name, "theirs")
