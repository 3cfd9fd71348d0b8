"""The stored run as JUnit XML: a suite a lane, with the lane's coverage as its first case and a case a finding.

What blocks is a failure, what could not be told is an error, what is waived is skipped. The form is the one that
Jenkins, GitLab, Azure DevOps and Bitbucket read. No standard tells it; Jenkins's xUnit plugin refuses a whole file for
one attribute that its schema (junit-10.xsd) does not name, so there is none: no `file` and `line` of a case, whose name
ends in its place, and no `skipped` at the top.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree as ET  # written only, never parsed

from secgate.escape import cut, log_line, log_text
from secgate.gaps import gap_words
from secgate.model import Decision, LaneCoverage, RunDocument, Verdict, Word
from secgate.sla import many, utc_words
from secgate.summary import FindingRow, LaneRow, Summary, summarise

MAX_LINES = 100
"""Lines of one case; what is beyond is counted."""
_SKIPPED = (Word.WAIVED, Word.EXEMPT)


class JunitReporter:
    """JUnit XML: a suite a lane; what blocks fails, what could not be told is an error, what is waived is skipped."""

    name = "junit"
    suffix = ".xml"

    def render(self, document: RunDocument, *, width: int, colour: bool) -> bytes:
        """Give one XML document in UTF-8 with a line end."""
        del width, colour
        summary = summarise(document)
        suites = [_suite(lane, row, document, summary) for lane, row in _asked(document, summary)]
        suites.append(_run_suite(document, summary))
        totals = {key: str(sum(int(suite.get(key, "0")) for suite in suites)) for key in _COUNTED}
        root = ET.Element("testsuites", {"name": "secgate", **totals, "time": f"{_seconds(document):.3f}"})
        root.extend(suites)
        ET.indent(root)
        text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
        return text + b"\n"


_COUNTED = ("tests", "failures", "errors")


def _asked(document: RunDocument, summary: Summary) -> Iterable[tuple[LaneCoverage, LaneRow]]:
    for lane, row in zip(document.coverage.lanes, summary.lanes, strict=True):
        if lane.asked or any(finding.lane is lane.lane for finding in document.findings):
            yield lane, row


def _suite(lane: LaneCoverage, row: LaneRow, document: RunDocument, summary: Summary) -> ET.Element:
    verdicts = _verdicts(document.decision, "lane", lane.lane)
    cases = [_coverage_case(lane, row, verdicts)]
    cases += [_case(one) for one in (*summary.blocking, *summary.others) if one.finding.lane is lane.lane]
    return _counted(f"secgate.{lane.lane}", cases, document)


def _run_suite(document: RunDocument, summary: Summary) -> ET.Element:
    """Give the run's outcome as a case: who reads only this file must not see a pass where there is none."""
    case = _element("testcase", name=f"outcome: {summary.word}", classname="secgate.run")
    verdicts = _verdicts(document.decision, "run", "run")
    if summary.exit_code == 1:
        _told(case, "failure", "fail", summary.sentence, [one.reason for one in verdicts])
    elif summary.exit_code:
        _told(case, "error", summary.word.lower(), summary.sentence, [one.reason for one in verdicts])
    elif document.decision is not None and document.decision.override is not None:
        _told(case, "skipped", "", summary.sentence, ())
    return _counted("secgate.run", [case], document)


def _counted(name: str, cases: list[ET.Element], document: RunDocument) -> ET.Element:
    parts = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    counts = {key: str(sum(case.find(part) is not None for case in cases)) for key, part in parts.items()}
    started = document.decision.evaluated_epoch_s if document.decision else 0
    suite = _element("testsuite", name=name, tests=str(len(cases)), **counts, time="0.000")
    if started:
        suite.set("timestamp", utc_words(started).removesuffix(" UTC").replace(" ", "T") + ":00")
    suite.extend(cases)
    return suite


def _coverage_case(lane: LaneCoverage, row: LaneRow, verdicts: list[Verdict]) -> ET.Element:
    case = _element("testcase", name="coverage", classname=f"secgate.{lane.lane}")
    if any(verdict.word is Word.DENY for verdict in verdicts):
        _told(case, "failure", "coverage", row.ruling or row.state, gap_words(lane.gaps))
    elif any(verdict.word is Word.INCONCLUSIVE for verdict in verdicts):
        _told(case, "error", "coverage", row.ruling or row.state, gap_words(lane.gaps))
    elif not lane.asked:
        _told(case, "skipped", "", "this lane was not asked for", ())
    else:
        _element_in(case, "system-out", (row.counts, row.tools, *gap_words(lane.gaps)))
    return case


def _case(row: FindingRow) -> ET.Element:
    finding = row.finding
    case = _element(
        "testcase",
        name=f"{finding.title} ({row.place})",
        classname=f"secgate.{finding.lane}.{finding.weakness}",
    )
    facts = [
        f"{finding.severity}, {finding.state}, by {row.seen_by}",
        row.why and f"why: {row.why}",
        row.due and f"due: {row.due}",
        row.fix and f"fix: {row.fix}",
        f"fingerprint: {finding.fingerprint}",
    ]
    if row.verdict is not None and row.verdict.word is Word.INCONCLUSIVE:
        _told(case, "error", finding.weakness, row.why or finding.title, facts)
    elif row.blocking:
        _told(case, "failure", finding.weakness, row.why or finding.title, facts)
    elif row.verdict is not None and row.verdict.word in _SKIPPED:
        _told(case, "skipped", "", row.why or row.word, ())
    else:
        _element_in(case, "system-out", facts)
    return case


def _told(case: ET.Element, tag: str, kind: str, message: str, facts: Iterable[str]) -> None:
    part = _element_in(case, tag, facts)
    part.set("message", _text(message))
    if kind:
        part.set("type", _text(kind))


def _element(tag: str, **attributes: str) -> ET.Element:
    return ET.Element(tag, {key: _text(value) for key, value in attributes.items()})


def _element_in(parent: ET.Element, tag: str, lines: Iterable[str]) -> ET.Element:
    part = ET.SubElement(parent, tag)
    told = [line for line in lines if line]
    told[MAX_LINES:] = [f"and {many(len(told) - MAX_LINES, 'more line')}"] if len(told) > MAX_LINES else []
    part.text = "\n".join(log_line(_text(line)) for line in told) or None
    return part


def _text(text: str) -> str:
    """Make a text one plain line, since XML 1.0 has no place for most control characters, and bound it."""
    return log_text(cut(text))


def _verdicts(decision: Decision | None, subject: str, name: str) -> list[Verdict]:
    return [one for one in decision.verdicts if (one.subject, one.id) == (subject, name)] if decision else []


def _seconds(document: RunDocument) -> float:
    return sum(run.duration_s for run in document.invocations)
