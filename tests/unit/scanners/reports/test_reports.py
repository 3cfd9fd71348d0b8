"""Reports of tools that secgate does not start: their form by their keys, and what each is known to get wrong."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from secgate.errors import UsageError
from secgate.model import Confidence, Lane, RawResult, Region, Severity
from secgate.sarif import ForeignRun
from secgate.scanners.reports import read_report

FIXTURES = Path(__file__).parents[3] / "fixtures"


def run_of(path: str, *, files: tuple[str, ...] = (), name: str = "report.json") -> ForeignRun:
    (run,) = read_report((FIXTURES / path).read_bytes(), name=name, files=files)
    return msgspec.structs.replace(run, results=tuple(_at_home(one) for one in run.results))


def _at_home(one: RawResult) -> RawResult:
    """The recordings were made in a folder called `/repo`."""
    package = one.package
    if package is not None:
        package = msgspec.structs.replace(package, manifest=package.manifest.removeprefix("/repo/"))
    return msgspec.structs.replace(one, path=one.path.removeprefix("/repo/"), package=package)


def results_of(path: str, **more: str) -> tuple[RawResult, ...]:
    return run_of(path, **more).results  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "tool", "version", "count"),
    [
        ("gitleaks/8.30.1/dir.json", "gitleaks", "JSON", 4),
        ("gitleaks/8.30.1/git.json", "gitleaks", "JSON", 4),
        ("gitleaks/8.30.1/git.sarif", "gitleaks", "v8.0.0", 4),
        ("npm-audit/11.19.1/made.json", "npm audit", "JSON", 3),
        ("npm-audit/11.19.1/clean.json", "npm audit", "JSON", 0),
        ("osv-scanner/2.2.4/findings.json", "osv-scanner", "JSON", 5),
        ("osv-scanner/2.2.4/findings.sarif", "osv-scanner", "2.2.4", 5),
        ("osv-scanner/2.2.4/clean.json", "osv-scanner", "JSON", 0),
        ("ruff/0.17.6/findings.sarif", "ruff", "0.17.6", 3),
        ("ruff/0.17.6/clean.sarif", "ruff", "0.17.6", 0),
        ("trivy/0.66.0/made.json", "trivy", "0.66.0 JSON", 6),
        ("trivy/0.66.0/made.sarif", "Trivy", "0.66.0", 4),
        ("trivy/0.66.0/clean.json", "trivy", "JSON", 0),
        ("trivy/0.66.0/image.json", "trivy", "JSON", 1),
    ],
)
def test_form_is_known_by_its_keys_and_said(path: str, tool: str, version: str, count: int) -> None:
    run = run_of(path)
    assert (run.tool, run.version, len(run.results)) == (tool, version, count)
    assert {one.tool for one in run.results} <= {tool.lower().replace(" ", "-")}


@pytest.mark.parametrize(
    ("data", "place", "reason"),
    [
        (b"[]", "$", "an empty list"),
        (b'[{"RuleID": 3}]', "$[0].RuleID", "Expected `str`"),
        (b'{"auditReportVersion": 3, "vulnerabilities": {}}', "$.auditReportVersion", "only 2"),
        (b'{"advisories": {}, "actions": []}', "$", "npm 6"),
        (b'{"error": {"code": "EAUDITNOLOCK"}, "message": "no lock"}', "$", "the audit failed"),
        (b'{"auditReportVersion": 2, "vulnerabilities": {"a": []}}', "$.vulnerabilities[...]", "Expected `object`"),
        (b'{"SchemaVersion": 1, "ArtifactName": "."}', "$.SchemaVersion", "only 2"),
        (b'{"results": [{"packages": []}]}', "$.results[0]", "missing required field `source`"),
        (b'{"results": 3}', "$.results", "Expected `array"),
        (b'{"some": "thing"}', "$.version", "absent"),
        (b'"text"', "$", ""),
        (b"", "$", "not JSON"),
    ],
)
def test_what_is_none_of_them_is_refused_with_its_place(data: bytes, place: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_report(data, name="r.json")
    assert caught.value.place == f"r.json: {place}"
    assert reason in caught.value.what


def test_a_registry_s_error_is_no_report_and_its_words_are_not_quoted() -> None:
    with pytest.raises(UsageError) as caught:
        run_of("npm-audit/11.19.1/registry-error.json")
    assert "status 405" in caught.value.what
    assert "registry.invalid" not in str(caught.value.diagnostics())


@pytest.mark.parametrize("path", ["dir.json", "git.json", "git.sarif"])
def test_gitleaks_names_the_secret_and_no_person(path: str) -> None:
    run = run_of(f"gitleaks/8.30.1/{path}")
    token = next(one for one in run.results if one.path == "a.py" and one.rule == "github-pat")
    assert len(token.secrets[0]) == 40
    assert (token.lane, token.cwes, token.snippet, token.severity) == (Lane.SECRETS, (798,), "", None)
    assert token.region == Region(start_line=1, end_line=1)
    assert "Made Up" not in repr(run)
    assert "made.up@" not in repr(run)
    assert len(token.commit) == (40 if path.startswith("git.") else 0)


def test_gitleaks_redacted_points_at_lines() -> None:
    assert {one.secrets for one in results_of("gitleaks/8.30.1/redacted.json")} == {()}


def test_npm_advisories_are_told_once_with_critical_apart_from_high() -> None:
    found = results_of("npm-audit/11.19.1/made.json")
    assert [(one.package and one.package.name, one.severity, one.score, one.advisory) for one in found] == [
        ("deep-merge-made", Severity.CRITICAL, 9.8, "GHSA-2222-3333-4444"),
        ("deep-merge-made", Severity.MEDIUM, None, "GHSA-5555-6666-7777"),
        ("right-made", Severity.HIGH, 8.1, "GHSA-8888-9999-cccc"),
    ]
    assert found[0].remedy == "Update left-made to 3.0.0, a major version."


@pytest.mark.parametrize(
    ("files", "name", "manifest"),
    [
        ((), "audit.json", "package-lock.json"),
        ((), "web/audit.json", "web/package-lock.json"),
        (("api/package-lock.json", "setup.py"), "audit.json", "api/package-lock.json"),
        (("a/package-lock.json", "b/npm-shrinkwrap.json"), "b/audit.json", "b/npm-shrinkwrap.json"),
        (("a/package-lock.json", "b/package-lock.json"), "audit.json", "package-lock.json"),
    ],
)
def test_npm_report_means_a_lock_file(files: tuple[str, ...], name: str, manifest: str) -> None:
    (path,) = {one.path for one in run_of("npm-audit/11.19.1/made.json", files=files, name=name).results}
    assert path == manifest


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_osv_scanner_gives_package_and_every_name(form: str) -> None:
    found = {one.advisory: one for one in results_of(f"osv-scanner/2.2.4/findings.{form}")}
    one = next(one for one in found.values() if "CVE-2018-18074" in (one.advisory, *one.aliases))
    assert one.package is not None
    assert (one.package.name, one.package.version, one.path) == ("requests", "2.19.0", "requirements.txt")
    assert one.package.ecosystem == "PyPI"
    assert {one.advisory, *one.aliases} == {"CVE-2018-18074", "PYSEC-2018-28", "GHSA-x84v-xcm2-53pg"}
    assert (one.severity, one.lane) == (None, Lane.DEPENDENCIES)


def test_osv_scanner_score_of_a_group() -> None:
    advisory = {"id": "GHSA-a", "aliases": ["CVE-1"], "database_specific": {"severity": "MODERATE"}}
    packages = [
        {"package": {"name": "p", "version": "1", "ecosystem": "npm"}, "vulnerabilities": [advisory], "groups": groups}
        for groups in ([{"ids": ["GHSA-a"], "max_severity": "9.8"}], [{"ids": ["GHSA-a"], "max_severity": ""}], None)
    ]
    report = {"results": [{"source": {"path": "/x/package-lock.json"}, "packages": packages}]}
    (run,) = read_report(json.dumps(report).encode(), name="r")
    assert [(one.score, one.severity) for one in run.results] == [
        (9.8, None),
        (None, Severity.MEDIUM),
        (None, Severity.MEDIUM),
    ]


def test_trivy_json() -> None:
    found = results_of("trivy/0.66.0/made.json")
    told = [
        (one.rule, one.package and one.package.name, one.severity, one.score, one.lane, one.region) for one in found
    ]
    assert told == [
        ("CVE-2099-0001", "one-made", Severity.CRITICAL, 9.8, Lane.DEPENDENCIES, Region(start_line=10, end_line=14)),
        ("CVE-2099-0001", "two-made", Severity.HIGH, None, Lane.DEPENDENCIES, Region(start_line=20, end_line=24)),
        ("CVE-2099-0002", "two-made", None, None, Lane.DEPENDENCIES, Region(start_line=20, end_line=24)),
        ("DS002", None, Severity.HIGH, None, Lane.IAC, Region()),
        ("DS001", None, Severity.MEDIUM, None, Lane.IAC, Region(start_line=1, end_line=1)),
        ("github-pat", None, Severity.CRITICAL, None, Lane.SECRETS, Region(start_line=3, end_line=3)),
    ]
    assert "made-up-neighbour" not in repr(found)
    assert found[0].package is not None
    assert (found[0].package.fixed_versions, found[0].aliases) == (("1.0.1", "2.0.0"), ("GHSA-2222-3333-4444",))


def test_trivy_image_has_no_place_in_a_tree() -> None:
    run = run_of("trivy/0.66.0/image.json")
    assert (run.unplaced, run.results[0].path) == (1, "")


def test_trivy_sarif_gets_its_package_back() -> None:
    one, two, secret, setting = results_of("trivy/0.66.0/made.sarif")
    assert one.package is not None
    assert two.package is not None
    assert (one.package.name, one.package.version, one.package.ecosystem) == ("one-made", "1.0.0", "npm")
    assert (one.severity, one.score, one.region) == (Severity.CRITICAL, 9.8, Region(start_line=10, end_line=14))
    assert (two.package.name, two.severity, two.score, two.region) == ("two-made", Severity.HIGH, None, Region())
    assert (secret.lane, secret.cwes, secret.message) == (
        Lane.SECRETS,
        (798,),
        "GitHub Personal Access Token in the source",
    )
    assert (setting.lane, setting.package, setting.region) == (Lane.IAC, None, Region(start_line=1, end_line=1))


def test_ruff_level_is_no_severity_and_its_columns_are_code_points() -> None:
    found = results_of("ruff/0.17.6/findings.sarif")
    assert {one.rule: one.severity for one in found} == {"S602": Severity.HIGH, "S307": None, "S105": None}
    assert {(one.score, one.column_unit, one.path) for one in found} == {(None, "code-point", "weak.py")}


@pytest.mark.parametrize(
    ("rule", "message", "severity"),
    [
        ("S605", "Starting a process with a shell: seems safe", Severity.LOW),
        ("start-process-with-a-shell", "possible injection", Severity.HIGH),
        ("E501", "Line too long", Severity.INFO),
        ("B006", "mutable default", Severity.INFO),
        ("exec-builtin", "m", None),
    ],
)
def test_ruff_rules_that_are_no_weakness_or_a_constant_command(rule: str, message: str, severity: object) -> None:
    one = sarif_of("ruff", {"ruleId": rule, "level": "error", "message": {"text": message}})
    assert one.severity is severity


@pytest.mark.parametrize(("rule", "certain"), [("github-pat", Confidence.HIGH), ("generic-api-key", Confidence.MEDIUM)])
def test_gitleaks_patterns_that_fit_anything_are_less_sure(rule: str, certain: Confidence) -> None:
    for path in ("dir.json", "git.sarif"):
        assert {one.confidence for one in results_of(f"gitleaks/8.30.1/{path}") if one.rule == rule} == {certain}


def sarif_of(tool: str, result: dict[str, object]) -> RawResult:
    driver = {"name": tool, "rules": [{"id": result["ruleId"], "name": "n", "help": {"text": "of one result"}}]}
    log = {"version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": [result]}]}
    ((run,),) = [read_report(json.dumps(log).encode(), name="r")]
    return run.results[0]


@pytest.mark.parametrize(
    ("tool", "rule", "message", "expected"),
    [
        ("Bandit", "B105", "Possible hardcoded password: 'made-up'", ("bandit", "B105", "utf-8", ("made-up",))),
        ("Semgrep OSS", "a.b", "m", ("semgrep", "a.b", "utf-8", ())),
        ("zizmor", "zizmor/artipacked", "m", ("zizmor", "artipacked", "utf-16", ())),
        ("checkov", "CKV_1", "m", ("checkov", "CKV_1", "utf-16", ())),
        ("Unheard Of", "x", "m", ("Unheard Of", "x", "utf-16", ())),
    ],
)
def test_sarif_of_tools_with_habits(tool: str, rule: str, message: str, expected: tuple[object, ...]) -> None:
    one = sarif_of(tool, {"ruleId": rule, "level": "error", "message": {"text": message}})
    assert (one.tool, one.rule, one.column_unit, one.secrets) == expected
    assert one.severity is (None if tool == "checkov" else Severity.HIGH)


def test_kingfisher_s_snippet_is_the_secret_and_its_columns_count_from_0() -> None:
    region = {"startLine": 3, "startColumn": 14, "endLine": 3, "endColumn": 25, "snippet": {"text": "correcthorse"}}
    place = {"artifactLocation": {"uri": "./Dockerfile"}, "region": region}
    result = {"ruleId": "kingfisher.generic.1", "kind": "review", "level": "error", "message": {"text": "m"}}
    one = sarif_of("kingfisher", result | {"locations": [{"physicalLocation": place}]})
    assert (one.lane, one.cwes, one.severity) == (Lane.SECRETS, (798,), Severity.HIGH)
    assert (one.secrets, one.snippet) == (("correcthorse",), "")
    assert one.region == Region(start_line=3, start_column=15, end_line=3, end_column=27)
