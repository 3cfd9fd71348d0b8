"""What a foreign result means by what its run says elsewhere: rules, levels, kinds, addresses, texts, claims."""

from __future__ import annotations

import json
from typing import Any

import pytest

from secgate.errors import UsageError
from secgate.model import Severity
from secgate.sarif import ForeignRun, read
from secgate.sarif.read import MAX_MADE, _Texts
from secgate.sarif.stream import Cursor

CRITICAL = {"id": "R", "properties": {"security-severity": "9.8"}}
GUID = "aaaaaaaa-0000-4000-8000-000000000000"
MILD = {"id": "R", "guid": GUID, "properties": {"security-severity": "2.0"}}


def run_of(result: dict[str, Any], *, rules: list[Any] | None = None, **run: Any) -> ForeignRun:
    """Read one run of one result; `rules` are the driver's."""
    tool = {"driver": {"name": "t", "rules": rules or []}}
    whole = {"results": [{"message": {"text": "m"}, **result}], "tool": tool, **run}
    return read(json.dumps({"runs": [whole], "version": "2.1.0"}).encode(), name="f")[0]


def place(**location: Any) -> dict[str, Any]:
    return {"ruleId": "R", "locations": [{"physicalLocation": {"artifactLocation": location}}]}


def score(result: dict[str, Any], *, driver: list[Any], extensions: list[Any]) -> float | None:
    tool = {
        "driver": {"name": "t", "rules": driver},
        "extensions": [{"name": f"x{at}", "guid": f"G{at}", "rules": rules} for at, rules in enumerate(extensions)],
    }
    return run_of(result, tool=tool).results[0].score


@pytest.mark.parametrize(
    "result",
    [
        {"rule": {"index": 0, "toolComponent": {"index": 1}}},
        {"ruleId": "R", "rule": {"toolComponent": {"index": 1}}},
        {"ruleId": "R", "rule": {"toolComponent": {"name": "x1"}}},
        {"ruleId": "R/deep/er", "rule": {"toolComponent": {"guid": "g1"}}},
        {"ruleId": "R", "ruleIndex": 0, "rule": {"toolComponent": {"index": 1}}},
    ],
)
def test_a_rule_of_an_extension_is_found(result: dict[str, Any]) -> None:
    assert score(result, driver=[MILD], extensions=[[], [CRITICAL]]) == 9.8


def test_a_rule_is_found_by_id_alone_wherever_it_is() -> None:
    assert score({"ruleId": "R"}, driver=[], extensions=[[], [CRITICAL]]) == 9.8


def test_a_rule_is_found_by_guid() -> None:
    assert run_of({"rule": {"guid": GUID.upper()}}, rules=[MILD]).results[0].rule == "R"


def test_an_index_that_points_at_another_rule_gives_way_to_the_id() -> None:
    other = {"id": "other", "properties": {"security-severity": "0.1"}}
    assert score({"ruleId": "R", "ruleIndex": 0}, driver=[other, CRITICAL], extensions=[]) == 9.8


def override(level: str, **descriptor: Any) -> dict[str, Any]:
    return {
        "executionSuccessful": True,
        "ruleConfigurationOverrides": [{"descriptor": descriptor, "configuration": {"level": level}}],
    }


NOTE, ERROR = override("note", id="R"), override("error", index=0)
SET = {"id": "R", "defaultConfiguration": {"level": "warning"}}


@pytest.mark.parametrize(
    ("result", "invocations", "basis"),
    [
        ({"level": "note"}, [ERROR], "level note"),
        ({"kind": "review"}, [ERROR], "level none"),
        ({"kind": "open", "level": "error"}, [], "level error"),
        ({"provenance": {"invocationIndex": 0}}, [NOTE, ERROR], "level note"),
        ({"provenance": {"invocationIndex": 1}}, [NOTE, ERROR], "level error"),
        ({"provenance": {"invocationIndex": -1}}, [NOTE], "level warning"),
        ({"provenance": {"invocationIndex": 7}}, [NOTE], "level warning"),
        ({}, [NOTE], "level warning"),
        ({}, [NOTE, ERROR], "level error"),
        ({}, [override("error", id="other")], "level warning"),
        ({}, [], "level warning"),
    ],
)
def test_an_absent_level_is_resolved(result: dict[str, Any], invocations: list[Any], basis: str) -> None:
    found = run_of({"ruleId": "R", **result}, rules=[SET], invocations=invocations).results[0]
    assert found.severity_basis == basis


