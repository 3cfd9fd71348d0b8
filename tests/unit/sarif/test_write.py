"""SARIF of a stored run: valid under the schema of OASIS, nothing lost, the same bytes every time."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from secgate.cli.options import write_output
from secgate.masking import MASK
from secgate.model import (
    Coverage,
    Edit,
    Fix,
    Lane,
    Location,
    Region,
    RunDocument,
    ScanStatus,
    Severity,
    Source,
    Suppression,
    WaiverAccount,
    Word,
)
from secgate.reporters.sarif import SarifReporter
from secgate.sarif import read, write
from secgate.sarif.objects import dumps, loads
from secgate.show import show
from tests.factories import (
    NOW,
    decision,
    finding,
    gap,
    invocation,
    location,
    obligation,
    result,
    run_document,
    target,
    verdict,
)
from tests.sample_runs import failing_run, hostile_run, inconclusive_run, policy_error_run, unnamed_run

TESTS = Path(__file__).parents[2]
RUNS = [failing_run, inconclusive_run, hostile_run, policy_error_run, run_document, unnamed_run]


def written(document: RunDocument) -> Any:
    return json.loads(write(document).data)


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


def test_a_tool_started_twice_in_a_lane_has_one_run_with_both_invocations() -> None:
    twice = (invocation(), invocation(status=ScanStatus.CRASHED, started_epoch_s=NOW))
    (run,) = written(run_document(invocations=twice, findings=(finding(),)))["runs"]
    assert [one["executionSuccessful"] for one in run["invocations"]] == [True, False]
    assert len(run["results"]) == 1


def test_what_we_write_we_read_the_same() -> None:
    runs = read(write(failing_run()).data, name="own")
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


def test_a_fix_speaks_of_the_file_of_its_result_and_names_its_bytes() -> None:
    edits = (
        Edit(region=Region(start_line=1, start_column=2, end_line=1, end_column=2), text="x"),
        Edit(region=Region(start_line=2, start_column=1, end_line=3, end_column=4), text=""),
    )
    (fix,) = of_one(location=location("a b.py"), fixes=(Fix(title="Do it.", edits=edits, digest="a" * 64),))["fixes"]
    (change,) = fix["artifactChanges"]
    assert (fix["description"], fix["properties"]) == ({"text": "Do it."}, {"sha256": "a" * 64})
    assert change["artifactLocation"] == {"uri": "a%20b.py", "uriBaseId": "%SRCROOT%"}
    assert change["replacements"] == [
        {
            "deletedRegion": {"startLine": 1, "startColumn": 2, "endLine": 1, "endColumn": 2},
            "insertedContent": {"text": "x"},
        },
        {"deletedRegion": {"startLine": 2, "startColumn": 1, "endLine": 3, "endColumn": 4}},
    ]


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


@pytest.mark.parametrize(("tool", "path"), [("", ""), ("ghost", "a.py")])
def test_a_gap_of_no_tool_that_ran_is_said_by_the_gate(tool: str, path: str) -> None:
    lane = msgspec.structs.replace(inconclusive_run().coverage.lanes[0], gaps=(gap(tool=tool, path=path),))
    runs = written(run_document(coverage=Coverage(lanes=(lane,))))["runs"]
    (own,) = [run for run in runs if run["automationDetails"]["id"] == "secgate/gate/secgate/"]
    (told,) = own["invocations"]
    assert told["executionSuccessful"] is False
    assert told["toolExecutionNotifications"][0]["descriptor"]["id"] == "secgate/parse-error"


@pytest.mark.parametrize("make", RUNS, ids=lambda make: make.__name__)
def test_every_gap_is_a_notification(make: Callable[[], RunDocument]) -> None:
    document = make()
    gaps = sum(len(lane.gaps) for lane in document.coverage.lanes)
    told = [n for run in written(document)["runs"] for n in run["invocations"][0]["toolExecutionNotifications"]]
    covered = [n for n in told if n["message"]["text"].startswith("not covered")]
    assert len(covered) == gaps


def test_a_run_without_any_tool_has_the_gates_own() -> None:
    (run,) = written(run_document(invocations=()))["runs"]
    assert (run["tool"]["driver"]["name"], run["results"]) == ("secgate", [])


def test_a_gate_that_could_not_decide_says_so() -> None:
    own = written(policy_error_run())["runs"][-1]["invocations"][0]
    assert (own["executionSuccessful"], own["toolExecutionNotifications"][0]["level"]) == (False, "error")


def test_a_rule_is_as_severe_as_its_worst_result_and_has_all_their_cwes() -> None:
    mild = result(score=3.0, severity=Severity.LOW, cwes=(20,))
    document = run_document(findings=(finding("a", witnesses=(mild,)), finding("b")))
    (rule,) = written(document)["runs"][0]["tool"]["driver"]["rules"]
    assert (rule["properties"]["security-severity"], rule["defaultConfiguration"]["level"]) == ("8.8", "error")
    assert [one["target"]["id"] for one in rule["relationships"]] == ["CWE-20", "CWE-89"]


def test_cwes_are_taxa_that_rules_refer_to() -> None:
    for run in written(failing_run())["runs"]:
        taxa = {one["id"] for taxonomy in run.get("taxonomies", []) for one in taxonomy["taxa"]}
        rules = run["tool"]["driver"]["rules"]
        assert {r["target"]["id"] for rule in rules for r in rule.get("relationships", [])} == taxa


def test_help_is_in_our_words_first() -> None:
    sarif = json.loads(SarifReporter().render(run_document(findings=(finding(),)), width=80, colour=False))
    (rule,) = sarif["runs"][0]["tool"]["driver"]["rules"]
    ours = "SQL injection. What to do: Keep the statement constant and bind the values. CWE-89."
    assert rule["help"]["text"] == f"{ours} {invocation().rules[0].full}"
    assert "What to do: Keep the statement constant and bind the values." in rule["help"]["markdown"]


@pytest.mark.parametrize("make", RUNS, ids=lambda make: make.__name__)
def test_every_rule_has_help(make: Callable[[], RunDocument]) -> None:
    rules = [rule for run in written(make())["runs"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rule["help"]["text"] and rule["help"]["markdown"] for rule in rules)


def test_a_rules_help_holds_nothing_of_one_result() -> None:
    sarif = SarifReporter().render(
        run_document(findings=(finding(title="MINE", remedy="MINE"),)), width=80, colour=False
    )
    assert b"MINE" not in sarif


def test_the_hash_of_a_line_is_given_where_it_is_known() -> None:
    one = finding(witnesses=(result(), result("bandit", location=location(line=43))))
    hashes = {location().path: {"42": "a1:1"}}
    found = results_of(run_document(findings=(one,), line_hashes=hashes))
    assert [r.get("partialFingerprints") for r in found] == [None, {"primaryLocationLineHash": "a1:1"}]


def test_a_text_in_an_earlier_commit_has_no_hash_of_a_line() -> None:
    one = finding(witnesses=(result(location=location(commit="abc")),))
    (found,) = results_of(run_document(findings=(one,), line_hashes={location().path: {"42": "a1:1"}}))
    assert "partialFingerprints" not in found


@pytest.mark.parametrize("changes", [{"dirty": True}, {"source": Source.INDEX}])
def test_what_is_not_the_commit_does_not_name_it(changes: dict[str, Any]) -> None:
    (run,) = written(run_document(target=target(**changes)))["runs"]
    assert "revisionId" not in run["versionControlProvenance"][0]


def test_a_result_without_a_place_has_an_address_and_says_that_its_line_is_none() -> None:
    physical = of_one(location=Location(path=""))["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "."
    assert physical["region"] == {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1}
    assert physical["properties"]["regionIs"].startswith("a placeholder")


def test_keys_are_sorted_at_every_depth() -> None:
    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        assert [key for key, _ in found] == sorted(key for key, _ in found)
        return dict(found)

    waived = decision(verdicts=[verdict(word=Word.WAIVED)])
    one = finding(
        obligations=(obligation(left_s=5),),
        witnesses=(result(advisory="CVE-1", resource="r"), *failing_run().findings[5].witnesses),
    )
    full = run_document(findings=(one,), decision=waived, line_hashes={location().path: {"42": "a:1"}})
    for document in (failing_run(), full):
        json.loads(write(document).data, object_pairs_hook=pairs)


def test_the_guid_is_the_standards() -> None:
    namespace = uuid.UUID("7f0c3f0e-3d0b-5c52-9a55-0d3a6a0f6d0e")
    assert of_one()["correlationGuid"] == str(uuid.uuid5(namespace, finding().fingerprint))


def test_the_token_of_redaction_is_the_one_that_masks() -> None:
    assert written(failing_run())["runs"][0]["redactionTokens"] == [MASK]


def test_a_file_that_is_cut_is_said_to_the_person(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "out.sarif"
    rendered = show(
        run_document(findings=(finding(witnesses=(result(message="x" * 2000),)),)),
        SarifReporter(),
        width=80,
        colour=False,
    )
    write_output(rendered, str(file))
    assert "1 texts are cut" in capsys.readouterr().err
    assert file.read_bytes() == rendered.data


def test_suppressions_are_claims_until_a_policy_accepts() -> None:
    found = {r["ruleId"]: r.get("suppressions", []) for r in results_of(failing_run())}
    assert [s["status"] for s in found["B311"]] == ["underReview"]
    (waived,) = results_of(
        run_document(findings=(finding(),), decision=decision(verdicts=[verdict(word=Word.WAIVED, reason="until May")]))
    )
    assert waived["suppressions"] == [{"kind": "external", "status": "accepted", "justification": "until May"}]


def test_two_claims_in_the_same_words_are_one() -> None:
    texts = ("", "", "nosec", "nosec", "a" * 1000 + "b", "a" * 1000 + "c")
    claims = tuple(Suppression(kind="external", text=text) for text in texts)
    (found,) = results_of(run_document(findings=(finding(witnesses=(result(suppressions=claims),)),)))
    assert [len(one.get("justification", "")) for one in found["suppressions"]] == [0, 5, 1000]


@pytest.mark.parametrize(
    ("address", "written_as"),
    [
        ("https://x.example/?token=[secret]", "https://x.example/?token=%5Bsecret%5D"),
        ("https://x.example/a b#c#d", "https://x.example/a%20b#c%23d"),
        ("https://x.example/100%/%41", "https://x.example/100%25/%41"),
        ("http://x:8/\u00e9?a=1&b#c", "http://x:8/%C3%A9?a=1&b#c"),
        ("https://x.example", "https://x.example"),
        ("https://u:[secret]@x/", ""),
        ("https://[x/", ""),
        ("https://x:99999999/", ""),
        ("javascript:alert(1)", ""),
    ],
)
def test_a_rule_s_page_is_an_address_or_none(address: str, written_as: str) -> None:
    document = run_document(findings=(finding(witnesses=(result(rule="other", help_uri=address, cwes=()),)),))
    (rule,) = (rule for run in written(document)["runs"] for rule in run["tool"]["driver"]["rules"])
    assert rule.get("helpUri", "") == written_as


@pytest.mark.parametrize("state", ["active", "requested", "void", "expired", ""])
@pytest.mark.parametrize("word", [Word.WAIVED, Word.EXEMPT, Word.DENY])
@pytest.mark.parametrize("in_source", [False, True])
def test_claims_are_on_all_results_of_a_run_or_on_none(state: str, word: Word, in_source: bool) -> None:
    """SARIF 2.1.0, 3.27.23: all null or all non-null, so that a reader knows whether anybody looked."""
    claims = (Suppression(kind="inSource", text="nosec"),) if in_source else ()
    claimed = finding("a", witnesses=(result("semgrep", suppressions=claims),))
    plain = [finding(name, witnesses=(result(tool),)) for name, tool in (("b", "semgrep"), ("c", "bandit"))]
    one = {"id": "a" * 64, "kind": "accept", "state": state, "fingerprint": claimed.fingerprint}
    document = run_document(
        findings=(claimed, *plain),
        decision=decision(verdicts=[verdict("a", word=word)]),
        waivers=(msgspec.convert(one, WaiverAccount),) if state else (),
    )
    data = SarifReporter().render(document, width=80, colour=False)
    of_runs = [[r.get("suppressions") for r in run["results"]] for run in json.loads(data)["runs"]]
    assert all(len({claims is None for claims in of_run}) <= 1 for of_run in of_runs)
    assert any(claims for of_run in of_runs for claims in of_run) is any([] in of_run for of_run in of_runs)
    said = word is not Word.DENY or in_source or state in ("requested", "void", "expired")
    assert any([] in of_run for of_run in of_runs) is said
    assert sum(None in of_run for of_run in of_runs) >= 1
    assert dumps(loads(data)) == data


def test_a_duty_without_end_does_not_raise() -> None:
    one = finding(obligations=(obligation(left_s=10**15, limit_s=1),))
    (found,) = results_of(run_document(findings=(one,)))
    assert found["properties"]["due"].startswith("9999-12-31")


def test_output_is_inert_in_a_log() -> None:
    text = SarifReporter().render(hostile_run(), width=80, colour=False).decode()
    assert "##vso[" not in text
    assert all(character.isprintable() or character == "\n" for character in text)
