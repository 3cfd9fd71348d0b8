"""Stand-ins that go through the ports: an executor with canned outputs, a scanner with a tiny language of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from secgate.cache import Outputs
from secgate.errors import OutputError
from secgate.model import (
    EvidenceBasis,
    FileReading,
    FileStatus,
    Job,
    Lane,
    Output,
    RawResult,
    Reading,
    Region,
    ScanStatus,
    Scope,
    Source,
    SourceFile,
    Target,
    Tool,
    View,
)
from secgate.ports import Executor, NoOptions, PlanRequest, Service, ToolSpec
from secgate.scan import ScannerTask, ScanResult, scan

NOW = datetime(2026, 5, 1, tzinfo=UTC)
Answer = Output | Callable[[Job], Output]


def ended(stdout: str = "", *, exit_code: int = 0, stderr: str = "") -> Output:
    """An output of a child that came to its end."""
    return Output(exit_code=exit_code, stdout=stdout.encode(), stderr=stderr.encode())


class CannedExecutor:
    """Executor that starts nothing: outputs by the beginning of a job's name."""

    name = "canned"

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.answers = answers
        self.ran: list[Job] = []
        self.cancelled = False

    def execute(
        self,
        jobs: Sequence[Job],
        *,
        view: View,  # noqa: ARG002
        tools: Mapping[str, Tool],  # noqa: ARG002
        services: Mapping[str, str],  # noqa: ARG002
        rules_root: str,  # noqa: ARG002
        on_end: Callable[[Job, Output], None],
    ) -> dict[str, Output]:
        outputs = {}
        for job in jobs:
            self.ran.append(job)
            answer = next(value for key, value in self.answers.items() if job.name.startswith(key))
            outputs[job.name] = answer(job) if callable(answer) else answer
            on_end(job, outputs[job.name])
        return outputs

    def cancel(self) -> None:
        self.cancelled = True


class LineScanner:
    """Scanner whose tool writes `ok PATH`, `bad PATH`, `hit PATH`, `more PATH` and must end with `end`."""

    name = "lines"
    lanes: tuple[Lane, ...] = (Lane.SAST,)
    spec: ToolSpec | None = ToolSpec(name="lines", executable="lines")
    outgoing = "nothing"
    options: type[Struct] = NoOptions

    def __init__(
        self, *, name: str = "lines", service: str = "", kinds: frozenset[str] = frozenset({"python"})
    ) -> None:
        self.name = name
        self.services: tuple[str, ...] = (service,) if service else ()
        self._kinds = kinds
        self.touched = False

    def supports(self, file: SourceFile) -> bool:
        self.touched = True
        return bool(self._kinds.intersection(file.kinds))

    def plan(self, request: PlanRequest) -> tuple[Job, ...]:
        return (self._job("1", tuple(file.path for file in request.files)),)

    def _job(self, number: str, files: tuple[str, ...]) -> Job:
        service = self.services[0] if self.services else ""
        return Job(scanner=self.name, name=f"{self.name}:{number}", argv=("x", *files), files=files, service=service)

    def read(self, job: Job, output: Output) -> Reading:
        lines = output.stdout.decode().splitlines()
        if not lines or lines[-1] != "end":
            raise OutputError("no end")
        words = [line.split(" ", 1) for line in lines[:-1]]
        more = tuple(path for word, path in words if word == "more")
        number = str(int(job.name.rpartition(":")[2]) + 1)
        return Reading(
            status=ScanStatus.COMPLETED,
            results=tuple(
                RawResult(rule="r", message="m", path=path, region=Region(start_line=1, end_line=1))
                for word, path in words
                if word == "hit"
            ),
            files=tuple(
                FileReading(
                    path=path,
                    status=FileStatus.FAILED if word == "bad" else FileStatus.COVERED,
                    basis=EvidenceBasis.NONE if word == "bad" else EvidenceBasis.LISTED,
                    reason="parse-error: bad" if word == "bad" else "",
                )
                for word, path in words
                if word in {"ok", "bad", "hit"}
            ),
            follow_up=(self._job(number, more),) if more else (),
        )


def make_view(root: Path, files: Mapping[str, bytes]) -> View:
    """Lay files in a folder and give its view."""
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return View(root=str(root), source=Source.WORK_TREE, digests=dict.fromkeys(files, "0" * 64))


def make_target(*files: SourceFile, changed: tuple[str, ...] | None = None) -> Target:
    """A plain directory as a target."""
    return Target(
        root="/t", kind="plain", repository="r", scope=Scope.LOCAL, scope_basis="test", files=files, changed=changed
    )


def python(path: str) -> SourceFile:
    """A Python file."""
    return SourceFile(path=path, size_bytes=1, kinds=("python", "text"))


def tool(name: str) -> Tool:
    """A tool that was found."""
    return Tool(name=name, path=f"/bin/{name}", version="1.0", digest="0" * 64, environment="path")


def run(
    executor: Executor,
    *tasks: ScannerTask,
    view: View,
    target: Target,
    services: Mapping[str, Service] | None = None,
    kept: Outputs | None = None,
) -> tuple[ScanResult, ...]:
    """Call the stage."""
    return scan(
        tasks,
        target=target,
        view=view,
        executor=executor,
        services=services or {},
        rules_root="/rules",
        offline=True,
        parallel=2,
        now=NOW,
        kept=kept,
    )


def replaced(output: Output, **changes: object) -> Output:
    """An output with other fields."""
    return msgspec.structs.replace(output, **changes)
