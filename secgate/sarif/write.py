"""A stored run as SARIF 2.1.0: one SARIF run per tool, deterministic bytes for an equal run.

Level, kind and severity are always written, since readers fill gaps in different ways. Columns are UTF-16 code units,
addresses are
percent-encoded and relative to the repository's root. What a tool did not look at is a notification, and its run is
then not successful.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec

from secgate.model import (
    Finding,
    Gap,
    Invocation,
    Location,
    Result,
    Rule,
    RunDocument,
    ScanStatus,
    Severity,
    State,
    Verdict,
    Word,
)

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
INFORMATION_URI = "https://github.com/secgate/secgate"
MAX_TEXT = 1000
"""Longest description: GitHub's limit is 1,024 characters."""
_LAST_DATE_EPOCH_S = 253_402_300_799
"""The end of the year 9999: SARIF's times have four digits of year."""
_NAMESPACE = uuid.UUID("7f0c3f0e-3d0b-5c52-9a55-0d3a6a0f6d0e")

_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
_BASELINE = {
    State.NEW: "new",
    State.NEWLY_DETECTABLE: "new",
    State.UNCHANGED: "unchanged",
    State.UPDATED: "updated",
    State.ABSENT: "absent",
}


def write(document: RunDocument) -> bytes:
    """Give the run as SARIF 2.1.0 bytes, compact, keys sorted, results ordered by place, rule and fingerprint."""
    verdicts = {v.id: v for v in document.decision.verdicts if v.subject == "finding"} if document.decision else {}
    runs = [_run(document, invocation, pairs, verdicts) for invocation, pairs in _shared_out(document)]
    return msgspec.json.encode({"$schema": SCHEMA, "version": "2.1.0", "runs": runs}, order="sorted")


_Pair = tuple[Finding, Result]


def _shared_out(document: RunDocument) -> Iterable[tuple[Invocation, list[_Pair]]]:
    """Give each invocation the results it stands for; a result of a tool without an invocation gets one, not lost.

    A tool that was started more than once gets each result where its lane is, else where it was started first.
    """
    invocations = sorted(document.invocations, key=lambda i: (i.lane, i.scanner))
    pairs: list[list[_Pair]] = [[] for _ in invocations]
    homes: dict[tuple[str, str], int] = {}
    for position, invocation in reversed(list(enumerate(invocations))):
        homes[invocation.scanner, ""] = position
        homes |= {(invocation.scanner, lane): position for lane in (invocation.lane, *invocation.lanes)}
    for finding in document.findings:
        for witness in finding.witnesses:
            home = homes.get((witness.scanner, witness.lane), homes.get((witness.scanner, "")))
            if home is None:
                home = homes[witness.scanner, ""] = len(invocations)
                status = ScanStatus.UNREADABLE
                reason = "the run says nothing of how this tool ended"
                invocations.append(
                    Invocation(scanner=witness.scanner, lane=witness.lane, tool=None, status=status, reason=reason)
                )
                pairs.append([])
            pairs[home].append((finding, witness))
    for invocation, found in zip(invocations, pairs, strict=True):
        yield invocation, sorted(found, key=lambda pair: _order(pair[1], pair[0]))


def _run(
    document: RunDocument, invocation: Invocation, pairs: Sequence[_Pair], verdicts: Mapping[str, Verdict]
) -> dict[str, Any]:
    rules = _rules(invocation, [witness for _, witness in pairs], {w.rule: f for f, w in pairs})
    index = {rule["id"]: position for position, rule in enumerate(rules)}
    results = [
        _result(
            finding,
            witness,
            index,
            verdicts.get(finding.fingerprint),
            document.excerpts.get(finding.fingerprint, "") if finding.location.path == witness.location.path else "",
        )
        for finding, witness in pairs
    ]
    cwes = sorted({cwe for _, witness in pairs for cwe in witness.cwes})
    tool = invocation.tool
    driver: dict[str, Any] = {
        "name": invocation.scanner,
        "fullName": f"{invocation.scanner} under secgate {document.secgate_version}",
        "informationUri": INFORMATION_URI,
        "rules": rules,
        **({"version": tool.version} if tool is not None and tool.version else {}),
    }
    run: dict[str, Any] = {
        "automationDetails": {"id": f"secgate/{invocation.lane}/{invocation.scanner}/"},
        "columnKind": "utf16CodeUnits",
        "invocations": [_invocation(document, invocation)],
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The root of the repository."}}},
        "results": results,
        "tool": {"driver": driver},
        "properties": {"secgateRun": document.run_id, "secgateVersion": document.secgate_version},
    }
    if cwes:
        driver["supportedTaxonomies"] = [{"name": "CWE", "index": 0}]
        run["taxonomies"] = [
            {
                "name": "CWE",
                "organization": "MITRE",
                "shortDescription": {"text": "The MITRE Common Weakness Enumeration."},
                "taxa": [{"id": str(cwe)} for cwe in cwes],
            }
        ]
    if document.target.commit:
        run["versionControlProvenance"] = [
            {
                "repositoryUri": _repository_uri(document.target.repository),
                "revisionId": document.target.commit,
                "mappedTo": {"uriBaseId": "%SRCROOT%"},
            }
        ]
    return run