def test_a_level_of_a_rule_that_nobody_describes_is_set_by_its_name() -> None:
    assert run_of({"ruleId": "R"}, invocations=[ERROR | override("error", id="R")]).results[0].severity is Severity.HIGH


@pytest.mark.parametrize(
    ("kind", "level", "counts"),
    [
        ("fail", None, (1, 0, 0)),
        ("review", None, (1, 1, 0)),
        ("open", "none", (1, 1, 0)),
        ("pass", None, (0, 0, 1)),
        ("notApplicable", "none", (0, 0, 1)),
        ("informational", "none", (0, 0, 1)),
        ("pass", "error", (1, 0, 0)),
    ],
)
def test_kinds(kind: str, level: str | None, counts: tuple[int, int, int]) -> None:
    run = run_of({"ruleId": "R", "kind": kind, "level": level})
    assert (len(run.results), run.undecided, run.informational) == counts


BASES = {
    "ROOT": {"uri": "file:///build/repo/"},
    "SRC": {"uri": "src", "uriBaseId": "ROOT"},
    "GEN": {"uri": "gen/", "uriBaseId": "SRC"},
    "OPEN": {"description": {"text": "not said"}},
    "RELATIVE": {"uri": "lib/"},
    "A": {"uri": "a/", "uriBaseId": "B"},
    "B": {"uri": "b/", "uriBaseId": "A"},
    "%SRCROOT%": {"uri": "file:///build/repo"},
}


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ({"uri": "x.py", "uriBaseId": "ROOT"}, "x.py"),
        ({"uri": "x.py", "uriBaseId": "SRC"}, "src/x.py"),
        ({"uri": "x.py", "uriBaseId": "GEN"}, "src/gen/x.py"),
        ({"uri": "../x.py", "uriBaseId": "SRC"}, "x.py"),
        ({"uri": "../../../x.py", "uriBaseId": "GEN"}, ""),
        ({"uri": "x.py", "uriBaseId": "OPEN"}, "x.py"),
        ({"uri": "x.py", "uriBaseId": "NOWHERE"}, "x.py"),
        ({"uri": "x.py", "uriBaseId": "RELATIVE"}, "lib/x.py"),
        ({"uri": "x.py", "uriBaseId": "A"}, "b/a/x.py"),
        ({"uri": "file:///build/repo/src/x%20y.py"}, "src/x y.py"),
        ({"uri": "file:///build/repository/x.py"}, "/build/repository/x.py"),
        ({"uri": "x.py", "uriBaseId": 3 * "deep/" * 1000}, "x.py"),
        ({"uri": "d/" * 3000 + "x.py"}, ""),
        ({"uri": "file://elsewhere.example/build/repo/x.py"}, ""),
        ({"uri": "file://localhost/build/repo/x.py"}, "/build/repo/x.py"),
        ({"uri": ".\\src\\x.py"}, "src/x.py"),
        ({"uri": "src/a\\b.py"}, "src/a\\b.py"),
        ({"uri": "C:\\src\\x.py"}, ""),
        ({"uri": "https://shop.example/x.py"}, ""),
    ],
)
def test_an_address_below_bases(location: dict[str, Any], path: str) -> None:
    assert run_of(place(**location), originalUriBaseIds=BASES).results[0].path == path


@pytest.mark.parametrize(
    ("location", "address"),
    [
        ({"uri": "https://shop.example/?q=1"}, "https://shop.example/?q=1"),
        ({"uri": "../x.py"}, "../x.py"),
        ({"uri": "../../../x.py", "uriBaseId": "GEN"}, "file:///build/repo/src/gen/../../../x.py"),
        ({"uri": "x.py"}, ""),
    ],
)
def test_what_is_in_no_file_of_a_tree_is_known_by_its_address(location: dict[str, Any], address: str) -> None:
    assert run_of(place(**location), originalUriBaseIds=BASES).results[0].resource == address


