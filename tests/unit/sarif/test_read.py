"""Foreign SARIF: every file of the shared data, each claim that is not trusted, and whatever a fuzzer makes of them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secgate.errors import UsageError
from secgate.model import Confidence, Severity
from secgate.sarif import ForeignRun, read

TABLE = Path(__file__).parents[2] / "goldens" / "sarif" / "shared_files.tsv"
RULE = {
    "id": "R1",
    "shortDescription": {"text": "short"},
    "helpUri": "https://example.org/R1",
    "defaultConfiguration": {"level": "error"},
    "properties": {"tags": ["external/cwe/cwe-089"], "precision": "high"},
    "messageStrings": {"found": {"text": "{0} meets {1}"}},
}
RESULT = {
    "ruleId": "R1",
    "ruleIndex": 0,
    "message": {"text": "bad"},
    "locations": [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "src/a.py", "uriBaseId": "SRC", "index": 0},
                "region": {"startLine": 3, "startColumn": 2, "endLine": 4, "endColumn": 9, "snippet": {"text": "x"}},
            }
        }
    ],
    "suppressions": [{"kind": "inSource", "justification": "nosec", "state": "accepted"}],
    "partialFingerprints": {"a/v1": "1"},
    "taxa": [{"id": "79", "toolComponent": {"name": "CWE"}}],
}
RUN = {
    "tool": {"driver": {"name": "tool", "version": "1.2", "rules": [RULE]}},
    "results": [RESULT],
    "artifacts": [{"location": {"uri": "src/b.py"}}],
    "originalUriBaseIds": {"SRC": {"uri": "file:///build/"}},
    "invocations": [{"executionSuccessful": True}],
    "versionControlProvenance": [{"repositoryUri": "https://example.org/r", "revisionId": "abc"}],
}


def log(**changes: Any) -> bytes:
    """A file of one run, its top-level run properties changed."""
    return json.dumps({"version": "2.1.0", "runs": [{**copy.deepcopy(RUN), **changes}]}).encode()


def one(result: dict[str, Any] | None = None, **run: Any) -> ForeignRun:
    """Read one run with one result, both changed."""
    return read(log(results=[{**copy.deepcopy(RESULT), **(result or {})}], **run), name="f.sarif")[0]


def row_of(path: Path, root: Path) -> str:
    """What reading a file gives, as one row: runs, results, those without a place, those that are no finding."""
    name = path.relative_to(root).as_posix()
    try:
        runs = read(path.read_bytes(), name="F")
    except UsageError as error:
        return f"{name}\trefused\t{error.place}: {error.what}"
    counts = (len(runs), *(sum(counts) for counts in zip(*map(_counts, runs), strict=True))) if runs else (0, 0, 0, 0)
    return f"{name}\tread\t" + " ".join(map(str, counts))


def _counts(run: ForeignRun) -> tuple[int, int, int]:
    return (len(run.results), run.unplaced, run.informational)


def test_every_shared_file_is_read_or_refused_with_its_reason(shared_data: Path, golden: Any) -> None:
    root = shared_data / "sarif"
    rows = [row_of(path, root) for path in sorted(root.rglob("*.sarif"))]
    assert len(rows) > 100
    golden(TABLE, "file\twhat\truns, results, unplaced, informational; or why\n" + "\n".join(rows) + "\n")


def test_no_result_of_a_shared_file_is_lost(shared_data: Path) -> None:
    for path in (shared_data / "sarif").rglob("*.sarif"):
        for data in tried_bytes(path):
            said = [len(run["results"]) for run in json.loads(data.decode("utf-8-sig"))["runs"]]
            assert [len(run.results) + run.informational for run in read(data, name="F")] == said


def tried_bytes(path: Path) -> list[bytes]:
    """The bytes of a file that can be read, none of one that is refused."""
    data = path.read_bytes()
    return [] if tried(data)[1] else [data]


def test_a_result_is_read_whole() -> None:
    found = one().results[0]
    assert (found.rule, found.message, found.path, found.snippet) == ("R1", "bad", "src/a.py", "x")
    assert (found.region.start_line, found.region.end_column, found.column_unit) == (3, 9, "utf-16")
    assert (found.severity, found.severity_basis, found.cwes) == (Severity.HIGH, "level error", (79, 89))
    assert found.confidence is Confidence.HIGH


def test_claims_stay_claims() -> None:
    run = one()
    assert run.claimed_success is True
    assert run.revision == "abc"
    assert [(s.kind, s.status) for s in run.results[0].suppressions] == [("inSource", "accepted")]


@pytest.mark.parametrize(
    ("result", "severity"),
    [
        ({"level": "note"}, Severity.LOW),
        ({"properties": {"security-severity": "9.1"}}, Severity.CRITICAL),
        ({"properties": {"security-severity": "11"}}, Severity.HIGH),
        ({"properties": {"security-severity": "NaN"}}, Severity.HIGH),
    ],
)
def test_severity(result: dict[str, Any], severity: Severity) -> None:
    assert one(result).results[0].severity is severity


@pytest.mark.parametrize("value", ["11", "-1", "NaN", "high", "", True, [9.8], {}])
def test_a_severity_that_cannot_be_read_is_told(value: object) -> None:
    bag = {"security-severity": value}
    rules = [{**RULE, "properties": bag}]
    of_result, of_rule = one({"properties": bag}), one(tool={"driver": {"name": "tool", "rules": rules}})
    assert (of_result.misrated, of_rule.misrated) == (1, 1)
    assert "no number from 0 to 10" in of_rule.remarks()[-1]
    assert one({"properties": {"security-severity": 9.1}}).misrated == one().misrated == 0


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("a%20b/c.py", "a b/c.py"),
        ("./x/../y.py", "y.py"),
        ("../../etc/passwd", ""),
        ("a/%2e%2e/%2e%2e/etc/passwd", ""),
        ("https://example.org/a.py", ""),
        ("//host/share", ""),
        ("what#is.py", "what#is.py"),
        ("a%00b", ""),
        ("http://[::1", ""),
    ],
)
def test_an_address_stays_in_the_tree(uri: str, path: str) -> None:
    place = {"physicalLocation": {"artifactLocation": {"uri": uri}}}
    assert one({"locations": [place]}).results[0].path == path


def test_arguments_fill_a_message_once_and_within_bounds() -> None:
    template = {"id": "found", "arguments": ["{1}", "b"]}
    assert one({"message": template}).results[0].message == "{1} meets b"
    bomb = {"text": "{0}" * 5000, "arguments": ["x" * 100_000]}
    assert len(one({"message": bomb}).results[0].message) == 20_000


@pytest.mark.parametrize("kind", ["pass", "notApplicable", "informational"])
def test_what_is_no_finding_is_counted(kind: str) -> None:
    run = one({"kind": kind})
    assert (len(run.results), run.informational) == (0, 1)


@pytest.mark.parametrize(
    ("data", "place", "reason"),
    [
        (b"not json", "$", "not JSON"),
        (b"", "$", "not JSON"),
        (b"[" * 100_000, "$", "nested too deeply"),
        (b"[]", "$", "not an object"),
        ("{}".encode("utf-16"), "$", "UTF-16"),
        ("{}".encode("utf-16-le"), "$", "UTF-16"),
        ("{}".encode("utf-32"), "$", "UTF-32"),
        (b"\x1f\x8b\x08", "$", "gzip"),
        (b"PK\x03\x04", "$", "zip"),
        (b'{"version": "2.0.0", "runs": []}', "$.version", "'2.0.0'"),
        (b'{"version": "2.1.0-rtm.5", "runs": []}', "$.version", "'2.1.0-rtm.5'"),
        (b'{"version": ["2.1.0"]}', "$.version", "not a string"),
        (b'{"version": "2.1.0"}', "$.runs", "absent"),
        (log(results=None), "$.runs[0].results", "did not scan"),
        (log(results={}), "$.runs[0].results", "not a list"),
        (log(results=[3]), "$.runs[0].results[0]", "Expected `object`"),
        (log(tool={}), "$.runs[0].tool.driver.name", "absent"),
        (log(results=[{"message": {"text": "x"}}]), "$.runs[0].results[0].ruleId", "no rule"),
    ],
)
def test_refusal_names_file_path_and_reason(data: bytes, place: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(data, name="f.sarif")
    assert caught.value.place == f"f.sarif: {place}"
    assert reason in caught.value.what


def test_an_integer_may_be_written_as_a_number_with_a_point() -> None:
    (run,) = read(log().replace(b'"startLine": 3', b'"startLine": 3.0'), name="f")
    assert run.results[0].region.start_line == 3
    with pytest.raises(UsageError, match="got `float`"):
        read(log().replace(b'"startLine": 3', b'"startLine": 3.5'), name="f")


def test_a_byte_order_mark_is_no_fault() -> None:
    assert len(read(b"\xef\xbb\xbf" + log(), name="f")[0].results) == 1


def tried(data: bytes) -> tuple[tuple[ForeignRun, ...], UsageError | None]:
    """Read, or give the refusal; any other error ends the test."""
    try:
        return read(data, name="f"), None
    except UsageError as error:
        return (), error


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from((10**400, "\ud800")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value, as keys from its top."""
    keys = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(found for key, inner in keys for found in places(inner, (*at, key)))]


WHOLE = {"version": "2.1.0", "runs": [RUN]}
PLACES = [place for place in places(WHOLE) if place]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), JSON), min_size=1, max_size=3))
def test_no_structure_raises_anything_but_a_usage_error(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    whole: Any = copy.deepcopy(WHOLE)
    for place, value in changes:
        holder = whole
        try:
            for key in place[:-1]:
                holder = holder[key]
            holder[place[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took this place away
    runs, refused = tried(json.dumps(whole).encode())
    assert refused is None or refused.place.startswith("f: $")
    assert all(not result.path.startswith("../") for run in runs for result in run.results)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(0, len(log())))
def test_no_bytes_raise_anything_but_a_usage_error(noise: bytes, cut: int) -> None:
    for data in (noise, log()[:cut] + noise):
        refused = tried(data)[1]
        assert refused is None or refused.exit_code == 2
