"""Scanner `secgate-iac`: secgate's own Rego checks over Terraform, CloudFormation, Kubernetes, Dockerfile and compose.

The pass is a job like any other (`python -I -m secgate.infrastructure`): it reads the listed files of the view, follows
no link, and says of each whether it was read in full: evidence `listed`. A file with a syntax error failed, though
what could be told apart in it is still told. What a check cannot know without running the platform's own tool
(variables, references, dynamic blocks) it is silent about: such a value is taken neither for safe nor for a weakness.

Settings: none.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from secgate.errors import OutputError
from secgate.infrastructure.documents import KINDS
from secgate.infrastructure.forms import Check, FileAnswer, Listed, Report, Told
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
    Rule,
    ScanStatus,
    Slot,
    SourceFile,
)
from secgate.ports import NoOptions, PlanRequest, ToolSpec
from secgate.scanners.outputs import crashed, decode, failed, gate

_FILES = "files.json"


class Infrastructure:
    """Adapter of secgate's own infrastructure pass; see the module's text."""

    name = "secgate-iac"
    lanes: tuple[Lane, ...] = (Lane.IAC,)
    spec: ToolSpec | None = None
    services: tuple[str, ...] = ()
    outgoing = "nothing"
    options: type[msgspec.Struct] = NoOptions

    def supports(self, file: SourceFile) -> bool:
        """Files of the five kinds."""
        return any(kind in KINDS for kind in file.kinds)

    def plan(self, request: PlanRequest) -> tuple[Job, ...]:
        """One job over all files; a file of two kinds is looked at as both."""
        named = [file for file in request.files if _is_text(file.path)]
        listed = [Listed(path=file.path, kind=kind) for file in named for kind in file.kinds if kind in KINDS]
        if not listed:
            return ()
        argv: tuple[str | Slot, ...] = (
            *(Slot(name="python"), "-I", "-m", "secgate.infrastructure"),
            *(Slot(name="work", suffix=f"/{_FILES}"), Slot(name="rules", suffix="/infrastructure")),
        )
        job = Job(
            scanner=self.name,
            name="secgate-iac:1",
            argv=argv,
            standby=(*argv, gate()),
            files=tuple(dict.fromkeys(file.path for file in listed)),
            blobs={_FILES: msgspec.json.encode(listed)},
            limits=request.limits,
        )
        return (job,)

    def read(self, job: Job, output: Output) -> Reading:
        """See Scanner."""
        if output.exit_code != 0:
            return crashed(self.name, output)
        report = decode(output.stdout, Report, tool=self.name)
        checks = {check.metadata.id: check for check in report.checks}
        answers = {answer.path: answer for answer in report.files if not answer.problem}
        answers |= {answer.path: answer for answer in report.files if answer.problem}
        strays = {answer.path for answer in report.files} ^ set(job.files)
        if strays or not {told.path for told in report.results} <= set(job.files):
            raise OutputError("the infrastructure pass tells of other files than it was given", remedy="report this")
        if not checks or not {told.id for told in report.results} <= set(checks):
            raise OutputError("the infrastructure pass tells of checks that it does not have", remedy="report this")
        return Reading(
            status=ScanStatus.COMPLETED,
            rules=tuple(_rule(checks[name]) for name in sorted(checks)),
            results=_results(report.results, checks),
            files=tuple(_file(answers[path]) for path in sorted(answers)),
            counted=len(answers),
        )


def _is_text(path: str) -> bool:
    """Tell whether a name can be written in JSON; one that cannot is left out, and coverage says so."""
    return not any("\ud800" <= character <= "\udfff" for character in path)


def _file(answer: FileAnswer) -> FileReading:
    if answer.problem:
        return failed(answer.path, answer.problem)
    return FileReading(path=answer.path, status=FileStatus.COVERED, basis=EvidenceBasis.LISTED)


def _results(told: Sequence[Told], checks: dict[str, Check]) -> tuple[RawResult, ...]:
    return tuple(_raw(one, checks[one.id]) for one in told)


def _raw(told: Told, check: Check) -> RawResult:
    data = check.metadata
    return RawResult(
        rule=told.id,
        message=f"{data.title}: {told.message}",
        path=told.path,
        region=Region(start_line=told.line, end_line=told.line),
        severity=data.severity,
        score=data.score,
        severity_basis="rule",
        confidence=data.confidence,
        cwes=tuple(data.cwes),
        weakness=data.weakness,
        resource=told.resource,
        remedy=data.remedy,
    )


def _rule(check: Check) -> Rule:
    data = check.metadata
    return Rule(
        id=data.id,
        name=check.name,
        short=data.title,
        help=data.remedy,
        cwes=tuple(data.cwes),
        weakness=data.weakness,
        score=data.score,
        confidence=data.confidence,
        remedy=data.remedy,
    )
