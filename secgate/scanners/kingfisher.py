"""Scanner `kingfisher`: secrets by 488 precise patterns, one binary.

What is known of the tool (2.14) and how it is met here:

- It tries what it found at the provider unless told not to, and looks for updates: both are off.
- Files named one by one are each a "repository" of their own in the audit part of the report, with a status and the
  number of blobs scanned: evidence `listed`, at 10 ms a file. Over a folder it gives one number for all: 1,000 files in
  0.9 s against 11 s. So a whole view is scanned as a folder, evidence `counted`, and named file by file only when the
  number is not exactly that of the files.
- Exit 200 (and 205, with validated ones) mean findings; a missing target is exit 1.
- Equal secrets are shown once unless `--no-dedup`; inline `kingfisher:ignore` is switched off with `--no-ignore`.
- `snippet` is the secret itself, `dependent_captures` hold more, and the report carries ready commands that contain
  them: only the first two are read, and named as secrets.
- Columns are UTF-8 bytes from 0, the last one inclusive.
- It opens archives, eight deep here, and names what it found there `a.zip!inner/name.txt` (`a.sqlite/dump.sql` for a
  database): such a result belongs to the archive. Those that it cannot open count as scanned: `archives` tells them.
- Rules leave out paths that look vendored or like lock files (`node_modules/`, `vendor/`, `package-lock.json`); nothing
  switches that off. The lane's other tool looks at those.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import PurePosixPath
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from secgate.model import (
    Confidence,
    EvidenceBasis,
    FileReading,
    Job,
    Lane,
    Limits,
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
from secgate.scanners.archives import unopened
from secgate.scanners.outputs import (
    argument,
    chunks,
    covered,
    crashed,
    decode,
    failed,
    gate,
    longest_suffix,
    options,
    view_path,
)

MOST_FILES = 2000
FEW_FILES = 40
"""Up to so many are always named one by one."""
_HARD_CODED = 798
"""CWE-798, use of hard-coded credentials."""
_CONFIDENCES = {"high": Confidence.HIGH, "medium": Confidence.MEDIUM, "low": Confidence.LOW}
_ENDED = (0, 200, 205)
_DEPTH = "8"
"""Archives in archives that are opened; 2 unless told."""
_COMPARED: tuple[str | Slot, ...] = (
    *(Slot(name="tool"), "scan", "--quiet", "--no-validate", "--no-update-check", "--format", "json"),
    *("--git-history", "none", "--no-ignore", "--no-dedup", "--max-file-size", "0", "--extraction-depth", _DEPTH),
)
_UNOPENED = "unopened.json"
"""Blob: place in the job's list of files -> why the tool does not look into this archive."""
_PACKED_SUFFIXES = frozenset({".bz2", ".gz", ".jar", ".tgz", ".war", ".whl", ".xz", ".zip"})
_MOST_NAME = 200
_NO_PACKED: Mapping[str, str] = {}


class _Rule(Struct):
    id: str
    name: str = ""
    description: str = ""


class _Found(Struct):
    path: str
    line: int
    column_start: int
    column_end: int
    snippet: str = ""
    confidence: str = ""
    dependent_captures: dict[str, str] = {}


class _Finding(Struct):
    rule: _Rule
    finding: _Found


class _Scan(Struct):
    status: str


class _Stats(Struct, frozen=True):
    blobs_scanned: int = 0


class _Repository(Struct):
    key: str
    scan: _Scan
    stats: _Stats = _Stats()


class _Audit(Struct):
    repositories: list[_Repository]


class _Report(Struct):
    findings: list[_Finding]
    audit: _Audit


class KingfisherOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be chosen about kingfisher."""

    rule_cache: Annotated[
        str,
        Meta(
            # Compiling takes about 5 s of a run; without a folder it is done anew in the job's own.
            pattern="^(/|$)",
            description="absolute, private folder for compiled rules; protected, release and audit runs compile anew",
        ),
    ] = ""


class Kingfisher:
    """Adapter of kingfisher; see the module's text."""

    name = "kingfisher"
    lanes: tuple[Lane, ...] = (Lane.SECRETS,)
    spec: ToolSpec | None = ToolSpec(
        name="kingfisher", executable="kingfisher", package="kingfisher-bin", tested=">=2.14,<3"
    )
    services: tuple[str, ...] = ()
    ignore_comments = r"kingfisher:ignore|gitleaks:allow|trufflehog:ignore|pragma: allowlist secret"
    outgoing = "tries found credentials at their providers (--no-validate), looks for updates (--no-update-check)"
    options: type[Struct] = KingfisherOptions

    def supports(self, file: SourceFile) -> bool:
        """Every file, whatever it holds."""
        return bool(file.path)

    def plan(self, request: PlanRequest) -> tuple[Job, ...]:
        """Parts by the length of the argument list."""
        cache = options(request, KingfisherOptions, scanner=self.name).rule_cache
        cache_argument = cache or Slot(name="work", suffix="/rules")
        fixed = (*_COMPARED, "--jobs", str(request.parallel), "--rule-cache-dir", cache_argument)
        paths = tuple(file.path for file in request.files)
        closed = {
            file.path: why
            for file in request.files
            if "binary" in file.kinds or PurePosixPath(file.path).suffix.lower() in _PACKED_SUFFIXES
            if (why := unopened(file.path, request.read(file.path)))
        }
        if len(paths) > FEW_FILES and set(paths) == set(request.view.digests):
            whole = Job(
                scanner=self.name,
                name=f"{self.name}:whole",
                argv=(*fixed, "."),
                compared=_COMPARED,
                files=paths,
                blobs=_blobs(paths, closed),
                limits=request.limits,
                grain="tree",
            )
            return (whole,)
        return _named(fixed, paths, request.limits, closed)

    def read(self, job: Job, output: Output) -> Reading:
        """See Scanner."""
        if output.exit_code not in _ENDED:
            return crashed(self.name, output)
        report = decode(output.stdout, _Report, tool=self.name)
        if job.name == f"{self.name}:whole":
            return _whole(job, report)
        looked = _looked_at(report.audit.repositories, job.files)
        return Reading(
            status=ScanStatus.COMPLETED,
            rules=_rules(report.findings),
            results=_results(job, report),
            files=_readings(job, looked, EvidenceBasis.LISTED),
            counted=len(looked),
        )


def _blobs(files: Sequence[str], closed: Mapping[str, str]) -> dict[str, bytes]:
    places = {number: closed[path] for number, path in enumerate(files) if path in closed}
    return {_UNOPENED: msgspec.json.encode(places)} if places else {}


def _closed(job: Job) -> dict[str, str]:
    data = job.blobs.get(_UNOPENED, b"{}")
    return {job.files[number]: why for number, why in msgspec.json.decode(data, type=dict[int, str]).items()}


def _readings(job: Job, looked: AbstractSet[str], basis: EvidenceBasis) -> tuple[FileReading, ...]:
    closed = _closed(job)
    readings = [*covered((path for path in looked if path not in closed), basis)]
    for path in job.files:
        if path in closed:
            readings.append(failed(path, f"skipped-by-tool: the archive is not searched, since {closed[path]}"))
        elif path not in looked:
            readings.append(failed(path, "skipped-by-tool: its audit counts no completed scan of this file"))
    return tuple(sorted(readings, key=lambda reading: reading.path))


def _results(job: Job, report: _Report) -> tuple[RawResult, ...]:
    asked = frozenset(job.files)
    placed = ((finding, *_place(view_path(finding.finding.path), asked)) for finding in report.findings)
    return tuple(_raw(finding, path, inner) for finding, path, inner in placed if path)


def _place(path: str, asked: AbstractSet[str]) -> tuple[str, str]:
    """Give the file that the tool's `path` belongs to, and the name within it; twice "" where nobody asked."""
    if path in asked:
        return path, ""
    ends = sorted((at for at, letter in enumerate(path) if letter in "!/"), reverse=True)
    return next(((path[:at], path[at + 1 :]) for at in ends if path[:at] in asked), ("", ""))


