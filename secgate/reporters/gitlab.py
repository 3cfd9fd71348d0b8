"""The stored run in GitLab's own forms: the security reports SAST, dependency and secret scanning, and Code Quality.

Source: GitLab's security report schemas 15.0.7 and 15.2.1, and these reports obey both. They name the first: a GitLab
takes in no report whose major and minor version it does not know, and each one from 16 on knows 15.0. What is waived or
exempt stands in none of them, since they have no word for it: a finding that somebody answers for must not come back as
an open one elsewhere. That is said beside.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec

from secgate.escape import LONGEST_PATH, LONGEST_TEXT, cut, inert, json_text
from secgate.gaps import gap_words
from secgate.model import Finding, Gap, Lane, Package, RunDocument, ScanStatus, Severity, State, Word
from secgate.ports import Rendered
from secgate.sla import many
from secgate.summary import FindingRow, pinpoint, summarise

SCHEMA_VERSION = "15.0.7"
_NAMES = uuid.uuid5(uuid.NAMESPACE_URL, "secgate:finding")
_SEVERITY = {
    Severity.CRITICAL: "Critical",
    Severity.HIGH: "High",
    Severity.MEDIUM: "Medium",
    Severity.LOW: "Low",
    Severity.INFO: "Info",
}
_QUALITY = {
    Severity.CRITICAL: "blocker",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
    Severity.INFO: "info",
}
_ANSWERED = (Word.WAIVED, Word.EXEMPT)
_NO_COMMIT = "0000000"
_MOST = 100
"""Names and links of one finding, and messages of a scan."""
_LONGEST_NAME, _LONGEST_SOLUTION, _LONGEST_DESCRIPTION = 255, 7_000, 20_000


def _reported(document: RunDocument, lanes: Sequence[Lane]) -> tuple[list[FindingRow], tuple[str, ...]]:
    """Give what is shown of these lanes, what blocks first, and what is said of the rest."""
    summary = summarise(document)
    rows = [row for row in (*summary.blocking, *summary.others) if row.finding.lane in lanes]
    rows = [row for row in rows if row.finding.state is not State.ABSENT]
    shown = [row for row in rows if row.verdict is None or row.verdict.word not in _ANSWERED]
    waived = len(rows) - len(shown)
    return shown, (f"{many(waived, 'finding')}, waived or exempt",) if waived else ()


class _SecurityReport:
    """Ground of the three security reports."""

    name: str
    suffix = ".json"
    kind: ClassVar[str]
    lanes: ClassVar[tuple[Lane, ...]]

    def render(self, document: RunDocument, *, width: int, colour: bool) -> bytes:
        """Give one JSON object with a line end."""
        del width, colour
        return self.rendered(document).data

    def rendered(self, document: RunDocument) -> Rendered:
        """Give one JSON object with a line end, and what it has no word for."""
        rows, left_out = _reported(document, self.lanes)
        report = {
            "version": SCHEMA_VERSION,
            "scan": self._scan(document, left_out),
            "vulnerabilities": [self._vulnerability(row, document) for row in rows],
            **self._more(rows),
        }
        return Rendered(_json(report), left_out)

    def _more(self, rows: Sequence[FindingRow]) -> dict[str, Any]:
        del rows
        return {}

    def _scan(self, document: RunDocument, left_out: Iterable[str]) -> dict[str, Any]:
        runs = [run for run in document.invocations if {run.lane, *run.lanes} & set(self.lanes)]
        start = min((run.started_epoch_s for run in runs if run.started_epoch_s), default=0)
        end = max((run.started_epoch_s + int(run.duration_s) for run in runs), default=0)
        now = document.decision.evaluated_epoch_s if document.decision else end
        gaps = [gap for lane in document.coverage.lanes if lane.asked and lane.lane in self.lanes for gap in lane.gaps]
        whole = not _open(gaps) and all(run.status is ScanStatus.COMPLETED for run in runs)
        said = [("warn", line) for line in gap_words(_open(gaps))]
        said[_MOST:] = [("warn", f"and {many(len(said) - _MOST, 'more gap')}")] if len(said) > _MOST else []
        said += [("info", f"left out of this report: {line}") for line in left_out]
        program = {
            "id": "secgate",
            "name": "secgate",
            "version": document.secgate_version,
            "vendor": {"name": "secgate"},
        }
        return {
            "type": self.kind,
            "status": "success" if whole else "failure",
            "start_time": _time(start or now),
            "end_time": _time(max(end, start or now)),
            "analyzer": program,
            "scanner": program,
            "messages": [{"level": level, "value": _text(line) or "?"} for level, line in said],
        }

    def _vulnerability(self, row: FindingRow, document: RunDocument) -> dict[str, Any]:
        finding = row.finding
        told: dict[str, Any] = {
            "id": str(uuid.uuid5(_NAMES, finding.fingerprint)),
            "name": _text(finding.title, _LONGEST_NAME),
            "description": _text(_description(row), _LONGEST_DESCRIPTION),
            "severity": _SEVERITY[finding.severity],
            "identifiers": _identifiers(finding),
            "location": self._location(finding, document),
        }
        if row.fix:
            told["solution"] = _text(row.fix, _LONGEST_SOLUTION)
        links = sorted({one.help_uri for one in finding.witnesses if one.help_uri.startswith(("https://", "http://"))})
        if links:
            told["links"] = [{"url": _text(link)} for link in links[:_MOST]]
        return told

    def _location(self, finding: Finding, document: RunDocument) -> dict[str, Any]:
        del document
        return _lines(finding)


class GitlabSastReporter(_SecurityReport):
    """GitLab's SAST report: what was found in code, infrastructure and workflows."""

    name = "gitlab-sast"
    kind = "sast"
    lanes = (Lane.SAST, Lane.IAC, Lane.WORKFLOWS)

    def _vulnerability(self, row: FindingRow, document: RunDocument) -> dict[str, Any]:
        return super()._vulnerability(row, document) | {"tracking": _tracking(row.finding)}


