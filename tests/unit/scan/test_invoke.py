"""The stage's running of scanners."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from secgate.cache import Outputs
from secgate.errors import InternalError, UsageError
from secgate.model import FileStatus, Job, Output, RawResult, Reading, Region, ScanStatus, View
from secgate.ports import PlanRequest
from secgate.scan import ScannerTask, ScanResult
from secgate.scan.claims import attach
from secgate.scan.reading import view_reader
from tests.unit.scan.fakes import (
    CannedExecutor,
    LineScanner,
    ended,
    make_target,
    make_view,
    python,
    replaced,
    run,
    tool,
)

TARGET = make_target(python("a.py"), python("b.py"))
GOOD = ended("ok a.py\nhit b.py\nend\n")


@pytest.fixture
def view(tmp_path: Path) -> View:
    return make_view(tmp_path, {"a.py": b"x = 1\n", "b.py": b"eval(x)  # nosuch: fine\n"})


def one(executor: CannedExecutor, view: View, scanner: LineScanner | None = None) -> ScanResult:
    scanner = scanner or LineScanner()
    (result,) = run(executor, ScannerTask(scanner=scanner, tool=tool(scanner.name)), view=view, target=TARGET)
    return result


def reasons(result: ScanResult) -> dict[str, str]:
    return {file.path: file.reason.partition(":")[0] for file in result.invocation.files}


def test_a_whole_run(view: View) -> None:
    result = one(CannedExecutor({"lines": GOOD}), view)
    invocation = result.invocation
    assert (invocation.status, invocation.executed, invocation.exit_codes) == (ScanStatus.COMPLETED, 2, (0,))
    assert [found.path for reading in result.readings for found in reading.results] == ["b.py"]


@pytest.mark.parametrize(
    ("output", "status", "code"),
    [
        (ended(""), ScanStatus.UNREADABLE, "output-unreadable"),
        (ended("ok a.py\n"), ScanStatus.UNREADABLE, "output-unreadable"),
        (replaced(GOOD, timed_out=True), ScanStatus.TIMED_OUT, "tool-timed-out"),
        (replaced(GOOD, truncated=True), ScanStatus.TRUNCATED, "output-truncated"),
        (replaced(GOOD, problem="cannot start x"), ScanStatus.CRASHED, "tool-crashed"),
    ],
)
def test_what_is_not_whole_carries_no_results(view: View, output: Output, status: ScanStatus, code: str) -> None:
    result = one(CannedExecutor({"lines": output}), view)
    assert (result.invocation.status, result.readings, result.invocation.executed) == (status, (), 0)
    assert reasons(result) == {"a.py": code, "b.py": code}


def kept_runs(outputs: list[Output], view: View, *views: View, keepable: bool = True) -> list[tuple[int, int, int]]:
    """Run once for each output with one memory: scans executed and reused, and children started, of each."""
    kept = Outputs()
    told = []
    for output, seen in zip(outputs, (view, *views) if views else (view,) * len(outputs), strict=True):
        executor = CannedExecutor({"lines": output})
        task = ScannerTask(scanner=LineScanner(), tool=tool("lines"), keepable=keepable)
        (result,) = run(executor, task, view=seen, target=TARGET, kept=kept)
        told.append((result.invocation.executed, result.invocation.reused, len(executor.ran)))
    return told


def test_threat_08_the_same_job_over_the_same_bytes_is_not_run_again_and_says_so(view: View) -> None:
    assert kept_runs([GOOD, GOOD], view) == [(2, 0, 1), (0, 2, 0)]
    assert kept_runs([GOOD, GOOD], view, keepable=False) == [(2, 0, 1), (2, 0, 1)]
    other = msgspec.structs.replace(view, digests={**view.digests, "a.py": "1" * 64})
    assert kept_runs([GOOD, GOOD], view, other) == [(2, 0, 1), (2, 0, 1)]


def test_what_did_not_end_well_is_run_again(view: View) -> None:
    assert kept_runs([replaced(GOOD, timed_out=True), GOOD], view) == [(0, 0, 1), (2, 0, 1)]
    assert kept_runs([ended("ok a.py\n"), GOOD], view) == [(0, 0, 1), (2, 0, 1)]


def test_a_missing_tool_is_said_and_nothing_runs(view: View) -> None:
    executor = CannedExecutor({})
    (result,) = run(executor, ScannerTask(scanner=LineScanner(), tool=None), view=view, target=TARGET)
    assert result.invocation.status is ScanStatus.MISSING
    assert set(reasons(result).values()) == {"tool-missing"}
    assert executor.ran == []


def test_a_tool_without_files_of_its_kinds_is_not_missed(view: View) -> None:
    scanner = LineScanner(kinds=frozenset({"go"}))
    (result,) = run(CannedExecutor({}), ScannerTask(scanner=scanner, tool=None), view=view, target=TARGET)
    assert (result.invocation.status, result.invocation.files) == (ScanStatus.COMPLETED, ())


def test_a_scanner_that_is_not_selected_is_not_touched(view: View) -> None:
    chosen, other = LineScanner(), LineScanner(name="other")
    one(CannedExecutor({"lines": GOOD}), view, chosen)
    assert (chosen.touched, other.touched) == (True, False)


def test_a_file_the_tool_does_not_name_is_not_listed(view: View) -> None:
    assert reasons(one(CannedExecutor({"lines": ended("ok a.py\nend")}), view)) == {"a.py": "", "b.py": "not-listed"}


def test_follow_ups_answer_for_their_files(view: View) -> None:
    executor = CannedExecutor({"lines:1": ended("ok a.py\nmore b.py\nend"), "lines:2": ended("hit b.py\nend")})
    result = one(executor, view)
    assert reasons(result) == {"a.py": "", "b.py": ""}
    assert [job.name for job in executor.ran] == ["lines:1", "lines:2"]


def test_a_follow_up_that_fails_fails_its_files(view: View) -> None:
    executor = CannedExecutor({"lines:1": ended("ok a.py\nmore b.py\nend"), "lines:2": ended("")})
    result = one(executor, view)
    assert reasons(result) == {"a.py": "", "b.py": "output-unreadable"}
    assert result.invocation.status is ScanStatus.UNREADABLE


def test_follow_ups_without_end_are_a_fault_of_the_plug_in(view: View) -> None:
    with pytest.raises(InternalError, match="never stops"):
        one(CannedExecutor({"lines": ended("more b.py\nend")}), view)


def test_a_failure_outweighs_a_success(view: View) -> None:
    assert reasons(one(CannedExecutor({"lines": ended("ok a.py\nbad b.py\nend")}), view))["b.py"] == "parse-error"


def test_two_scanners_of_one_name_are_refused(view: View) -> None:
    task = ScannerTask(scanner=LineScanner(), tool=tool("lines"))
    with pytest.raises(InternalError, match="twice"):
        run(CannedExecutor({}), task, task, view=view, target=TARGET)


def test_job_names_must_begin_with_the_scanners_name(view: View) -> None:
    class Stray(LineScanner):
        def _job(self, number: str, files: tuple[str, ...]) -> Job:
            return Job(scanner="lines", name=f"stray:{number}", argv=(), files=files)

    with pytest.raises(InternalError, match="stray"):
        one(CannedExecutor({}), view, Stray())


def test_results_come_sorted_by_scanner(view: View) -> None:
    tasks = [ScannerTask(scanner=LineScanner(name=name), tool=tool(name)) for name in ("z", "a", "m")]
    results = run(CannedExecutor(dict.fromkeys("zam", GOOD)), *tasks, view=view, target=TARGET)
    assert [result.invocation.scanner for result in results] == ["a", "m", "z"]


def test_outputs_are_read_one_at_a_time(view: View) -> None:
    """Two threads that decode a type for the first time in the same moment can crash msgspec."""
    inside = threading.Semaphore(1)
    alone = []

    class Reader(LineScanner):
        def read(self, job: Job, output: Output) -> Reading:
            alone.append(inside.acquire(blocking=False))
            time.sleep(0.02)
            reading = super().read(job, output)
            inside.release()
            return reading

    tasks = [ScannerTask(scanner=Reader(name=name), tool=tool(name)) for name in "abcd"]
    run(CannedExecutor(dict.fromkeys("abcd", GOOD)), *tasks, view=view, target=TARGET)
    assert alone == [True] * 4


class Advisories:
    """A service that can be there or not."""

    name = "advisories"

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.is_open = False

    @contextmanager
    def open(self) -> Iterator[str]:
        if self.fault:
            raise UsageError(self.fault)
        self.is_open = True
        yield "http://127.0.0.1:1"
        self.is_open = False


def with_service(view: View, service: Advisories | None) -> ScanResult:
    task = ScannerTask(scanner=LineScanner(service="advisories"), tool=tool("lines"))
    services = {"advisories": service} if service else {}
    (result,) = run(CannedExecutor({"lines": GOOD}), task, view=view, target=TARGET, services=services)
    return result


def test_a_service_is_opened_for_the_jobs_and_closed_again(view: View) -> None:
    service = Advisories()
    assert with_service(view, service).invocation.status is ScanStatus.COMPLETED
    assert not service.is_open


@pytest.mark.parametrize("service", [None, Advisories("advisories-too-old: 30 days"), Advisories("broken")])
def test_a_service_that_is_not_there_is_never_clean(view: View, service: Advisories | None) -> None:
    result = with_service(view, service)
    assert result.invocation.status is ScanStatus.UNAVAILABLE
    assert set(reasons(result).values()) <= {"advisories-missing", "advisories-too-old"}


def test_an_interrupt_cancels_the_executor(view: View) -> None:
    def interrupt(_job: Job) -> Output:
        raise KeyboardInterrupt

    executor = CannedExecutor({"lines": interrupt})
    with pytest.raises(KeyboardInterrupt):
        one(executor, view)
    assert executor.cancelled


def test_stored_arguments_name_no_files_and_options_compare_across_file_sets(view: View) -> None:
    many = one(CannedExecutor({"lines": GOOD}), view).invocation
    target = make_target(python("a.py"))
    task = ScannerTask(scanner=LineScanner(), tool=tool("lines"))
    (few,) = run(CannedExecutor({"lines": ended("ok a.py\nend")}), task, view=view, target=target)
    assert many.argv == ("x", "[2 files]")
    assert many.options_digest == few.invocation.options_digest


def test_settings_change_the_options_digest(view: View) -> None:
    def digest(**settings: object) -> str:
        task = ScannerTask(scanner=LineScanner(), tool=tool("lines"), settings=settings)
        return run(CannedExecutor({"lines": GOOD}), task, view=view, target=TARGET)[0].invocation.options_digest

    assert digest(a=1) != digest(a=2)


def test_what_a_job_has_of_its_files_or_its_machine_is_no_option(view: View) -> None:
    def digest(argv: tuple[str, ...], compared: tuple[str, ...] | None) -> str:
        class Other(LineScanner):
            def plan(self, request: PlanRequest) -> tuple[Job, ...]:
                (job,) = super().plan(request)
                return (msgspec.structs.replace(job, argv=(*argv, *job.files), compared=compared),)

        task = ScannerTask(scanner=Other(), tool=tool("lines"))
        return run(CannedExecutor({"lines": GOOD}), task, view=view, target=TARGET)[0].invocation.options_digest

    assert (
        digest(("x", "--jobs", "2"), ("x",)) == digest(("x", "--jobs", "4", "--late"), ("x",)) == digest(("x",), None)
    )
    assert digest(("x", "--jobs", "2"), None) != digest(("x",), None)
    assert digest(("x",), ("x", "--loose")) != digest(("x",), None)


def test_comments_of_the_scanner_become_claims(view: View) -> None:
    class Commented(LineScanner):
        ignore_comments = r"\bnosuch\b"

    result = one(CannedExecutor({"lines": GOOD}), view, Commented())
    assert [claim.text for claim in result.readings[0].results[0].suppressions] == ["nosuch: fine"]


def test_a_comment_that_names_other_rules_is_no_claim() -> None:
    results = [RawResult(rule="rules.eval", message="", path="a", region=Region(start_line=1, end_line=1))]

    def claims(comment: str) -> list[str]:
        (found,) = attach(results, "nosemgrep", lambda _: f"eval(x)  # {comment}\n".encode())
        return [claim.text for claim in found.suppressions]

    assert claims("nosemgrep: eval") == ["nosemgrep: eval"]
    assert claims("nosemgrep: exec") == []


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x"])
def test_reading_stays_in_the_view(view: View, path: str) -> None:
    with pytest.raises(InternalError):
        view_reader(view.root)(path)


def test_reading_follows_no_link(view: View, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("a.py")
    with pytest.raises(OSError, match="link"):
        view_reader(view.root)("link")


def test_every_file_has_exactly_one_reading(view: View) -> None:
    files = one(CannedExecutor({"lines": ended("ok a.py\nbad a.py\nok a.py\nhit b.py\nend")}), view).invocation.files
    assert [(file.path, file.status) for file in files] == [
        ("a.py", FileStatus.FAILED),
        ("b.py", FileStatus.COVERED),
    ]