@pytest.mark.parametrize(
    ("region", "ends"),
    [
        ({"startLine": 5, "endLine": 2, "endColumn": 4}, (5, 0)),
        ({"startLine": 5, "startColumn": 9, "endColumn": 3}, (5, 0)),
        ({"startLine": 5, "startColumn": -9, "endLine": -1, "endColumn": 3}, (5, 3)),
        ({"startLine": 5, "startColumn": 9, "endLine": 6, "endColumn": 3}, (6, 3)),
    ],
)
def test_no_region_ends_before_it_begins(region: dict[str, int], ends: tuple[int, int]) -> None:
    result = place(uri="x.py")
    result["locations"][0]["physicalLocation"]["region"] = region
    found = run_of(result).results[0].region
    assert (found.end_line, found.end_column) == ends


def test_version_control_says_what_the_root_is() -> None:
    bases = {"TOP": {"uri": "file:///w/"}, "REPO": {"uri": "checkout/", "uriBaseId": "TOP"}}
    mapped = [{"repositoryUri": "https://example.org/r", "mappedTo": {"uriBaseId": "REPO"}}]
    result = place(uri="checkout/src/x.py", uriBaseId="TOP")
    assert run_of(result, originalUriBaseIds=bases, versionControlProvenance=mapped).results[0].path == "src/x.py"


ARTIFACTS = [
    {"location": {"uri": "app.zip"}},
    {"location": {"uri": "/docs/a.txt"}, "parentIndex": 0},
    {"location": {"uri": "b.txt"}, "contents": {"text": "one\r\ntwo\nthree\n"}},
    {"location": {"uri": "loop"}, "parentIndex": 3},
]


def test_a_nested_artefact_is_in_its_container() -> None:
    result = place(index=1)
    result["locations"][0]["physicalLocation"]["region"] = {"startLine": 3}
    found = run_of(result, artifacts=ARTIFACTS).results[0]
    assert (found.path, found.resource, found.region.start_line) == ("app.zip", "docs/a.txt", 0)


def test_artefacts_that_contain_themselves_end() -> None:
    assert run_of(place(index=3), artifacts=ARTIFACTS).results[0].path == "loop"


@pytest.mark.parametrize(
    ("region", "lines", "snippet"),
    [
        ({"startLine": 2}, (2, 2), "two"),
        ({"startLine": 1, "endLine": 2}, (1, 2), "one\r\ntwo"),
        ({"charOffset": 5, "charLength": 3}, (2, 2), "two"),
        ({"charOffset": 0, "charLength": 6}, (1, 2), "one\r\ntwo"),
        ({"charOffset": 99}, (0, 0), ""),
        ({"startLine": 9}, (9, 9), ""),
        ({"startLine": 2, "snippet": {"text": "own"}}, (2, 2), "own"),
    ],
)
def test_embedded_text_helps_out(region: dict[str, Any], lines: tuple[int, int], snippet: str) -> None:
    result = place(index=2)
    result["locations"][0]["physicalLocation"]["region"] = region
    found = run_of(result, artifacts=ARTIFACTS).results[0]
    assert ((found.region.start_line, found.region.end_line), found.snippet) == (lines, snippet)


def test_the_first_location_in_a_file_counts_else_what_was_looked_at() -> None:
    nowhere = {"physicalLocation": {"artifactLocation": {"uri": "https://example.org/x"}}}
    result = {"ruleId": "R", "locations": [nowhere, *place(uri="a.py")["locations"]]}
    assert run_of(result).results[0].path == "a.py"
    assert run_of({"ruleId": "R", "analysisTarget": {"uri": "b.py"}}).results[0].path == "b.py"
    logical = {"ruleId": "R", "locations": [{"logicalLocations": [{"fullyQualifiedName": "ns.f"}]}]}
    assert run_of(logical).results[0].resource == "ns.f"


