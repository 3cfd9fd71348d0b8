"""Scanner `checkov`: Terraform, CloudFormation, Kubernetes and Dockerfile, from an environment of its own.

What is known of the tool (3.3) and how it is met here:

- It runs Python named in a `.checkov.yaml` of the tree, even with another `--config-file`: the view holds no such file,
  and an empty configuration of ours is given.
- It follows references between files, so it gets the view's root rather than single files. Hidden folders,
  `node_modules` and `.terraform` are looked at too (two variables of its environment).
- A file without a resource appears nowhere, and a Kubernetes file that is no YAML is passed over without a word:
  evidence is `inferred`, our own parse must agree. Terraform files it cannot parse are in `parsing_errors`.
- It goes by names, in exact case, and passes over the rest without a word: no `MAIN.TF`, no `Containerfile`; of
  Terraform's JSON it is silent unless a framework of its own is named. Files of other names are not covered.
- With nothing to check it writes one bare summary instead of a report.
- `checkov:skip` comments move a result to `skipped_checks`: taken as results with a suppression.
- No severity without a platform key: the table in `rules/` gives it in normalise. Exit 1 means findings.

Settings: none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from secgate.errors import OutputError
from secgate.model import (
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
    Slot,
    SourceFile,
    Suppression,
)
from secgate.ports import NoOptions, PlanRequest, ToolSpec
from secgate.scanners.outputs import covered, crashed, decode, failed, longest_suffix

FRAMEWORKS: Mapping[str, str] = {
    "terraform": "terraform",
    "cloudformation": "cloudformation",
    "kubernetes": "kubernetes",
    "dockerfile": "dockerfile",
}
"""File kind -> framework name of the tool."""
_TERRAFORM_JSON = "terraform_json"
_NAMES: Mapping[str, re.Pattern[str]] = {
    "terraform": re.compile(r".*\.(?:tf|tfvars)(?:\.json)?", re.DOTALL),
    "cloudformation": re.compile(r".*\.(?:ya?ml|json|template)", re.DOTALL),
    "kubernetes": re.compile(r".*\.(?:ya?ml|json)", re.DOTALL),
    "dockerfile": re.compile(r"(?:.+\.)?[Dd]ockerfile(?:\..+)?", re.DOTALL),
}
"""File kind -> the names that checkov 3.3 reads as such."""
_OTHER_NAME = "not-listed: the tool reads no file of this name; rename it to the usual form"
_UNREAD = "unread.json"
"""Blob: the places in the job's list of files with a name that the tool passes over."""
_CONFIGURATION = "checkov.yaml"
_COMPARED = (
    *(Slot(name="python"), "-I", "-m", "checkov.main"),
    *("--config-file", Slot(name="work", suffix=f"/{_CONFIGURATION}"), "--skip-download", "--compact"),
    *("--output", "json"),
)
# checkov 3.3 exits 1 on failed checks, 2 when it breaks off.
_NO_REASON = "No comment provided"
_ENDED = (0, 1)


class _CheckResult(Struct):
    result: str
    suppress_comment: str = ""


class _Check(Struct):
    check_id: str
    check_name: str
    check_result: _CheckResult
    file_path: str
    file_line_range: list[int]
    resource: str = ""
    guideline: str | None = None


class _Results(Struct):
    failed_checks: list[_Check] = []
    skipped_checks: list[_Check] = []
    parsing_errors: list[str] = []


class _Report(Struct):
    check_type: str
    results: _Results


class _Empty(Struct, forbid_unknown_fields=True):
    passed: int
    failed: int
    skipped: int
    parsing_errors: int
    resource_count: int
    checkov_version: str


