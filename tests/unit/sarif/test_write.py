"""SARIF of a stored run: valid under the schema of OASIS, nothing lost, the same bytes every time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from secgate.model import Lane, RunDocument, ScanStatus, Word
from secgate.reporters.sarif import SarifReporter
from secgate.sarif import read, write
from tests.factories import decision, finding, gap, invocation, location, obligation, result, run_document, verdict
from tests.sample_runs import failing_run, hostile_run, inconclusive_run, policy_error_run

TESTS = Path(__file__).parents[2]
RUNS = [failing_run, inconclusive_run, hostile_run, policy_error_run, run_document]


def written(document: RunDocument) -> Any:
    return json.loads(write(document))


def results_of(document: RunDocument) -> list[Any]:
    return [result for run in written(document)["runs"] for result in run["results"]]


def of_one(**changes: Any) -> Any:
    """The one result of a run whose only witness is changed."""
    return results_of(run_document(findings=(finding(witnesses=(result(**changes),)),)))[0]


@pytest.mark.parametrize("make", RUNS, ids=lambda make: make.__name__)
def test_output_is_valid(make: Callable[[], RunDocument]) -> None:
    schema = json.loads((TESTS / "schemas" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    document = json.loads(SarifReporter().render(make(), width=80, colour=True))
    errors = jsonschema_rs.validator_for(schema, validate_formats=True).iter_errors(document)
    assert [(error.message, error.instance_path) for error in errors] == []


def test_golden(golden: Callable[[Path, str], None]) -> None:
    text = msgspec.json.format(SarifReporter().render(failing_run(), width=80, colour=False), indent=2).decode()
    golden(TESTS / "goldens" / "sarif" / "failing_run.sarif", text)


def test_bytes_do_not_depend_on_the_order_of_the_document() -> None:
    document = failing_run()
    turned = msgspec.structs.replace(document, findings=document.findings[::-1], invocations=document.invocations[::-1])
    assert write(turned) == write(document)


def test_every_result_is_in_exactly_one_run() -> None:
    document = failing_run()
    wanted = sorted((f.fingerprint, w.rule) for f in document.findings for w in f.witnesses)
    assert sorted((r["fingerprints"]["secgate/v1"], r["ruleId"]) for r in results_of(document)) == wanted


def test_a_tool_started_twice_has_each_result_once() -> None:
    twice = (invocation(), invocation(lane=Lane.IAC))
    runs = written(run_document(invocations=twice, findings=(finding(),)))["runs"]
    assert [(run["automationDetails"]["id"], len(run["results"])) for run in runs] == [
        ("secgate/iac/semgrep/", 0),
        ("secgate/sast/semgrep/", 1),
    ]


def test_a_result_without_invocation_is_not_lost_and_its_run_not_successful() -> None:
    (run,) = written(run_document(invocations=(), findings=(finding(),)))["runs"]
    assert len(run["results"]) == 1
    assert run["invocations"][0]["executionSuccessful"] is False


def test_what_we_write_we_read_the_same() -> None:
    runs = read(write(failing_run()), name="own")
    found = {(r.rule, r.path, r.region.start_line, r.score, r.cwes) for run in runs for r in run.results}
    witnesses = [w for f in failing_run().findings for w in f.witnesses]
    assert found == {(w.rule, w.location.path, w.location.region.start_line, w.score, w.cwes) for w in witnesses}


@pytest.mark.parametrize(
    ("path", "uri"),
    [("a b/c#d.py", "a%20b/c%23d.py"), ("c:d.py", "c%3Ad.py"), ("é.py", "%C3%A9.py"), ("a\nb", "a%0Ab")],
)
def test_addresses_are_encoded(path: str, uri: str) -> None:
    place = of_one(location=location(path))["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": uri, "uriBaseId": "%SRCROOT%"}


def test_a_message_makes_no_link() -> None:
    message = "see [this](https://example.org) and a[0] (b)"
    assert of_one(message=message)["message"]["text"] == r"see \[this](https://example.org) and a[0] (b)"


@pytest.mark.parametrize(
    ("rule", "name"),
    [("B608", "SqlInjection"), ("sql_injection", "SqlInjection"), ("SqlInjection", "RuleSqlInjection")],
)
def test_a_rule_has_a_name_unlike_its_id(rule: str, name: str) -> None:
    bare = invocation(rules=())
    document = run_document(invocations=(bare,), findings=(finding(witnesses=(result(rule=rule),)),))
    assert written(document)["runs"][0]["tool"]["driver"]["rules"][0]["name"] == name


def test_lines_around_are_given_where_they_hold_the_result() -> None:
    physical = next(r for r in results_of(failing_run()) if r["ruleId"] == "B608")["locations"][0]["physicalLocation"]
    assert (physical["contextRegion"]["startLine"], physical["contextRegion"]["endLine"]) == (39, 43)
    assert physical["contextRegion"]["snippet"]["text"].startswith("def search")


@pytest.mark.parametrize("excerpt", ["", "x", "42\tonly the result", "1\ta\n2\tb", "41\ta\n43\tb"])
def test_lines_that_do_not_hold_the_result_are_not_given(excerpt: str) -> None:
    one = finding()
    (found,) = results_of(run_document(findings=(one,), excerpts={one.fingerprint: excerpt}))
    assert "contextRegion" not in found["locations"][0]["physicalLocation"]


def test_a_tool_that_did_not_end_well_says_so() -> None:
    crashed = invocation(status=ScanStatus.CRASHED, reason="signal 11")
    (run,) = written(run_document(invocations=(crashed,)))["runs"]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert "signal 11" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def test_a_gap_makes_a_run_unsuccessful() -> None:
    document = inconclusive_run()
    lane = msgspec.structs.replace(document.coverage.lanes[0], gaps=(gap(tool="semgrep"),))
    coverage = msgspec.structs.replace(document.coverage, lanes=(lane,))
    (run,) = written(run_document(coverage=coverage))["runs"]
    assert run["invocations"][0]["executionSuccessful"] is False


def test_suppressions_are_claims_until_a_policy_accepts() -> None:
    found = {r["ruleId"]: r.get("suppressions", []) for r in results_of(failing_run())}
    assert [s["status"] for s in found["B311"]] == ["underReview"]
    (waived,) = results_of(
        run_document(findings=(finding(),), decision=decision(verdicts=[verdict(word=Word.WAIVED, reason="until May")]))
    )
    assert waived["suppressions"] == [{"kind": "external", "status": "accepted", "justification": "until May"}]


def test_a_duty_without_end_does_not_raise() -> None:
    one = finding(obligations=(obligation(left_s=10**15, limit_s=1),))
    (found,) = results_of(run_document(findings=(one,)))
    assert found["properties"]["due"].startswith("9999-12-31")


def test_output_is_inert_in_a_log() -> None:
    text = SarifReporter().render(hostile_run(), width=80, colour=False).decode()
    assert "##vso[" not in text
    assert all(character.isprintable() or character == "\n" for character in text)