@pytest.mark.parametrize(
    ("taxon", "cwes"),
    [
        ({"id": "79", "toolComponent": {"name": "CWE"}}, (79,)),
        ({"index": 1, "toolComponent": {"name": "CWE", "index": 0}}, (798,)),
        ({"guid": "G", "toolComponent": {"index": 0}}, (798,)),
        ({"id": "CWE-089"}, (89,)),
        ({"id": "22", "toolComponent": {"name": "WASC"}}, ()),
    ],
)
def test_only_weaknesses_are_taken_for_weaknesses(taxon: dict[str, Any], cwes: tuple[int, ...]) -> None:
    cwe = {"name": "CWE", "taxa": [{"id": "1"}, {"id": "798", "guid": "g"}]}
    assert run_of({"ruleId": "R", "taxa": [taxon]}, taxonomies=[cwe]).results[0].cwes == cwes


def test_messages_come_from_rules_and_from_what_components_share() -> None:
    tool = {"driver": {"name": "t", "globalMessageStrings": {"g": {"text": "{{0}} is '{0}'"}}}}
    result = {"ruleId": "R", "message": {"id": "g", "arguments": ["{1}"]}}
    assert run_of(result, tool=tool).results[0].message == "{0} is '{1}'"
    assert run_of({"ruleId": "R", "message": {"text": "f() {{}}"}}).results[0].message == "f() {{}}"


def test_claims_are_kept_as_such_and_bounded() -> None:
    prints = {f"k{at:02}": "v" * 1000 for at in range(40)}
    given = {"ruleId": "R", "baselineState": "absent", "fingerprints": prints, "suppressions": [{"kind": "external"}]}
    run = run_of(given)
    claims = run.results[0].claims
    assert claims is not None
    assert (claims.baseline_state, len(claims.fingerprints), len(claims.fingerprints[0][1])) == ("absent", 32, 500)
    assert (run.baselined, run.suppressed) == (1, 1)


def test_errors_that_a_tool_had_are_counted() -> None:
    errors = [{"level": "error", "message": {"text": "cannot parse"}}, {"message": {"text": "slow"}}]
    invocation = {"executionSuccessful": True, "toolConfigurationNotifications": errors}
    assert run_of({"ruleId": "R"}, invocations=[invocation]).errors == 1


