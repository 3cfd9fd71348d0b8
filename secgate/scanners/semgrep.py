"""Scanner `semgrep`: patterns and taint rules of the packs under `rules/semgrep`.

What is known of the tool (1.182) and how it is met here:

- Files are named one by one: over a folder it drops `tests/`, `node_modules/` and more by a built-in ignore list.
- One job per language, since a file without a known extension is analysed only with `--scan-unknown-extensions`, which
  makes every given rule's language apply to every file. It does not know `.mts`, `.cts`, `.d.ts` and capitals.
- `*.min.js` is left out in silence. With that option it would take six times what the same script takes under another
  name, so it stays a gap that says so.
- It lists a file with a syntax error as scanned, so its list is evidence `inferred`: our own parse must agree.
- Files over its size limit vanish silently: the limit is off. A rule that times out on a file is in `errors`: that
  file failed, whatever the other rules say, so after three of them the rest is not waited for. Minified scripts of 1 MB
  take minutes else; large files have jobs of their own, so that they cannot take the others' answers with them.
- `--disable-nosem` keeps what a `nosemgrep` comment would hide; the report does not mark it, so the scan stage looks
  for the comment (`ignore_comments`).
- `fingerprint` and `lines` hold `requires login`: ignored. Columns are UTF-8 bytes.
- `fix` is what a rule's `fix` or `fix-regex` makes of all that matched, which may be what it was.
- An empty rule set, or one that does not load, exits 7.

The entry `native` takes 0.25 s to start, `python` 6 s for the same findings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from secgate.model import (
    Confidence,
    Edit,
    EvidenceBasis,
    FileReading,
    Fix,
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
from secgate.scanners.outputs import (
    argument,
    chunks,
    covered,
    crashed,
    cwes_of,
    decode,
    failed,
    options,
    view_path,
)
from secgate.sla import many

LANGUAGES: Mapping[str, tuple[str, ...]] = {"python": ("python",), "javascript": ("javascript", "typescript")}
"""Folder under rules/semgrep -> file kinds it is for."""
MOST_FILES = 2000
LARGE_BYTES = 256 * 1024
MOST_LARGE_FILES = 16
# Names by which semgrep tells one language of a pack from another; Python's has one.
_KNOWN = {"python": re.compile(r"(?!)"), "javascript": re.compile(r"\.(?:[cm]?js|jsx|tsx)$|(?<!\.d)\.ts$")}
_MINIFIED = ".min.js"
_SEVERITIES = {"ERROR": Severity.HIGH, "WARNING": Severity.MEDIUM, "INFO": Severity.LOW}
_OWN_SEVERITIES = {severity.value: severity for severity in Severity}
_CONFIDENCES = {"HIGH": Confidence.HIGH, "MEDIUM": Confidence.MEDIUM, "LOW": Confidence.LOW}
# semgrep exits 1 for findings under --error only, which is not given; 0 says that it came to its end.
_ENDED = (0, 1)


class _Position(Struct):
    line: int
    col: int


class _Extra(Struct):
    message: str
    severity: str = ""
    metadata: dict[str, Any] = {}
    is_ignored: bool = False
    fix: str | None = None


class _Result(Struct):
    check_id: str
    path: str
    start: _Position
    end: _Position
    extra: _Extra


class _Error(Struct):
    type: Any = ""
    level: str = ""
    message: str = ""
    path: str = ""


class _Paths(Struct):
    scanned: list[str]


class _Report(Struct):
    version: str
    results: list[_Result]
    errors: list[_Error]
    paths: _Paths
    skipped_rules: list[Any] = field(default_factory=list)


class SemgrepOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be chosen about semgrep."""

    entry: Annotated[Literal["native", "python"], Meta(description="which of its two programs reads the rules")] = (
        "native"
    )
    packs: Annotated[
        list[Annotated[str, Meta(pattern="^/")]], Meta(description="further folders of rules, absolute")
    ] = []
    rule_timeout_s: Annotated[float, Meta(gt=0, description="time for one rule on one file, in seconds")] = 10