def _repository_uri(repository: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(:\d{1,5})?/[^\x00-\x20]+", repository):
        return "https://" + quote(repository, safe="/:.-_~")
    if re.fullmatch(r"[A-Za-z0-9._-]+", repository):
        return f"urn:secgate:{repository}"
    return f"urn:secgate:{hashlib.sha256(repository.encode('utf-8', 'replace')).hexdigest()}"


def _order(witness: Result, finding: Finding) -> tuple[str, int, int, str, str]:
    region = witness.location.region
    return (witness.location.path, region.start_line, region.start_column, witness.rule, finding.fingerprint)


def _rules(
    invocation: Invocation, witnesses: Sequence[Result], findings: Mapping[str, Finding]
) -> list[dict[str, Any]]:
    described = {rule.id: rule for rule in invocation.rules}
    first = {witness.rule: witness for witness in reversed(witnesses)}
    return [
        _rule(described.get(name) or Rule(id=name), witness, findings[name]) for name, witness in sorted(first.items())
    ]


def _rule(rule: Rule, witness: Result, finding: Finding) -> dict[str, Any]:
    short = _sentence(rule.short or rule.name or finding.title or rule.id)
    full = _sentence(rule.full or rule.short or finding.title or rule.id)
    remedy = rule.remedy or witness.remedy or finding.remedy
    help_text = _clip(rule.help or (f"{full} {remedy}".strip() if remedy else full))
    tags = ["security", *(f"external/cwe/cwe-{cwe:03d}" for cwe in witness.cwes[:8])]
    described: dict[str, Any] = {
        "defaultConfiguration": {"level": _LEVELS[witness.severity]},
        "fullDescription": {"text": full},
        "help": {"text": help_text, "markdown": _escape_markdown(help_text)},
        "id": rule.id,
        "name": _identifier(rule.name or rule.id, finding.weakness, differs_from=rule.id),
        "properties": {
            "precision": {"high": "high", "medium": "medium", "low": "low"}[witness.confidence],
            "problem.severity": {"error": "error", "warning": "warning", "note": "recommendation"}[
                _LEVELS[witness.severity]
            ],
            "security-severity": f"{witness.score:.1f}",
            "tags": tags,
        },
        "shortDescription": {"text": short},
    }
    uri = rule.help_uri or witness.help_uri
    if uri.startswith(("https://", "http://")):
        described["helpUri"] = quote(uri, safe="/:?#[]@!$&'()*+,;=%-._~")
    if witness.cwes:
        described["relationships"] = [
            {"target": {"id": str(cwe), "toolComponent": {"name": "CWE", "index": 0}}, "kinds": ["superset"]}
            for cwe in witness.cwes
        ]
    return described


def _result(
    finding: Finding, witness: Result, index: Mapping[str, int], verdict: Verdict | None, excerpt: str
) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "lane": finding.lane,
        "security-severity": f"{witness.score:.1f}",
        "severity": witness.severity,
        "severityBasis": witness.severity_basis,
        "state": finding.state,
        "weakness": finding.weakness,
        "witnesses": sorted({w.scanner for w in finding.witnesses}),
    }
    if verdict is not None:
        properties["verdict"] = verdict.word
        properties["verdictRule"] = verdict.rule
    if finding.obligations:
        due = min(o.due_epoch_s for o in finding.obligations if not o.superseded) if _active(finding) else None
        if due is not None:
            properties["due"] = _time(due)
    if witness.advisory:
        properties["advisories"] = sorted({witness.advisory, *witness.aliases})
    result: dict[str, Any] = {
        "baselineState": _BASELINE[finding.state],
        "correlationGuid": str(uuid.uuid5(_NAMESPACE, finding.fingerprint)),
        "fingerprints": {finding.algorithm: finding.fingerprint},
        "kind": "fail",
        "level": _LEVELS[witness.severity],
        "locations": [_location(witness, excerpt)],
        "message": {"text": _message(witness)},
        "properties": properties,
        "ruleId": witness.rule,
        "ruleIndex": index[witness.rule],
    }
    suppressions = [
        {
            "kind": suppression.kind,
            # A claim in the source is under review until a policy accepts it.
            "status": "underReview",
            **({"justification": _clip(suppression.text)} if suppression.text else {}),
        }
        for suppression in witness.suppressions
    ]
    if verdict is not None and verdict.word in (Word.WAIVED, Word.EXEMPT):
        suppressions.append(
            {"kind": "external", "status": "accepted", "justification": _clip(verdict.reason or verdict.rule)}
        )
    if suppressions:
        result["suppressions"] = suppressions
    return result


def _active(finding: Finding) -> bool:
    return any(not obligation.superseded for obligation in finding.obligations)