@pytest.mark.parametrize(
    ("where", "change"),
    [
        (
            ".externalPropertyFileReferences.results",
            {"externalPropertyFileReferences": {"results": [{"itemCount": 1}]}},
        ),
        (".columnKind", {"columnKind": "bytes"}),
        (".artifacts[0].location.uri", {"artifacts": [{"location": {"uri": 3}}]}),
        (".invocations[0].executionSuccessful", {"invocations": [{"executionSuccessful": "true"}]}),
        (
            ".tool.extensions[0].rules[0].id",
            {"tool": {"driver": {"name": "t"}, "extensions": [{"rules": [{"id": 1}]}]}},
        ),
        (".tool.driver.name", {"tool": {"driver": {"name": " "}}}),
        (".tool.driver", {"tool": {"driver": {"name": "\ud800"}}}),
        (".tool.driver", {"tool": {"driver": {"name": "t", "globalMessageStrings": {"m": {"text": "\udc00"}}}}}),
        (".originalUriBaseIds", {"originalUriBaseIds": {"S": {"uri": "\ud800/"}}}),
        (".versionControlProvenance", {"versionControlProvenance": [{"revisionId": "\ud800"}]}),
        (".invocations[0]", {"invocations": [{"\ud800": True}]}),
    ],
)
def test_a_wrong_type_in_a_run_is_refused_where_it_is(where: str, change: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        run_of({"ruleId": "R"}, **change)
    assert caught.value.place == f"f: $.runs[0]{where}"


@pytest.mark.parametrize(
    ("where", "change"),
    [
        (".level", {"level": "High"}),
        (".kind", {"kind": "Fail"}),
        (".baselineState", {"baselineState": "old"}),
        (".message.text", {"message": {"text": ["x"]}}),
        (
            ".locations[0].physicalLocation.region.startLine",
            {"locations": [{"physicalLocation": {"region": {"startLine": "3"}}}]},
        ),
        ("", {"message": {"text": "\ud800"}}),
        ("", {"\ud800": "a name that nobody asks for"}),
        ("", {"ruleIndex": 10**30}),
        (".ruleId", {"ruleId": "r" * 5000}),
    ],
)
def test_a_wrong_type_in_a_result_is_refused_where_it_is(where: str, change: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        run_of({"ruleId": "R", **change})
    assert caught.value.place == f"f: $.runs[0].results[0]{where}"


def test_parts_that_a_file_keeps_apart_are_refused() -> None:
    with pytest.raises(UsageError, match="kept apart"):
        read(b'{"version": "2.1.0", "runs": [], "inlineExternalProperties": [{"results": []}]}', name="f")


def test_what_is_made_of_a_file_is_bounded() -> None:
    texts = _Texts(Cursor(b"{}", name="f"))
    texts.made(MAX_MADE, "$.a")
    with pytest.raises(UsageError, match="messages and snippets") as caught:
        texts.made(1, "$.b")
    assert caught.value.place == "f: $.b"


def test_a_chain_of_containers_ends() -> None:
    chain = [{"location": {"uri": f"a{at}"}, "parentIndex": at + 1} for at in range(100)]
    assert run_of(place(index=0), artifacts=chain).results[0].path == "a16"


def _chain(length: int) -> dict[str, Any]:
    """Give bases below each other, the last of which is absolute."""
    bases = {f"B{at}": {"uri": f"d{at}/", "uriBaseId": f"B{at + 1}"} for at in range(length - 1)}
    return {**bases, f"B{length - 1}": {"uri": "file:///w/"}}


CUT = "t: results placed only as far as their bases or containers could be followed: 1"


@pytest.mark.parametrize(
    ("location", "run", "is_said"),
    [
        ({"uri": "x.py", "uriBaseId": "B0"}, {"originalUriBaseIds": _chain(16)}, False),
        ({"uri": "x.py", "uriBaseId": "B0"}, {"originalUriBaseIds": _chain(17)}, True),
        ({"uri": "x.py", "uriBaseId": "A"}, {"originalUriBaseIds": BASES}, True),
        ({"uri": "x.py", "uriBaseId": "NOWHERE"}, {"originalUriBaseIds": BASES}, False),
        ({"uri": "../x.py", "uriBaseId": "A"}, {"originalUriBaseIds": {"A": {"uri": "a", "uriBaseId": "A"}}}, True),
        ({"index": 1}, {"artifacts": ARTIFACTS}, False),
        ({"index": 3}, {"artifacts": ARTIFACTS}, True),
        ({"index": 0}, {"artifacts": [{"location": {"uri": "a"}, "parentIndex": 1}, {"parentIndex": 0}]}, True),
        ({"index": 0}, {"artifacts": [{"location": {"uri": "a"}, "parentIndex": 7}]}, True),
        ({"index": 0}, {"artifacts": [{"location": {"uri": "a"}, "parentIndex": -1}]}, False),
        ({"uri": "file:///w/x.py"}, {"originalUriBaseIds": _chain(17) | {"SRCROOT": {"uriBaseId": "B0"}}}, True),
        ({"uri": "file:///w/x.py"}, {"originalUriBaseIds": {"SRCROOT": {"uri": "file:///w/"}}}, False),
    ],
)
def test_a_place_that_is_not_followed_to_its_end_is_said(
    location: dict[str, Any], run: dict[str, Any], is_said: bool
) -> None:
    assert (CUT in run_of(place(**location), **run).remarks()) is is_said


def test_a_hundred_thousand_bases_cost_no_more_than_a_few_and_one_remark() -> None:
    circle = {f"B{at}": {"uri": "d/", "uriBaseId": f"B{(at + 1) % 100_000}"} for at in range(100_000)}
    results = [place(uri="x.py", uriBaseId=f"B{at}") for at in range(1_000)]
    run = run_of({}, originalUriBaseIds=circle, results=results)
    assert {one.path for one in run.results} == {"d/" * 16 + "x.py"}
    assert [one for one in run.remarks() if "bases" in one] == [CUT.removesuffix("1") + "1000"]


def test_a_rule_is_found_by_a_taxonomys_place_in_its_own_relationships() -> None:
    target = {"index": 0, "toolComponent": {"name": "CWE", "index": 0}}
    rule = {"id": "R", "relationships": [{"target": target, "kinds": ["superset"]}]}
    cwe = {"name": "CWE", "taxa": [{"id": "CWE-79"}]}
    assert run_of({"ruleId": "R"}, rules=[rule], taxonomies=[cwe]).results[0].cwes == (79,)
