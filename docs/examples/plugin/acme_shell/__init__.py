"""A scanner in a package of its own: downloads that are run at once, in shell scripts.

An adapter is pure: `plan` says what to start, `read` understands what came back, and secgate does the rest: it makes
the view, starts the job with limits, counts the files, and masks secrets. The tool itself is `check.txt`, a program of
a few lines that is handed to the job as a blob, so that no path of this machine is in what is recorded.
"""

from __future__ import annotations

from importlib import resources
from typing import Annotated

import msgspec

from secgate.model import (
    Confidence,
    EvidenceBasis,
    FileReading,
    FileStatus,
    Job,
    Lane,
    Output,
    RawResult,
    Reading,
    Region,
    Rule,
    ScanStatus,
    Severity,
    Slot,
    SourceFile,
)
from secgate.ports import PlanRequest, ToolSpec
from secgate.scanners.outputs import crashed, decode, failed, options

RULE = Rule(
    id="download-run-at-once",
    name="download-run-at-once",
    short="A download is run at once",
    help="Fetch it, compare its digest with one that you know, and run it then.",
    cwes=(494,),
)


class Found(msgspec.Struct, forbid_unknown_fields=True):
    """One line of the tool's answer."""

    path: str
    problem: str = ""
    lines: list[int] = []


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `[scanners.acme-shell.options]` may hold; secgate refuses anything else before it starts."""

    commands: Annotated[tuple[str, ...], msgspec.Meta(description="programs that download")] = ("curl", "wget")


class AcmeShell:
    """Adapter of the tool in `check.txt`."""

    name = "acme-shell"
    lanes: tuple[Lane, ...] = (Lane.SAST,)
    spec: ToolSpec | None = None
    services: tuple[str, ...] = ()
    outgoing = "nothing"
    options: type[msgspec.Struct] = Options

    def supports(self, file: SourceFile) -> bool:
        """Shell scripts."""
        return "shell" in file.kinds

    def plan(self, request: PlanRequest) -> tuple[Job, ...]:
        """One job over all files. Names go by a file: no name can be taken for an option, and no list is too long."""
        paths = tuple(file.path for file in request.files if file.path.isprintable())
        if not paths:
            return ()
        chosen = options(request, Options, scanner=self.name)
        job = Job(
            scanner=self.name,
            name="acme-shell:1",
            argv=(
                Slot(name="python"),
                "-I",
                Slot(name="work", suffix="/check.py"),
                Slot(name="work", suffix="/asked.json"),
            ),
            files=paths,
            blobs={
                "check.py": resources.files("acme_shell").joinpath("check.txt").read_bytes(),
                "asked.json": msgspec.json.encode({"commands": chosen.commands, "paths": paths}),
            },
            limits=request.limits,
        )
        return (job,)

    def read(self, job: Job, output: Output) -> Reading:
        """Say of each file whether it was looked at; a tool that broke off has looked at none."""
        if output.exit_code != 0:
            return crashed(self.name, output)
        answer = decode(output.stdout, list[Found], tool=self.name)
        return Reading(
            status=ScanStatus.COMPLETED,
            rules=(RULE,),
            results=tuple(_result(one.path, line) for one in answer for line in one.lines),
            files=tuple(_file(one) for one in answer),
            counted=len(answer),
        )


def _file(one: Found) -> FileReading:
    if one.problem:
        return failed(one.path, f"unreadable: {one.problem}")
    return FileReading(path=one.path, status=FileStatus.COVERED, basis=EvidenceBasis.LISTED)


def _result(path: str, line: int) -> RawResult:
    return RawResult(
        rule=RULE.id,
        message=RULE.short,
        path=path,
        region=Region(start_line=line, end_line=line),
        severity=Severity.HIGH,
        severity_basis="rule",
        confidence=Confidence.HIGH,
        cwes=RULE.cwes,
        remedy=RULE.help,
    )