def _location(witness: Result, excerpt: str) -> dict[str, Any]:
    location = witness.location
    region = location.region
    physical: dict[str, Any] = {
        "artifactLocation": {"uri": quote(location.path, safe="/-._~"), "uriBaseId": "%SRCROOT%"},
    }
    if region.start_line > 0:
        spans: dict[str, Any] = {"startLine": region.start_line}
        if region.start_column > 0:
            spans["startColumn"] = region.start_column
        if region.end_line >= region.start_line:
            spans["endLine"] = region.end_line
            backwards = region.end_line == region.start_line and region.end_column <= region.start_column
            if region.end_column > 0 and region.start_column > 0 and not backwards:
                spans["endColumn"] = region.end_column
        if witness.snippet:
            spans["snippet"] = {"text": witness.snippet}
        physical["region"] = spans
        around = _context(location, excerpt)
        if around:
            physical["contextRegion"] = around
    placed: dict[str, Any] = {"physicalLocation": physical}
    if witness.resource:
        placed["logicalLocations"] = [{"fullyQualifiedName": witness.resource, "kind": "resource"}]
    return placed


def _context(location: Location, excerpt: str) -> dict[str, Any]:
    """The masked lines around a result, where they hold all of it. Source: SARIF 2.1.0, 3.29.5."""
    numbered = [line.partition("\t") for line in excerpt.split("\n")] if excerpt else []
    if not numbered or not all(number.isdecimal() for number, _, _ in numbered):
        return {}
    first, last = int(numbered[0][0]), int(numbered[-1][0])
    start, end = location.region.start_line, max(location.region.end_line, location.region.start_line)
    whole = last - first + 1 == len(numbered)
    if not whole or not first <= start <= end <= last or (first, last) == (start, end):
        return {}
    return {
        "startLine": first,
        "endLine": last,
        "snippet": {"text": "\n".join(text for _, _, text in numbered)},
    }


def _message(witness: Result) -> str:
    # 3.11.6: `[text](target)` in a message is a link. Text that came from a tree must not make one.
    text = re.sub(r"\[(?=[^\]\n]*\]\()", r"\\[", witness.message or witness.rule)
    if witness.location.commit:
        text = f"{text} (in commit {witness.location.commit[:12]} of the change)"
    return _clip(text)


def _invocation(document: RunDocument, invocation: Invocation) -> dict[str, Any]:
    gaps = [
        gap
        for lane in document.coverage.lanes
        for gap in lane.gaps
        if gap.tool == invocation.scanner and lane.lane in (invocation.lane, *invocation.lanes)
    ]
    ended = invocation.started_epoch_s + round(invocation.duration_s)
    described: dict[str, Any] = {
        "endTimeUtc": _time(max(ended, invocation.started_epoch_s)),
        "executionSuccessful": invocation.status is ScanStatus.COMPLETED and not gaps,
        "startTimeUtc": _time(invocation.started_epoch_s),
        "toolExecutionNotifications": list(_notifications(invocation, gaps)),
    }
    if invocation.exit_codes:
        described["exitCode"] = max(invocation.exit_codes, key=abs)
    return described


def _notifications(invocation: Invocation, gaps: Iterable[Gap]) -> Iterable[dict[str, Any]]:
    if invocation.status is not ScanStatus.COMPLETED:
        text = f"{invocation.scanner}: {invocation.status}: {invocation.reason or 'no reason given'}"
        yield {"level": "error", "message": {"text": _clip(text)}}
    for gap in sorted(gaps, key=lambda g: (g.path, g.reason, g.detail)):
        note: dict[str, Any] = {
            "descriptor": {"id": f"secgate/{gap.reason}"},
            "level": "error" if gap.touched else "warning",
            "message": {"text": _clip(f"not covered: {gap.detail or gap.reason}")},
        }
        if gap.path:
            uri = {"uri": quote(gap.path, safe="/-._~"), "uriBaseId": "%SRCROOT%"}
            note["locations"] = [{"physicalLocation": {"artifactLocation": uri}}]
        yield note


def _time(epoch_s: int) -> str:
    return datetime.fromtimestamp(min(epoch_s, _LAST_DATE_EPOCH_S), tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _clip(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _sentence(text: str) -> str:
    line = " ".join(text.split())
    return _clip(line if line.endswith((".", "!", "?")) else f"{line}.")


def _identifier(*texts: str, differs_from: str) -> str:
    """The first text in Pascal case that says something else than the id, as GitHub and the SARIF multitool want it."""
    for text in texts:
        words = "".join(ch if ch.isalnum() and ch.isascii() else " " for ch in text[:MAX_TEXT]).split()
        name = "".join(word[:1].upper() + word[1:] for word in words)
        if name and not name[0].isdigit() and name.lower() != differs_from.lower():
            return name
    return f"Rule{name}"


def _escape_markdown(text: str) -> str:
    """Make text inert in Markdown: it came from a tool, and a tool quotes the tree."""
    for mark in "\\`*_{}[]<>()#+!|~":
        text = text.replace(mark, "\\" + mark)
    return text
