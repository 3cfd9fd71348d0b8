"""The forms that other programs read: each against what its reader demands, on calm, hostile and large runs."""

from __future__ import annotations

import csv
import io
import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from lxml import etree

from secgate import registry
from secgate.model import Coverage, Outcome, Region, RunDocument, State, Visibility, Word
from secgate.ports import Rendered
from secgate.show import show
from tests.factories import decision, digest, gap, lane_coverage, run_document, verdict
from tests.sample_runs import failing_run, hostile_run, inconclusive_run, large_run, policy_error_run, unnamed_run

GOLDENS = Path(__file__).parents[2] / "goldens" / "forms"
FORMS = {
    "comment": ".md",
    "csv": ".csv",
    "github": ".txt",
    "gitlab-codequality": ".json",
    "gitlab-dependency": ".json",
    "gitlab-sast": ".json",
    "gitlab-secrets": ".json",
    "junit": ".xml",
    "log": ".txt",
    "markdown": ".md",
    "markdown-all": ".md",
    "sonarqube": ".json",
}
GITLAB = ("gitlab-dependency", "gitlab-sast", "gitlab-secrets")
XUNIT = Path(__file__).parents[2] / "schemas" / "junit-10.xsd"
RUNS = (failing_run, inconclusive_run, policy_error_run, hostile_run, unnamed_run)


def rendered(form: str, document: RunDocument) -> Rendered:
    return show(document, registry.reporter(form), width=80, colour=False)


def text(form: str, document: RunDocument) -> str:
    return rendered(form, document).data.decode()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("make", RUNS[:2])
def test_golden(form: str, make: Callable[[], RunDocument], golden: Callable[[Path, str], None]) -> None:
    golden(GOLDENS / f"{make.__name__}.{form}{FORMS[form]}", text(form, make()))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("make", RUNS)
def test_equal_documents_give_equal_bytes_that_are_inert(form: str, make: Callable[[], RunDocument]) -> None:
    once, again = text(form, make()), text(form, make())
    assert once == again
    assert all(line.isprintable() for line in re.split(r"\r?\n", once))
    assert "##vso[" not in once


@pytest.mark.parametrize("form", FORMS)
def test_a_run_that_was_not_judged_and_an_empty_one(form: str) -> None:
    for document in (run_document(decision=None), run_document(findings=(), decision=None, invocations=())):
        assert text(form, document).endswith("\n")


WHOLE = ("json", "sarif", "sarif-all")
"""JSON is the stored run; in SARIF places and rules are names that other parts refer to. Both are bounded when made."""


@pytest.mark.parametrize("form", [name for name in registry.names("reporters") if name not in WHOLE])
@pytest.mark.parametrize("mark", ["x", "\u202e"])
def test_threat_13_no_text_makes_a_form_large(form: str, mark: str) -> None:
    assert len(text(form, hostile_run(mark * 300_000))) < (200_000 if mark == "x" else 800_000)


@pytest.mark.parametrize("form", ["csv", "github", "gitlab-codequality", "gitlab-sast", "junit", "sonarqube"])
def test_a_text_that_is_cut_shows_it(form: str) -> None:
    assert "…" in text(form, hostile_run("x" * 8_000))
    assert "…" not in text(form, hostile_run("x" * 100))


@pytest.mark.parametrize("form", ["gitlab-sast", "junit"])
def test_of_many_gaps_the_first_are_told_and_the_rest_is_counted(form: str) -> None:
    gaps = tuple(gap(path=f"{n}.py", detail=f"hole {n:05}") for n in range(5_000))
    document = run_document(coverage=Coverage(lanes=(lane_coverage(gaps=gaps, covered=0, failed=5_000),)))
    told = text(form, document)
    assert "1036.py: " in told
    assert "999.py: " not in told
    assert re.search(r"and 4,9\d\d more", told)


# ------------------------------------------------------------------------------------------------------------- gitlab


