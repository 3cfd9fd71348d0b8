"""Children that stand by, real ones: they see the bytes of their turn, and nothing of them stays."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from secgate.executors.local import LocalExecutor
from secgate.executors.standby import MOST_FILES, MOST_SETS, Standby
from secgate.model import Job, Limits, Output, Slot, Source, Tool, View

READ = "import os, sys; print(os.getpid(), open(sys.argv[-1]).read())"
WAIT = "import sys; open(sys.argv[1]).read()\n"
GATE = Slot(name="work", suffix="/gate")


def job(code: str = READ, files: tuple[str, ...] = ("deep/a.py",), **fields: object) -> Job:
    argv: tuple[str | Slot, ...] = (Slot(name="python"), "-I", "-c", code, *files)
    standby: tuple[str | Slot, ...] = (Slot(name="python"), "-I", "-c", WAIT + code, GATE, *files)
    return msgspec.structs.replace(Job(scanner="own", name="own:1", argv=argv, files=files, standby=standby), **fields)


class Machine:
    """An executor with children that stand by, and the view of each run."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "scratch").mkdir()
        self.standby = Standby(environment={}, python=sys.executable)

    def view(self, text: str, path: str = "deep/a.py") -> View:
        folder = self.root / f"view-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
        return View(root=str(folder), source=Source.WORK_TREE, digests={path: "0" * 64})

    def run(
        self, one: Job, text: str, *, name: str = "a.py", tool: Tool | None = None, cancelled: bool = False
    ) -> Output:
        executor = LocalExecutor(
            environment={},
            scratch=str(self.root / "scratch"),
            python=sys.executable,
            parallel=1,
            standby=self.standby,
            standby_for=name,
        )
        if cancelled:
            executor.cancel()
        tools = {"own": tool} if tool is not None else {}
        return executor.execute(
            [one], view=self.view(text), tools=tools, services={}, rules_root="/", on_end=lambda *_: None
        )["own:1"]

    def prepared(self, name: str) -> int:
        """Prepare for a file and give the one child that waits."""
        self.standby.prepare(name)
        # Between its fork and its program's start a process shows no arguments.
        assert soon(lambda: bool(self.waiting()))
        (child,) = self.waiting()
        return child

    def waiting(self) -> list[int]:
        """The children of this process that have a gate among their arguments."""
        found: list[int] = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if f"{self.root}/tmp".encode() in (entry / "cmdline").read_bytes():
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    made = Machine(tmp_path)
    yield made
    made.standby.end()
    assert made.waiting() == []
    assert list((tmp_path / "tmp").iterdir()) == list((tmp_path / "scratch").iterdir()) == []


def soon(what: Callable[[], bool]) -> bool:
    for _ in range(200):
        if what():
            return True
        time.sleep(0.02)
    return False


def pid(output: Output) -> int:
    return int(output.stdout.split()[0])


def test_it_is_started_before_its_turn_and_sees_the_bytes_of_its_turn(machine: Machine) -> None:
    assert machine.run(job(), "first").stdout.split()[1:] == [b"first"]
    child = machine.prepared("a.py")
    output = machine.run(job(), "second")
    assert (pid(output), output.stdout.split()[1:], output.exit_code) == (child, [b"second"], 0)
    assert pid(machine.run(job(), "third")) != child, "it looks once"


def test_one_that_is_not_ready_yet_is_waited_for(machine: Machine) -> None:
    begin, rest = job().standby[:3], job().standby[4:]
    slow = msgspec.structs.replace(job(), standby=(*begin, f"import time; time.sleep(0.5)\n{WAIT}{READ}", *rest))
    machine.run(slow, "first")
    child = machine.prepared("a.py")
    output = machine.run(slow, "second")
    assert (pid(output), output.stdout.split()[1:]) == (child, [b"second"])


@pytest.mark.parametrize(
    "changed",
    [
        job(code=READ + " # other"),
        job(blobs={"x": b"1"}),
        job(env={"X": "1"}),
        job(limits=Limits(time_s=9.0)),
    ],
    ids=["argv", "blobs", "env", "limits"],
)
def test_what_differs_in_anything_but_the_bytes_is_started_anew(machine: Machine, changed: Job) -> None:
    machine.run(job(), "first")
    child = machine.prepared("a.py")
    output = machine.run(changed, "second")
    assert (pid(output) != child, output.stdout.split()[1:]) == (True, [b"second"])