def _named(
    options: Sequence[str | Slot], paths: Sequence[str], limits: Limits, closed: Mapping[str, str] = _NO_PACKED
) -> tuple[Job, ...]:
    """Give jobs that name each file, in parts by the length of the argument list: about 10 ms a file."""
    return tuple(
        Job(
            scanner=Kingfisher.name,
            name=f"{Kingfisher.name}:{number}",
            argv=(*options, *map(argument, part)),
            compared=_COMPARED,
            files=part,
            blobs=_blobs(part, closed),
            limits=limits,
            grain="file",
            # Its rules take 0.4 s to load. It opens this list, of accounts whose keys are not validated and as empty as
            # no list, after them and before it looks for what to scan.
            standby=(*options, "--skip-aws-account-file", gate(), *map(argument, part)),
        )
        for number, part in enumerate(chunks(list(paths), MOST_FILES), 1)
    )


def _whole(job: Job, report: _Report) -> Reading:
    """Read a scan of the whole view. Unless its count is exactly that of the files, they are named one by one.

    An archive counts as what is in it, so a view with one is always read the slow way.
    """
    done = [one for one in report.audit.repositories if one.scan.status == "completed"]
    if len(done) != 1 or done[0].stats.blobs_scanned != len(job.files):
        return Reading(
            status=ScanStatus.COMPLETED, follow_up=_named(job.argv[:-1], job.files, job.limits, _closed(job))
        )
    return Reading(
        status=ScanStatus.COMPLETED,
        rules=_rules(report.findings),
        results=_results(job, report),
        files=_readings(job, frozenset(job.files), EvidenceBasis.COUNTED),
        counted=len(job.files),
    )


def _looked_at(repositories: list[_Repository], files: tuple[str, ...]) -> set[str]:
    """Files with a completed scan of at least one blob.

    Keys are absolute, and the view's place is not known here: it is the beginning that most keys share with the files.
    """
    done = {
        repository.key.removeprefix("local:")
        for repository in repositories
        if repository.scan.status == "completed" and repository.stats.blobs_scanned > 0
    }
    known = set(files)
    roots = Counter(key[: -len(path) - 1] for key in done if (path := longest_suffix(key, known)))
    if not roots:
        return set()
    # Among equally frequent ones the shortest: a longer one would only fit files of one folder.
    root = min(roots, key=lambda place: (-roots[place], len(place), place))
    return {path for path in files if f"{root}/{path}" in done}


def _raw(finding: _Finding, path: str, inner: str) -> RawResult:
    """`inner` is the name in an archive, where lines are not those of the file."""
    found = finding.finding
    lines = found.snippet.count("\n")
    message = finding.rule.description or finding.rule.name or "a secret in the source"
    return RawResult(
        rule=finding.rule.id,
        message=f"{message}, in the archive at {inner[:_MOST_NAME]}" if inner else message,
        path=path,
        region=Region()
        if inner
        else Region(
            start_line=found.line,
            start_column=found.column_start + 1,
            end_line=found.line + lines,
            # Within one line the tool's columns hold; past it, where the secret's last line ends is not told.
            end_column=0 if lines else found.column_end + 2,
        ),
        column_unit="utf-8",
        severity=Severity.HIGH,
        severity_basis="scanner: a committed credential",
        confidence=_CONFIDENCES.get(found.confidence),
        cwes=(_HARD_CODED,),
        secrets=tuple(sorted({found.snippet, *found.dependent_captures.values()} - {""})),
    )


def _rules(findings: list[_Finding]) -> tuple[Rule, ...]:
    rules = {
        finding.rule.id: Rule(
            id=finding.rule.id, name=finding.rule.name, short=finding.rule.description, cwes=(_HARD_CODED,)
        )
        for finding in findings
    }
    return tuple(rules[name] for name in sorted(rules))