class GitlabSecretsReporter(_SecurityReport):
    """GitLab's secret detection report; it holds no secret and no source."""

    name = "gitlab-secrets"
    kind = "secret_detection"
    lanes = (Lane.SECRETS,)

    def _location(self, finding: Finding, document: RunDocument) -> dict[str, Any]:
        commit = finding.location.commit or document.target.commit or _NO_COMMIT
        return {**_lines(finding), "commit": {"sha": _text(commit)}}


class GitlabDependencyReporter(_SecurityReport):
    """GitLab's dependency scanning report."""

    name = "gitlab-dependency"
    kind = "dependency_scanning"
    lanes = (Lane.DEPENDENCIES,)

    def _more(self, rows: Sequence[FindingRow]) -> dict[str, Any]:
        # The manifests with their vulnerable packages: 15.0 asks for them, and they are no inventory.
        files: dict[tuple[str, str], dict[tuple[str, str], dict[str, Any]]] = {}
        for row in rows:
            if (package := row.finding.package) is not None:
                key = (_path(row.finding.location.path) or "?", _text(package.ecosystem) or "?")
                files.setdefault(key, {})[package.name, package.version] = _dependency(package)
        return {
            "dependency_files": [
                {"path": path, "package_manager": manager, "dependencies": [held[name] for name in sorted(held)]}
                for (path, manager), held in sorted(files.items())
            ]
        }

    def _location(self, finding: Finding, document: RunDocument) -> dict[str, Any]:
        del document
        return {"file": _path(finding.location.path) or "?", "dependency": _dependency(finding.package)}