def test_another_tool_or_one_that_was_not_tested_is_started_anew(machine: Machine) -> None:
    tool = Tool(name="own", path="/x", version="1", digest="0" * 64, environment="path")
    machine.run(job(), "first", tool=tool)
    child = machine.prepared("a.py")
    assert pid(machine.run(job(), "second", tool=msgspec.structs.replace(tool, version="2"))) != child
    untested = msgspec.structs.replace(tool, tested=False)
    machine.run(job(), "third", tool=untested)
    machine.standby.prepare("a.py")
    assert machine.waiting() == []


@pytest.mark.parametrize(
    "one",
    [
        msgspec.structs.replace(job(), standby=()),
        job(network=True),
        job(files=tuple(f"{number}" for number in range(MOST_FILES + 1))),
    ],
    ids=["no-way", "network", "many"],
)
def test_not_every_job_stands_by(machine: Machine, one: Job) -> None:
    assert machine.standby.take(one, None, rules_root="/", name="") is None
    machine.standby.prepare("")
    assert machine.waiting() == []


def test_one_that_ended_early_is_no_answer(machine: Machine) -> None:
    broken = msgspec.structs.replace(job(), standby=(Slot(name="python"), "-I", "-c", "print('0 clean')", GATE))
    machine.run(broken, "first")
    machine.standby.prepare("a.py")
    assert soon(lambda: not any(one.is_there() for one in machine.standby._waiting.values()))
    assert machine.run(broken, "second").stdout.split()[1:] == [b"second"]


def test_one_that_cannot_be_started_is_started_in_its_turn(machine: Machine) -> None:
    gone = msgspec.structs.replace(job(), standby=("/no/such/program", GATE))
    machine.run(gone, "first")
    machine.standby.prepare("a.py")
    assert machine.run(gone, "second").stdout.split()[1:] == [b"second"]


def test_only_the_scanners_of_one_file_wait(machine: Machine) -> None:
    machine.run(job(), "first")
    machine.run(job(code=READ + " # b"), "first", name="b.py")
    assert machine.prepared("a.py") != machine.prepared("b.py")
    machine.standby.prepare("nobody.py")
    assert machine.waiting() == []


def test_sets_that_nobody_asked_for_are_forgotten(machine: Machine) -> None:
    machine.run(job(), "first")
    for number in range(MOST_SETS):
        assert machine.standby.take(job(network=True), None, rules_root="/", name=f"{number}.py") is None
    machine.standby.prepare("a.py")
    assert machine.waiting() == []


def test_a_cancelled_run_ends_it(machine: Machine) -> None:
    machine.run(job(), "first")
    machine.standby.prepare("a.py")
    output = machine.run(job(), "second", cancelled=True)
    assert (output.problem, output.stdout, machine.waiting()) == ("interrupted", b"", [])


def test_the_time_limit_counts_from_its_turn(machine: Machine) -> None:
    slow = job(code="import time; time.sleep(30)", limits=Limits(time_s=0.5))
    machine.run(slow, "first")
    machine.standby.prepare("a.py")
    time.sleep(0.6)
    output = machine.run(slow, "second")
    assert output.timed_out
    assert 0.4 < output.duration_s < 20


def test_output_files_and_names_beyond_ascii(machine: Machine) -> None:
    code = "import sys; open(sys.argv[-1] + '/out', 'w').write('kept'); print(0, open('deep/a.py').read())"
    one = job(code=code)
    one = msgspec.structs.replace(
        one, argv=(*one.argv, Slot(name="work")), standby=(*one.standby, Slot(name="work")), outputs=("out",)
    )
    machine.run(one, "first")
    machine.standby.prepare("a.py")
    output = machine.run(one, "zwei \u00e4")
    assert (output.files, output.stdout.decode().split()[1:]) == ({"out": b"kept"}, ["zwei", "\u00e4"])


def test_one_that_is_ready_takes_no_turn(machine: Machine, tmp_path: Path) -> None:
    machine.run(job(), "first")
    machine.prepared("a.py")
    executor = LocalExecutor(
        environment={}, scratch=str(tmp_path / "scratch"), python=sys.executable, parallel=1, standby=machine.standby
    )

    def execute(one: Job) -> Output:
        view = machine.view("second")
        return executor.execute([one], view=view, tools={}, services={}, rules_root="/", on_end=lambda *_: None)[
            "own:1"
        ]

    go = tmp_path / "go"
    hold = f"import pathlib, time\nwhile not pathlib.Path({str(go)!r}).exists(): time.sleep(0.02)"
    with ThreadPoolExecutor() as pool:
        held = pool.submit(execute, msgspec.structs.replace(job(code=hold), standby=()))
        try:
            assert soon(lambda: any((tmp_path / "scratch").iterdir()))
            assert execute(job()).stdout.split()[1:] == [b"second"]
            assert not held.done()
        finally:
            go.touch()
        assert held.result(timeout=30).exit_code == 0