class Checkov:
    """Adapter of checkov; see the module's text."""

    name = "checkov"
    lanes: tuple[Lane, ...] = (Lane.IAC,)
    spec: ToolSpec | None = ToolSpec(
        name="checkov", executable="checkov", package="checkov", tested=">=3.3,<4", needs_interpreter=True
    )
    services: tuple[str, ...] = ()
    outgoing = "guide texts and platform settings (--skip-download), external modules (never asked for)"
    options: type[Struct] = NoOptions

    def supports(self, file: SourceFile) -> bool:
        """Files of the four frameworks."""
        return any(kind in FRAMEWORKS for kind in file.kinds)

    def plan(self, request: PlanRequest) -> tuple[Job, ...]:
        """One job over the whole view, with the frameworks that have files."""
        kinds = {kind for file in request.files for kind in file.kinds}
        frameworks = sorted(framework for kind, framework in FRAMEWORKS.items() if kind in kinds)
        if not frameworks:
            return ()
        if any(file.path.endswith(".tf.json") for file in request.files):
            frameworks = sorted([*frameworks, _TERRAFORM_JSON])
        unread = [number for number, file in enumerate(request.files) if not _is_read(file)]
        job = Job(
            scanner=self.name,
            name="checkov:1",
            argv=(*_COMPARED, "--framework", *frameworks, "--directory", "."),
            compared=_COMPARED,
            files=tuple(file.path for file in request.files),
            blobs={_CONFIGURATION: b"{}\n", _UNREAD: msgspec.json.encode(unread)},
            env={"CKV_IGNORED_DIRECTORIES": ".git", "CKV_IGNORE_HIDDEN_DIRECTORIES": "False"},
            limits=request.limits,
        )
        return (job,)

    def read(self, job: Job, output: Output) -> Reading:
        """See Scanner."""
        if output.exit_code not in _ENDED:
            return crashed(self.name, output)
        reports = _reports(output.stdout)
        asked = set(job.files)
        broken = {longest_suffix(place, asked) for report in reports for place in report.results.parsing_errors}
        readings: list[FileReading] = [
            failed(path, "parse-error: the tool could not parse it") for path in broken - {""}
        ]
        places = msgspec.json.decode(job.blobs.get(_UNREAD) or b"[]", type=list[int])
        unread = {job.files[number] for number in places} - broken
        readings += [failed(path, _OTHER_NAME) for path in unread]
        readings += covered((path for path in job.files if path not in broken | unread), EvidenceBasis.INFERRED)
        checks = [
            check
            for report in reports
            for check in (*report.results.failed_checks, *report.results.skipped_checks)
            if check.file_path.lstrip("/") in asked
        ]
        return Reading(
            status=ScanStatus.COMPLETED,
            rules=_rules(checks),
            results=tuple(_raw(check) for check in checks),
            files=tuple(sorted(readings, key=lambda reading: reading.path)),
        )


def _is_read(file: SourceFile) -> bool:
    name = file.path.rpartition("/")[2]
    return all(_NAMES[kind].fullmatch(name) for kind in file.kinds if kind in FRAMEWORKS)


def _reports(data: bytes) -> list[_Report]:
    """Give one report per framework: the tool writes a list, a single report, or a bare summary for none."""
    shape = decode(data, Any, tool="checkov")
    try:
        if isinstance(shape, dict) and "check_type" not in shape:
            msgspec.convert(shape, _Empty)
            return []
        return msgspec.convert(shape if isinstance(shape, list) else [shape], list[_Report])
    except msgspec.ValidationError as error:
        raise OutputError(f"the output of checkov is not of the form it documents: {error}") from error


def _raw(check: _Check) -> RawResult:
    first, last = [*check.file_line_range, 0, 0][:2]
    return RawResult(
        rule=check.check_id,
        message=check.check_name,
        path=check.file_path.lstrip("/"),
        region=Region(start_line=max(first, 0), end_line=max(last, first, 0)),
        resource=check.resource,
        suppressions=_suppressions(check),
        help_uri=check.guideline or "",
    )


def _suppressions(check: _Check) -> tuple[Suppression, ...]:
    if check.check_result.result != "SKIPPED":
        return ()
    said = check.check_result.suppress_comment
    # What checkov says where the comment gives no reason is nobody's reason.
    reason = "" if said == _NO_REASON else said
    return (Suppression(kind="inSource", text=f"checkov:skip={check.check_id}:{reason}".rstrip(":")),)


def _rules(checks: list[_Check]) -> tuple[Rule, ...]:
    rules = {
        check.check_id: Rule(
            id=check.check_id, name=check.check_id, short=check.check_name, help_uri=check.guideline or ""
        )
        for check in checks
    }
    return tuple(rules[name] for name in sorted(rules))