class GitlabCodequalityReporter:
    """GitLab's Code Quality report: every finding that nobody has waived, in every merge request's widget."""

    name = "gitlab-codequality"
    suffix = ".json"

    def render(self, document: RunDocument, *, width: int, colour: bool) -> bytes:
        """Give one JSON list with a line end."""
        del width, colour
        return self.rendered(document).data

    def rendered(self, document: RunDocument) -> Rendered:
        """Give one JSON list with a line end, and what it has no word for."""
        rows, left_out = _reported(document, tuple(Lane))
        issues = [
            {
                "description": _text(f"{row.finding.title}{f': {row.why}' if row.why else ''}"),
                "check_name": _text(row.finding.weakness),
                "fingerprint": _text(row.finding.fingerprint),
                "severity": _QUALITY[row.finding.severity],
                "location": {
                    "path": _path(row.finding.location.path),
                    "lines": {"begin": max(pinpoint(row.finding).region.start_line, 1)},
                },
            }
            for row in rows
        ]
        return Rendered(_json(issues), left_out)


def _dependency(package: Package | None) -> dict[str, Any]:
    return {
        "package": {"name": _text(package.name) if package else ""},
        "version": _text(package.version) if package else "",
        "direct": package.direct if package else False,
    }


def _text(text: str, longest: int = LONGEST_TEXT) -> str:
    """Make a text inert and no longer than GitLab takes, its escapes included."""
    return cut(inert(cut(text, longest)), longest)


def _path(path: str) -> str:
    return _text(path, LONGEST_PATH)


def _json(value: object) -> bytes:
    return json_text(msgspec.json.format(msgspec.json.encode(value), indent=2)) + b"\n"


def _open(gaps: Iterable[Gap]) -> list[Gap]:
    return [gap for gap in gaps if not gap.waived]


def _time(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _description(row: FindingRow) -> str:
    said = [f"{one.scanner}: {one.message}" for one in row.finding.witnesses if one.message]
    return "\n".join(dict.fromkeys(filter(None, (*said, row.why, row.due and f"due {row.due}"))))


def _identifiers(finding: Finding) -> list[dict[str, str]]:
    """Give what the finding is called, the first name first: GitLab knows it again by that one."""
    found = [_advisory(name) for name in sorted(finding.advisories, key=lambda one: (not one.startswith("CVE-"), one))]
    if not found:
        found = [{"type": "secgate_weakness", "name": finding.weakness, "value": finding.weakness}]
    for cwe in sorted({cwe for one in finding.witnesses for cwe in one.cwes}):
        url = f"https://cwe.mitre.org/data/definitions/{cwe}.html"
        found.append({"type": "cwe", "name": f"CWE-{cwe}", "value": str(cwe), "url": url})
    for scanner, rule in sorted({(one.scanner, one.rule) for one in finding.witnesses}):
        found.append({"type": f"{scanner}_rule", "name": f"{scanner} {rule}", "value": rule or "?"})
    return [{key: _text(value) or "?" for key, value in one.items()} for one in found[:_MOST]]


def _advisory(name: str) -> dict[str, str]:
    kind = name.partition("-")[0].lower() or "advisory"
    safe = name.isascii() and name.replace("-", "").isalnum()
    return {"type": kind, "name": name, "value": name} | ({"url": f"https://osv.dev/{name}"} if safe else {})


def _lines(finding: Finding) -> dict[str, Any]:
    region = pinpoint(finding).region
    place: dict[str, Any] = {"file": _path(finding.location.path) or "?"}
    if region.start_line:
        place |= {"start_line": region.start_line, "end_line": max(region.end_line, region.start_line)}
    if finding.symbol:
        place["method"] = _text(finding.symbol)
    return place


def _tracking(finding: Finding) -> dict[str, Any]:
    """Give our own identity as the signature, so that a moved line makes no new vulnerability."""
    signature = {"algorithm": "hash", "value": _text(finding.fingerprint)}
    place = {key: value for key, value in _lines(finding).items() if key != "method"}
    return {"type": "source", "items": [{**place, "signatures": [signature]}]}
