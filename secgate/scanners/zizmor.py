"""Scanner `zizmor`: GitHub Actions workflows and actions, offline audits only.

What is known of the tool (1.32) and how it is met here:

- Under `--format sarif` it exits 0 with findings; JSON is read and the exit code is no verdict (11 to 14: findings by
  severity, 3: no input could be collected).
- A workflow that cannot be parsed is only a warning on stderr, without its path for YAML errors. Each file that was
  audited gets a `completed PATH` line there: evidence `listed`, and whatever lacks it failed.
- `--no-ignores` keeps results that a `# zizmor: ignore[...]` comment hides and marks them `ignored`: kept here as a
  suppression. `--no-config` leaves `zizmor.yml` out.
- A workflow without a `permissions` block is reported as a whole and again for each job: the jobs are left out.
- A file name with a control character could forge a line of that log: such a file is never given to the tool.
- Given one file whose name it does not know (`CI.YAML`, `Action.yml`) it breaks off and audits none: such a file is
  never given to it either.
- Rows and columns count from 0, columns in UTF-8 bytes.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from secgate.model import (
    Confidence,
    EvidenceBasis,
    FileReading,
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
    Suppression,
)
from secgate.ports import PlanRequest, ToolSpec
from secgate.scanners.outputs import argument, chunks, covered, crashed, decode, failed, in_source, options, view_path

MOST_FILES = 500
_SEVERITIES = {
    "High": Severity.HIGH,
    "Medium": Severity.MEDIUM,
    "Low": Severity.LOW,
    "Informational": Severity.INFO,
}
_CONFIDENCES = {"High": Confidence.HIGH, "Medium": Confidence.MEDIUM, "Low": Confidence.LOW}
_NO_BLOCK = "no permissions: block"
_NO_INPUT = 3
_ENDED = (0, 10, 11, 12, 13, 14)
_COMPLETED = re.compile(r"^ INFO [^\n]*?\bcompleted (?P<path>[^\n]+)$", re.MULTILINE)
_INVALID = re.compile(r"failed to validate file://(?P<path>[^\n]+?) as ")
_ODD_NAME = re.compile(r".*\.(?!ya?ml$)(?i:ya?ml)|(?:.*/)?(?!action)(?i:action)\.(?i:ya?ml)", re.DOTALL)
"""Names in another case than the tool's."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


class _Determinations(Struct):
    confidence: str
    severity: str


class _Symbolic(Struct):
    key: dict[str, Any]
    annotation: str = ""
    kind: str = ""


class _Point(Struct):
    row: int
    column: int


class _Span(Struct):
    start_point: _Point
    end_point: _Point


class _Concrete(Struct):
    location: _Span
    comments: list[str] = []


class _Location(Struct):
    symbolic: _Symbolic
    concrete: _Concrete


class _Finding(Struct):
    ident: str
    desc: str
    url: str
    determinations: _Determinations
    locations: Annotated[list[_Location], Meta(min_length=1)]
    ignored: bool = False


class ZizmorOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be chosen about zizmor."""

    persona: Annotated[
        Literal["regular", "pedantic", "auditor"], Meta(description="how much it says; `auditor` says most")
    ] = "regular"


class Zizmor:
    """Adapter of zizmor; see the module's text."""

    name = "zizmor"
    lanes: tuple[Lane, ...] = (Lane.WORKFLOWS,)
    spec: ToolSpec | None = ToolSpec(name="zizmor", executable="zizmor", package="zizmor", tested=">=1.30,<2")
    services: tuple[str, ...] = ()
    outgoing = "asks GitHub about used actions (--offline, and no token is passed on)"
    options: type[Struct] = ZizmorOptions

    def supports(self, file: SourceFile) -> bool:
        """Workflows and action definitions."""
        return "github-workflow" in file.kinds or "github-action" in file.kinds

    def plan(self, request: PlanRequest) -> tuple[Job, ...]:
        """Usually one job."""
        persona = options(request, ZizmorOptions, scanner=self.name).persona
        safe = [
            file.path for file in request.files if not (_ODD_NAME.fullmatch(file.path) or _CONTROL.search(file.path))
        ]
        return tuple(
            Job(
                scanner=self.name,
                name=f"zizmor:{number}",
                argv=(
                    *(Slot(name="tool"), "--offline", "--no-progress", "--no-config", "--no-ignores"),
                    *("--format", "json", "--color", "never", "--persona", persona, "--", *map(argument, part)),
                ),
                files=part,
                limits=request.limits,
                grain="file",
            )
            for number, part in enumerate(chunks(safe, MOST_FILES), 1)
        )

    def read(self, job: Job, output: Output) -> Reading:
        """See Scanner."""
        log = output.stderr.decode("utf-8", "replace")
        if output.exit_code == _NO_INPUT and "no inputs collected" in log:
            return Reading(status=ScanStatus.COMPLETED, files=_readings(job, set(), log), counted=0)
        if output.exit_code not in _ENDED:
            return crashed(self.name, output)
        findings = decode(output.stdout, list[_Finding], tool=self.name)
        done = {view_path(found["path"]) for found in _COMPLETED.finditer(log)} & set(job.files)
        results = [_raw(finding) for finding in _once(findings)]
        return Reading(
            status=ScanStatus.COMPLETED,
            rules=_rules(findings),
            results=tuple(result for result in results if result.path in done),
            files=_readings(job, done, log),
            counted=len(done),
        )


def _readings(job: Job, done: set[str], log: str) -> tuple[FileReading, ...]:
    invalid = {view_path(found["path"]) for found in _INVALID.finditer(log)}
    readings = [*covered(done, EvidenceBasis.LISTED)]
    for path in job.files:
        if path not in done:
            why = "not a valid workflow or action" if path in invalid else "the tool did not complete this file"
            readings.append(failed(path, f"parse-error: {why}"))
    return tuple(sorted(readings, key=lambda reading: reading.path))


def _once(findings: list[_Finding]) -> list[_Finding]:
    """Leave out what is said of a job because its whole workflow lacks a `permissions` block, and said of that too."""
    whole = {
        (finding.ident, _path(_primary(finding)))
        for finding in findings
        if _lacks_block(finding) and len(finding.locations) == 1
    }
    return [
        finding
        for finding in findings
        if len(finding.locations) == 1
        or not _lacks_block(finding)
        or (finding.ident, _path(_primary(finding))) not in whole
    ]


def _lacks_block(finding: _Finding) -> bool:
    return finding.ident == "excessive-permissions" and _NO_BLOCK in _primary(finding).symbolic.annotation


def _raw(finding: _Finding) -> RawResult:
    place = _primary(finding)
    span = place.concrete.location
    return RawResult(
        rule=finding.ident,
        message=f"{finding.desc}: {place.symbolic.annotation}" if place.symbolic.annotation else finding.desc,
        path=_path(place),
        region=Region(
            start_line=span.start_point.row + 1,
            start_column=span.start_point.column + 1,
            end_line=span.end_point.row + 1,
            end_column=span.end_point.column + 1,
        ),
        column_unit="utf-8",
        severity=_SEVERITIES.get(finding.determinations.severity),
        severity_basis="tool",
        confidence=_CONFIDENCES.get(finding.determinations.confidence),
        suppressions=_suppressions(finding),
        help_uri=finding.url,
    )


def _primary(finding: _Finding) -> _Location:
    for kind in ("Primary", "Related", "Hidden"):
        for location in finding.locations:
            if location.symbolic.kind == kind:
                return location
    return finding.locations[0]


def _path(place: _Location) -> str:
    local = place.symbolic.key.get("Local")
    verbatim = local.get("verbatim_path") if isinstance(local, dict) else None
    return view_path(verbatim) if isinstance(verbatim, str) else ""


def _suppressions(finding: _Finding) -> tuple[Suppression, ...]:
    if not finding.ignored:
        return ()
    comments = [text for place in finding.locations for text in place.concrete.comments if "zizmor: ignore" in text]
    return in_source(comments[0] if comments else "zizmor: ignore")


def _rules(findings: list[_Finding]) -> tuple[Rule, ...]:
    rules = {
        finding.ident: Rule(id=finding.ident, name=finding.ident, short=finding.desc, help_uri=finding.url)
        for finding in findings
    }
    return tuple(rules[name] for name in sorted(rules))
