"""Scanner `bandit`: Python, through its JSON.

What is known of the tool (1.9) and how it is met here:

- It parses with its own interpreter; a file it cannot parse is only in `errors`, and the exit code stays 0.
- `metrics` lists each file it looked at: evidence `listed`.
- `--ignore-nosec` keeps what a `# nosec` comment would hide; the comment is found again in the code it quotes and kept
  as a suppression. A `.bandit` file is searched for in directories only, and only files are given.
- B101 reports every `assert`: in test files, where they are what tests are made of, such results are not taken over.
- Its built-in exclusions (`*.egg`, `.tox`, `__pycache__` ...) are replaced by a pattern that fits nothing.
- Messages of B105, B106 and B107 quote the password: it is named as a secret, so that normalise masks it.
- `line_number` may be a keyword's line while the columns belong to the node that starts at `line_range[0]`. The region
  therefore spans the line range, and normalise looks whether there is a node with these lines and columns.
- Columns are UTF-8 bytes from 0.

Settings: none.
"""

from __future__ import annotations

import re

from msgspec import Struct

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
from secgate.ports import NoOptions, PlanRequest, ToolSpec
from secgate.scanners.outputs import (
    argument,
    chunks,
    covered,
    crashed,
    decode,
    failed,
    in_source,
    standing_by,
    view_path,
)
from secgate.suppression import is_about

MOST_FILES = 400
_FEWEST_FILES = 40
_SEVERITIES = {"HIGH": Severity.HIGH, "MEDIUM": Severity.MEDIUM, "LOW": Severity.LOW}
_CONFIDENCES = {"HIGH": Confidence.HIGH, "MEDIUM": Confidence.MEDIUM, "LOW": Confidence.LOW}
# bandit 1.9 exits 1 on findings.
_ASSERTION = "B101"
_TEST_FILE = re.compile(r"(?:^|/)(?:tests?/|test_[^/]*\.py$|[^/]*_test\.py$|conftest\.py$)")
_ENDED = (0, 1)
_QUOTED_SECRET = re.compile(r"^Possible hardcoded password: '(.*)'$", re.DOTALL)
_NOSEC = re.compile(r"#\s*nosec\b.*", re.IGNORECASE)
_CODE_LINE = re.compile(r"^(\d+) (.*)$")


class _Cwe(Struct, frozen=True):
    id: int = 0


class _Result(Struct):
    filename: str
    test_id: str
    test_name: str
    issue_text: str
    issue_severity: str
    issue_confidence: str
    line_number: int
    line_range: list[int]
    col_offset: int = -1
    end_col_offset: int = -1
    code: str = ""
    more_info: str = ""
    issue_cwe: _Cwe = _Cwe()


class _Error(Struct):
    filename: str
    reason: str


class _Report(Struct):
    errors: list[_Error]
    metrics: dict[str, dict[str, float]]
    results: list[_Result]


class Bandit:
    """Adapter of bandit; see the module's text."""

    name = "bandit"
    lanes: tuple[Lane, ...] = (Lane.SAST,)
    spec: ToolSpec | None = ToolSpec(
        name="bandit", executable="bandit", package="bandit", tested=">=1.9,<2", needs_interpreter=True
    )
    services: tuple[str, ...] = ()
    outgoing = "nothing"
    options: type[Struct] = NoOptions

    def supports(self, file: SourceFile) -> bool:
        """Python files."""
        return "python" in file.kinds

    def plan(self, request: PlanRequest) -> tuple[Job, ...]:
        """Parts of equal size, since the tool uses one core."""
        paths = [file.path for file in request.files]
        share = -(-len(paths) // max(request.parallel, 1))
        parts = chunks(paths, min(MOST_FILES, max(_FEWEST_FILES, share)))
        return tuple(self._job(request, number, part) for number, part in enumerate(parts, 1))

    def _job(self, request: PlanRequest, number: int, files: tuple[str, ...]) -> Job:
        argv: tuple[str | Slot, ...] = (
            *(Slot(name="python"), "-I", "-m", "bandit", "-f", "json", "-q", "--ignore-nosec", "-n", "12"),
            *("-x", "\x01", *map(argument, files)),
        )
        return Job(
            scanner=self.name,
            name=f"bandit:{number}",
            argv=argv,
            files=files,
            limits=request.limits,
            grain="file",
            # What loads its tests and its form of output.
            standby=standing_by(argv, imports="bandit.cli.main"),
        )

    def read(self, job: Job, output: Output) -> Reading:
        """See Scanner."""
        if output.exit_code not in _ENDED:
            return crashed(self.name, output)
        report = decode(output.stdout, _Report, tool=self.name)
        asked = set(job.files)
        troubles = {view_path(error.filename): error.reason for error in report.errors}
        looked = {view_path(name) for name in report.metrics} & asked - troubles.keys()
        readings: list[FileReading] = [
            failed(path, f"parse-error: {reason}") for path, reason in troubles.items() if path in asked
        ]
        readings += covered(looked, EvidenceBasis.LISTED)
        return Reading(
            status=ScanStatus.COMPLETED,
            rules=_rules(report.results),
            results=tuple(_raw(found) for found in report.results if _counts(found, asked)),
            files=tuple(sorted(readings, key=lambda reading: reading.path)),
            counted=len(looked),
        )


def _counts(found: _Result, asked: set[str]) -> bool:
    path = view_path(found.filename)
    return path in asked and not (found.test_id == _ASSERTION and _TEST_FILE.search(path))


def _raw(found: _Result) -> RawResult:
    secret = _QUOTED_SECRET.match(found.issue_text)
    return RawResult(
        rule=found.test_id,
        message=found.issue_text,
        path=view_path(found.filename),
        region=_region(found),
        column_unit="utf-8",
        severity=_SEVERITIES.get(found.issue_severity),
        severity_basis="tool",
        confidence=_CONFIDENCES.get(found.issue_confidence),
        cwes=(found.issue_cwe.id,) if found.issue_cwe.id else (),
        secrets=(secret[1],) if secret and secret[1] else (),
        suppressions=_suppressions(found),
        help_uri=found.more_info,
    )


def _region(found: _Result) -> Region:
    first = min([found.line_number, *found.line_range])
    last = max([found.line_number, *found.line_range])
    if found.col_offset >= 0 and found.end_col_offset > (found.col_offset if first == last else 0):
        return Region(
            start_line=first,
            start_column=found.col_offset + 1,
            end_line=last,
            end_column=found.end_col_offset + 1,
        )
    return Region(start_line=first, end_line=last)


def _suppressions(found: _Result) -> tuple[Suppression, ...]:
    """Find a `nosec` comment on the result's own lines in the numbered code that the tool quotes."""
    lines = {found.line_number, *found.line_range}
    for text in found.code.splitlines():
        numbered = _CODE_LINE.match(text)
        comment = _NOSEC.search(numbered[2]) if numbered and int(numbered[1]) in lines else None
        if comment and is_about(comment[0], (found.test_id, found.test_name)):
            return in_source(comment[0])
    return ()


def _rules(results: list[_Result]) -> tuple[Rule, ...]:
    rules = {
        found.test_id: Rule(
            id=found.test_id,
            name=found.test_name,
            help_uri=found.more_info,
            cwes=(found.issue_cwe.id,) if found.issue_cwe.id else (),
        )
        for found in results
        # Blacklist tests share one name, and their CWE differs from result to result: the identifier counts.
    }
    return tuple(rules[name] for name in sorted(rules))