class Semgrep:
    """Adapter of semgrep; see the module's text."""

    name = "semgrep"
    lanes: tuple[Lane, ...] = (Lane.SAST,)
    spec: ToolSpec | None = ToolSpec(name="semgrep", executable="semgrep", package="semgrep", tested=">=1.180,<1.190")
    services: tuple[str, ...] = ()
    ignore_comments = r"\bnosem(?:grep)?\b"
    outgoing = (
        "usage metrics (--metrics=off), version check (--disable-version-check), "
        "rules by name (only local folders are given)"
    )
    options: type[Struct] = SemgrepOptions

    def supports(self, file: SourceFile) -> bool:
        """Files of a language for which a pack ships."""
        return any(kind in file.kinds for kinds in LANGUAGES.values() for kind in kinds)

    def plan(self, request: PlanRequest) -> tuple[Job, ...]:
        """One job per language and part of its files, the large ones apart."""
        chosen = options(request, SemgrepOptions, scanner=self.name)
        fixed = _fixed(chosen)
        jobs = []
        for language, kinds in LANGUAGES.items():
            files = [file for file in request.files if any(kind in file.kinds for kind in kinds)]
            packs = _packs(chosen, language)
            for number, (unknown, part) in enumerate(_parts(files, known=_KNOWN[language]), 1):
                jobs.append(
                    Job(
                        scanner=self.name,
                        name=f"semgrep:{language}:{number}",
                        argv=(*fixed, "--jobs", str(request.parallel), *unknown, *packs, "--", *map(argument, part)),
                        compared=fixed,
                        files=part,
                        limits=request.limits,
                        grain="file",
                    )
                )
        return tuple(jobs)

    def read(self, job: Job, output: Output) -> Reading:
        """See Scanner. A rule pack that does not load is a crash: nothing was looked for."""
        if output.exit_code not in _ENDED:
            return crashed(self.name, output)
        report = decode(output.stdout, _Report, tool=self.name)
        asked = set(job.files)
        troubles = {view_path(error.path): _trouble(error) for error in report.errors if error.path}
        if any(view_path(error.path) not in asked for error in report.errors if error.level == "error"):
            return Reading(status=ScanStatus.CRASHED, reason="semgrep reports an error outside the scanned files")
        readings = [failed(path, reason) for path, reason in sorted(troubles.items()) if path in asked]
        scanned = {view_path(path) for path in report.paths.scanned} & asked - troubles.keys()
        silent = sorted(path for path in asked - scanned - troubles.keys() if path.endswith(_MINIFIED))
        readings += (failed(path, "skipped-by-tool: semgrep leaves minified scripts (*.min.js) out") for path in silent)
        readings += covered(sorted(scanned), EvidenceBasis.INFERRED)
        results = tuple(_raw(found) for found in report.results if view_path(found.path) in asked)
        return Reading(
            status=ScanStatus.COMPLETED,
            rules=_rules(report.results),
            results=results,
            files=tuple(_sorted(readings)),
            counted=len(report.paths.scanned),
            notices=_skipped(len(report.skipped_rules)),
        )


def _fixed(chosen: SemgrepOptions) -> tuple[str | Slot, ...]:
    native = chosen.entry == "native"
    return (
        *(Slot(name="tool"), "scan"),
        *(("--experimental", "--no-rewrite-rule-ids") if native else ("--no-rewrite-rule-ids",)),
        *("--metrics=off", "--disable-version-check", "--json", "--disable-nosem", "--no-git-ignore"),
        *(
            "--oss-only",
            "--max-target-bytes",
            "0",
            "--timeout",
            f"{chosen.rule_timeout_s:g}",
            "--timeout-threshold",
            "3",
        ),
    )


def _packs(chosen: SemgrepOptions, language: str) -> tuple[str | Slot, ...]:
    packs: list[str | Slot] = ["--config", Slot(name="rules", suffix=f"/semgrep/{language}")]
    for pack in chosen.packs:
        packs += ["--config", pack]
    return tuple(packs)