def _hold(report: dict[str, Any]) -> None:
    """What GitLab's schemas 15.0.7 and 15.2.1 demand of every security report."""
    assert set(report) - {"dependency_files"} == {"version", "scan", "vulnerabilities"}
    scan = report["scan"]
    for key in ("start_time", "end_time"):
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}", scan[key])
    assert scan["status"] in ("success", "failure")
    for program in (scan["analyzer"], scan["scanner"]):
        assert program["id"]
        assert program["name"]
        assert program["version"]
        assert program["vendor"]["name"]
    assert all(message["level"] in ("info", "warn", "fatal") and message["value"] for message in scan["messages"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", report["version"])
    for one in report["vulnerabilities"]:
        assert len(one["description"]) <= 1_048_576
        assert str(uuid.UUID(one["id"])) == one["id"]
        assert len(one["name"]) <= 255
        assert len(one.get("solution", "")) <= 7000
        assert one["severity"] in ("Info", "Unknown", "Low", "Medium", "High", "Critical")
        assert one["identifiers"]
        assert all(name["type"] and name["name"] and name["value"] for name in one["identifiers"])
        urls = [
            *(name.get("url", "https://x") for name in one["identifiers"]),
            *(x["url"] for x in one.get("links", ())),
        ]
        assert all(re.match(r"(https?|ftp)://.", url) for url in urls)


@pytest.mark.parametrize("form", GITLAB)
@pytest.mark.parametrize("make", RUNS)
def test_gitlab_takes_its_security_reports(form: str, make: Callable[[], RunDocument]) -> None:
    report = json.loads(text(form, make()))
    _hold(report)
    for one in report["vulnerabilities"]:
        place = one["location"]
        if form == "gitlab-dependency":
            assert place["file"]
            assert {"package", "version"} <= set(place["dependency"])
            assert isinstance(place["dependency"]["package"]["name"], str)
        elif form == "gitlab-secrets":
            assert place["commit"]["sha"]
        else:
            assert place["file"]
            assert place.get("start_line", 1) <= place.get("end_line", 1)


def test_gitlab_of_any_age_takes_a_dependency_report() -> None:
    """15.0 asks for the manifests, and a GitLab that knows no 15.2 takes in no report that names it."""
    report = json.loads(text("gitlab-dependency", failing_run()))
    assert report["version"].startswith("15.0.")
    (file,) = report["dependency_files"]
    assert (file["path"], file["package_manager"]) == ("requirements.txt", "PyPI")
    places = [one["location"]["dependency"] for one in report["vulnerabilities"]]
    assert file["dependencies"] == places
    assert json.loads(text("gitlab-dependency", run_document(findings=())))["dependency_files"] == []


def test_a_long_description_is_cut_where_gitlab_would_refuse_the_report() -> None:
    document = failing_run()
    (one, *_) = document.findings
    long = msgspec.structs.replace(one.witnesses[0], message="x" * 2_000_000)
    found = (msgspec.structs.replace(one, witnesses=(long,)),)
    _hold(json.loads(text("gitlab-sast", msgspec.structs.replace(document, findings=found))))


def test_each_finding_stands_in_one_security_report_and_knows_itself_again() -> None:
    reports = {form: json.loads(text(form, failing_run())) for form in GITLAB}
    counts = {form: len(report["vulnerabilities"]) for form, report in reports.items()}
    # Eight findings, one of them waived.
    assert counts == {"gitlab-dependency": 1, "gitlab-sast": 5, "gitlab-secrets": 1}
    signatures = [one["tracking"]["items"][0]["signatures"][0] for one in reports["gitlab-sast"]["vulnerabilities"]]
    assert {"algorithm": "hash", "value": digest("sql")} in signatures
    dependency = reports["gitlab-dependency"]["vulnerabilities"][0]
    assert [name["type"] for name in dependency["identifiers"]][:2] == ["cve", "pysec"]
    assert reports["gitlab-secrets"]["vulnerabilities"][0]["location"]["commit"]["sha"] == "77aa88bb99cc"


def test_a_lane_with_a_hole_is_a_failed_scan_that_says_why() -> None:
    scan = json.loads(text("gitlab-sast", inconclusive_run()))["scan"]
    assert scan["status"] == "failure"
    assert any("checkov is not installed" in message["value"] for message in scan["messages"])
    assert json.loads(text("gitlab-secrets", inconclusive_run()))["scan"]["status"] == "success"


@pytest.mark.parametrize("form", ["gitlab-sast", "gitlab-codequality", "sonarqube"])
def test_what_is_waived_does_not_come_back_elsewhere(form: str) -> None:
    told = rendered(form, failing_run())
    assert b"MD5 is broken" not in told.data
    assert told.left_out == ("1 finding, waived or exempt",)


def test_code_quality_has_one_entry_a_fingerprint() -> None:
    issues = json.loads(text("gitlab-codequality", failing_run()))
    assert len({one["fingerprint"] for one in issues}) == len(issues) == 7
    assert {one["severity"] for one in issues} == {"blocker", "critical", "major", "info"}
    assert all(one["location"]["lines"]["begin"] >= 1 and one["location"]["path"] for one in issues)


# -------------------------------------------------------------------------------------------------------------- junit


def parsed(document: RunDocument) -> ET.Element:
    return ET.fromstring(text("junit", document))  # noqa: S314 - written just now


def test_junit_counts_what_it_holds_and_never_shows_a_pass_that_is_none() -> None:
    for make, failures, errors in ((failing_run, 6, 0), (inconclusive_run, 0, 3), (policy_error_run, 0, 1)):
        root = parsed(make())
        cases = list(root.iter("testcase"))
        assert int(root.get("tests", "")) == len(cases)
        assert int(root.get("failures", "")) == len(list(root.iter("failure"))) == failures
        assert int(root.get("errors", "")) == len(list(root.iter("error"))) == errors
        assert [suite.get("name") for suite in root][-1] == "secgate.run"


@pytest.mark.parametrize("make", RUNS)
def test_junit_is_what_the_strictest_reader_takes(make: Callable[[], RunDocument]) -> None:
    schema = etree.XMLSchema(etree.parse(str(XUNIT)))
    schema.assertValid(etree.fromstring(rendered("junit", make()).data))


def test_the_strictest_reader_of_junit_refuses_an_attribute_that_it_does_not_know() -> None:
    schema = etree.XMLSchema(etree.parse(str(XUNIT)))
    root = etree.fromstring(rendered("junit", failing_run()).data)
    root.set("skipped", "1")
    assert not schema.validate(root)


def test_junit_skips_what_is_waived() -> None:
    root = parsed(failing_run())
    skipped = [case.get("name", "") for case in root.iter("testcase") if case.find("skipped") is not None]
    assert skipped == ["MD5 is broken (shop/tokens.py:30)"]


# ---------------------------------------------------------------------------------------------------------------- csv


def test_csv_has_a_row_a_finding() -> None:
    rows = list(csv.DictReader(io.StringIO(text("csv", failing_run()), newline="")))
    assert len(rows) == 8
    assert rows[0]["verdict"] == "deny"
    assert {row["lane"] for row in rows} == {"sast", "dependencies", "iac", "secrets", "workflows"}


def test_csv_names_the_line_to_look_at_within_a_resource() -> None:
    run = failing_run()
    (one,) = (one for one in run.findings if one.weakness == "public-storage")
    line = one.witnesses[0].location.region.start_line
    whole = msgspec.structs.replace(one.location, region=Region(start_line=1, end_line=line + 50))
    wide = msgspec.structs.replace(one, location=whole)
    run = msgspec.structs.replace(run, findings=tuple(wide if each is one else each for each in run.findings))
    (row,) = (row for row in csv.DictReader(io.StringIO(text("csv", run))) if row["fingerprint"] == one.fingerprint)
    assert (row["line"], line > 1) == (str(line), True)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", " =", "|", "%"])
def test_no_cell_is_a_formula(start: str) -> None:
    """Threat rule 12."""
    rows = list(csv.reader(io.StringIO(text("csv", hostile_run(f"{start}cmd|' /C calc'!A0")), newline="")))
    cells = [cell for row in rows for cell in row]
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@", "|", "%")) for cell in cells)
    assert any("calc" in cell for cell in cells)


# ----------------------------------------------------------------------------------------------------------- markdown


def test_a_public_comment_names_what_the_change_brings_and_counts_the_rest() -> None:
    """Threat rule 12: older findings are counts, with neither place nor title."""
    run = failing_run()
    findings = tuple(
        msgspec.structs.replace(one, state=State.UNCHANGED) if one.title.startswith("AWS") else one
        for one in run.findings
    )
    said = text("markdown", msgspec.structs.replace(run, findings=findings))
    assert "requests 2.19.0" in said
    assert "AWS" not in said
    assert "settings" not in said
    assert "Older findings: 1 critical" in said
    assert "AWS" in text("markdown-all", run)


@pytest.mark.parametrize("visibility", ["unknown", "public", "internal", "private"])
def test_threat_12_a_comment_names_older_findings_where_only_owners_read(visibility: Visibility) -> None:
    run = failing_run()
    older = tuple(msgspec.structs.replace(one, state=State.UNCHANGED) for one in run.findings)
    target = msgspec.structs.replace(run.target, visibility=visibility)
    document = msgspec.structs.replace(run, findings=older, target=target)
    assert text("comment", document) == text("markdown-all" if visibility == "private" else "markdown", document)


@pytest.mark.parametrize("visibility", ["unknown", "public", "internal", "private"])
def test_threat_12_a_log_names_older_findings_where_only_owners_read(visibility: Visibility) -> None:
    run = failing_run()
    older = tuple(
        one if one.title.startswith("requests") else msgspec.structs.replace(one, state=State.UNCHANGED)
        for one in run.findings
    )
    target = msgspec.structs.replace(run.target, visibility=visibility)
    document = msgspec.structs.replace(run, findings=older, target=target)
    said, whole = text("log", document), text("text", document)
    assert (said == whole) is (visibility == "private")
    assert "requests 2.19.0: credentials" in said
    assert "shop/settings.py:7" in whole
    if visibility != "private":
        hidden = [one.location.path for one in older if one.state is State.UNCHANGED]
        assert [path for path in hidden if f"{path}:" in said] == []
        assert "Older, not named in a log that others may read (1 critical, " in said
        assert "4 of them blocking" in said
        assert "Shortest way to green" not in said


def test_without_a_change_nothing_is_named() -> None:
    run = failing_run()
    protected = msgspec.structs.replace(run, target=msgspec.structs.replace(run.target, changed=None))
    said = text("markdown", protected)
    assert "MD5" not in said
    assert "invoices" not in said
    assert "Findings, counted and not named here: 2 critical, 4 high, 1 medium, 1 info" in said


@pytest.mark.parametrize(
    "evil",
    [
        "@everyone",
        "[a](http://x)",
        "<img src=x>",
        "`a`",
        "| a |",
        "# a",
        ":tada:",
        "\\[",
        "www.x.y",
        "$x$",
        "http://x",
    ],
)
def test_markdown_is_text_and_nothing_else(evil: str) -> None:
    said = text("markdown-all", hostile_run(evil))
    ours = re.sub(r"</?(details|summary|sub)>|<!-- secgate -->", "", said)
    assert evil not in said
    assert "<" not in ours
    assert "@" not in ours
    assert "`" not in ours
    assert "[" not in ours


@pytest.mark.parametrize("evil", ["- a", "1. a", "  # a", "=== a"])
def test_no_line_begins_a_list_or_a_heading_of_theirs(evil: str) -> None:
    said = text("markdown-all", hostile_run(evil)).splitlines()
    assert not any(line.removeprefix("- ").startswith(evil) for line in said)
    assert any(evil.lstrip("-=# ") in line for line in said)


def test_a_large_run_fits_into_a_comment() -> None:
    told = rendered("markdown-all", large_run(2_000))
    assert len(told.data.decode()) <= 60_000
    assert told.left_out == ("3,970 findings",)
    long = rendered("markdown-all", hostile_run("<" * 5_000))
    assert len(long.data.decode()) <= 65_536


# ------------------------------------------------------------------------------------------------------------- github


def test_annotations_stand_on_lines_that_the_change_brought_and_the_rest_is_counted() -> None:
    document = failing_run()
    lines = text("github", document).splitlines()
    assert lines[0].startswith("::error title=secgate%3A FAIL::")
    assert not any("settings.py" in line for line in lines)  # its text is in a commit, not in the diff
    assert lines[-1] == "::notice title=secgate::1 finding of this change on no line that it brought; see the summary"
    one = next(one for one in document.findings if one.location.path == "shop/views.py")
    elsewhere = msgspec.structs.replace(document, brought_lines={one.fingerprint: (43, 44)})
    annotations = [line for line in text("github", elsewhere).splitlines() if "file=" in line]
    assert [re.findall(r"file=shop/views.py,line=43,endLine=44,", line) != [] for line in annotations] == [True]
    assert "4 findings of this change on no line" in text("github", elsewhere)
    target = msgspec.structs.replace(document.target, changed=None)
    assert len(text("github", msgspec.structs.replace(document, target=target)).splitlines()) == 1


def test_a_step_shows_ten_of_each_and_hears_of_the_rest() -> None:
    lines = text("github", large_run(40)).splitlines()
    assert sum(line.startswith("::error") for line in lines) == 10
    assert sum(line.startswith("::warning") for line in lines) == 10
    assert lines[-1] == "::notice title=secgate::61 annotations more than a step shows; see the summary"


@pytest.mark.parametrize("evil", ["a\n::set-output name=x::y", "a%0A::stop-commands::x", "a,line=1::b", "\r::debug::x"])
def test_nobody_else_commands_the_runner(evil: str) -> None:
    """Threat rule 12: every line is a command of ours, and nothing in it ends it."""
    lines = text("github", hostile_run(evil)).splitlines()
    assert all(re.match(r"::(error|warning|notice) [^:]*::", line) for line in lines)
    assert not any("%0A" in line.replace("%250A", "") for line in lines)


# ---------------------------------------------------------------------------------------------------------- sonarqube


@pytest.mark.parametrize("make", RUNS)
def test_sonarqube_finds_the_rule_of_every_issue(make: Callable[[], RunDocument]) -> None:
    report = json.loads(text("sonarqube", make()))
    known = {rule["id"] for rule in report["rules"]}
    assert len(known) == len(report["rules"])
    for rule in report["rules"]:
        assert rule["name"]
        assert rule["engineId"] == "secgate"
        assert rule["impacts"][0]["severity"] in ("HIGH", "MEDIUM", "LOW")
    for issue in report["issues"]:
        assert issue["ruleId"] in known
        assert issue.keys() == {"ruleId", "primaryLocation"}
        assert issue["primaryLocation"]["message"]
        assert isinstance(issue["primaryLocation"]["filePath"], str)
        assert issue["primaryLocation"].get("textRange", {"startLine": 1})["startLine"] >= 1


def test_an_observed_fail_is_no_error_of_the_step() -> None:
    observed = decision(Outcome.FAIL, [verdict("sql", Word.DENY)], mode="observe")
    assert text("github", failing_run(decision=observed)).startswith("::notice ")
