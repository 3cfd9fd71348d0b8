"""The stored run as SonarQube's generic issues.

Source: SonarQube Server documentation, "Generic formatted issue reports", the form with rules beside issues (10.3 and
later). Columns are left out: SonarQube refuses a whole report for one that lies beyond its line's end.
"""

from __future__ import annotations

from typing import Any

import msgspec

from secgate.escape import LONGEST_PATH, LONGEST_TEXT, cut, inert, json_text
from secgate.model import Finding, RunDocument, Severity, State, Word
from secgate.ports import Rendered
from secgate.sla import many
from secgate.summary import FindingRow, pinpoint, summarise

_IMPACT = {
    Severity.CRITICAL: "HIGH",
    Severity.HIGH: "HIGH",
    Severity.MEDIUM: "MEDIUM",
    Severity.LOW: "LOW",
    Severity.INFO: "LOW",
}
_LONGEST_NAME = 200
"""Characters of a rule's name, and of its key, which ends in a severity."""
_ANSWERED = (Word.WAIVED, Word.EXEMPT)


class SonarqubeReporter:
    """SonarQube's generic issues: every finding that nobody has waived."""

    name = "sonarqube"
    suffix = ".json"

    def render(self, document: RunDocument, *, width: int, colour: bool) -> bytes:
        """Give one JSON object with a line end."""
        del width, colour
        return self.rendered(document).data

    def rendered(self, document: RunDocument) -> Rendered:
        """Give one JSON object with a line end, and what is left out of it."""
        summary = summarise(document)
        rows = [row for row in (*summary.blocking, *summary.others) if row.finding.state is not State.ABSENT]
        shown = [row for row in rows if row.verdict is None or row.verdict.word not in _ANSWERED]
        rules: dict[str, dict[str, Any]] = {}
        for row in shown:
            rules.setdefault(_rule_id(row.finding), _rule(row.finding))
        report = {"rules": [rules[name] for name in sorted(rules)], "issues": [_issue(row) for row in shown]}
        waived = len(rows) - len(shown)
        left_out = (f"{many(waived, 'finding')}, waived or exempt",) if waived else ()
        data = msgspec.json.format(msgspec.json.encode(report), indent=2)
        return Rendered(json_text(data) + b"\n", left_out)


def _rule_id(finding: Finding) -> str:
    """A rule has one severity there, and a weakness may have several here."""
    return f"{_text(finding.weakness, _LONGEST_NAME - 10)}/{finding.severity}"


def _rule(finding: Finding) -> dict[str, Any]:
    return {
        "id": _rule_id(finding),
        "name": _text(finding.weakness, _LONGEST_NAME) or "?",
        "description": _text(finding.remedy or finding.title) or "?",
        "engineId": "secgate",
        "cleanCodeAttribute": "TRUSTWORTHY",
        "impacts": [{"softwareQuality": "SECURITY", "severity": _IMPACT[finding.severity]}],
    }


def _issue(row: FindingRow) -> dict[str, Any]:
    finding, region = row.finding, pinpoint(row.finding).region
    place: dict[str, Any] = {
        "message": _text(f"{finding.title}{f': {row.why}' if row.why else ''}") or "?",
        "filePath": _text(finding.location.path, LONGEST_PATH),
    }
    if region.start_line:
        place["textRange"] = {"startLine": region.start_line, "endLine": max(region.end_line, region.start_line)}
    return {"ruleId": _rule_id(finding), "primaryLocation": place}


def _text(text: str, longest: int = LONGEST_TEXT) -> str:
    return cut(inert(cut(text, longest)), longest)