def _parts(files: Sequence[SourceFile], *, known: re.Pattern[str]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Give the files of each job, and what its argv has because of them."""
    for unknown in (False, True):
        group = [file for file in files if (known.search(file.path) is None) is unknown]
        small = chunks([file.path for file in group if file.size_bytes <= LARGE_BYTES], MOST_FILES)
        large = chunks([file.path for file in group if file.size_bytes > LARGE_BYTES], MOST_LARGE_FILES)
        for part in (*small, *large):
            yield ("--scan-unknown-extensions",) if unknown else (), part


def _trouble(error: _Error) -> str:
    """Give the gap's reason. The type is a name, or a list that begins with one."""
    kind = error.type if isinstance(error.type, str) else str(error.type[0]) if error.type else "unknown"
    if "Timeout" in kind:
        return "tool-timed-out: a rule did not end in time on this file"
    if kind in {"PartialParsing", "Syntax error", "Lexical error", "Other syntax error", "AST builder error"}:
        return f"parse-error: {kind}"
    return f"skipped-by-tool: {kind}"


def _own(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    own = metadata.get("secgate", {})
    return own if isinstance(own, dict) else {}


def _score(own: Mapping[str, Any]) -> float | None:
    """Give the score of a rule of ours; the Python entry cannot load a number with a point, so it is text."""
    try:
        score = float(own["score"])
    except (KeyError, TypeError, ValueError):
        return None
    return score if 0.0 <= score <= 10.0 else None


def _confidence(metadata: Mapping[str, Any]) -> Confidence | None:
    said = _own(metadata).get("confidence", metadata.get("confidence", ""))
    return _CONFIDENCES.get(str(said).upper())


def _fixes(found: _Result, region: Region, remedy: str) -> tuple[Fix, ...]:
    """Give the text that the rule's own fix puts in place of all that matched."""
    if found.extra.fix is None:
        return ()
    return (
        Fix(title=remedy or f"Apply the fix of {found.check_id}", edits=(Edit(region=region, text=found.extra.fix),)),
    )


def _raw(found: _Result) -> RawResult:
    metadata, own = found.extra.metadata, _own(found.extra.metadata)
    remedy = str(own.get("remedy", ""))
    region = Region(
        start_line=found.start.line,
        start_column=found.start.col,
        end_line=found.end.line,
        end_column=found.end.col,
    )
    stated = _OWN_SEVERITIES.get(str(own.get("severity", "")))
    return RawResult(
        rule=found.check_id,
        message=found.extra.message.strip(),
        path=view_path(found.path),
        region=region,
        column_unit="utf-8",
        severity=stated or _SEVERITIES.get(found.extra.severity.upper()),
        score=_score(own),
        severity_basis="rule" if stated else "tool",
        confidence=_confidence(metadata),
        cwes=cwes_of(metadata.get("cwe")),
        weakness=str(own.get("weakness", "")),
        remedy=remedy,
        help_uri=_first_reference(metadata),
        fixes=_fixes(found, region, remedy),
    )


def _first_reference(metadata: Mapping[str, Any]) -> str:
    references = metadata.get("references", [])
    first = references[0] if isinstance(references, list) and references else ""
    return first if isinstance(first, str) else ""


def _rules(results: list[_Result]) -> tuple[Rule, ...]:
    """One rule per identifier that fired; the report lists no others."""
    rules: dict[str, Rule] = {}
    for found in results:
        metadata, own = found.extra.metadata, _own(found.extra.metadata)
        rules[found.check_id] = Rule(
            id=found.check_id,
            name=found.check_id,
            help_uri=_first_reference(metadata),
            cwes=cwes_of(metadata.get("cwe")),
            weakness=str(own.get("weakness", "")),
            score=_score(own),
            confidence=_confidence(metadata),
            remedy=str(own.get("remedy", "")),
        )
    return tuple(rules[name] for name in sorted(rules))


def _skipped(count: int) -> tuple[str, ...]:
    return (f"{many(count, 'rule was', 'rules were')} skipped",) if count else ()


def _sorted(readings: list[FileReading]) -> list[FileReading]:
    return sorted(readings, key=lambda reading: reading.path)
