"""The object model: what is loaded is dumped again, valid, byte for byte the same the second time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import jsonschema_rs
import pytest
import sarif_om
from hypothesis import given, settings
from hypothesis import strategies as st
from sarif_om import (
    ArtifactLocation,
    Invocation,
    Message,
    PropertyBag,
    ReportingConfiguration,
    ReportingDescriptor,
    Result,
    Run,
    SarifLog,
    Suppression,
    Tool,
    ToolComponent,
)

from secgate.errors import UsageError
from secgate.reporters.sarif import SarifReporter, WholeSarifReporter
from secgate.sarif import dumps, loads, objects, read
from tests.factories import run_document
from tests.sample_runs import failing_run, hostile_run, inconclusive_run, policy_error_run
from tests.schemas.sarif_types import type_map

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "tests" / "schemas" / "sarif-2.1.0.json").read_text())
GOLDENS = ROOT / "tests" / "goldens" / "sarif"
VALID = jsonschema_rs.validator_for(SCHEMA)


def log_of(*results: Any, **driver: Any) -> Any:
    """A log of one run of a tool."""
    tool = Tool(driver=ToolComponent(name="t", **driver))
    return SarifLog(version="2.1.0", runs=[Run(tool=tool, results=list(results))])


def written(log: Any) -> Any:
    """Dump, see that it is valid, and give the JSON."""
    document = json.loads(dumps(log))
    VALID.validate(document)
    return document


def first(log: Any) -> dict[str, Any]:
    """The first result, as it is written."""
    found: dict[str, Any] = written(log)["runs"][0]["results"][0]
    return found


def bare(kind: str, value: Any) -> Any:
    """A JSON value without nulls and the numbers that say that there is none, by the schema alone."""
    known = objects.types()[kind]
    return {
        key: inner if known[key].type not in objects.types() else nested(known[key], inner)
        for key, inner in value.items()
        if known[key].required or (inner is not None and inner != known[key].noop)
    }


def nested(known: objects.PropertyType, value: Any) -> Any:
    """The same for what a property holds."""
    if value is None:
        return None
    if known.many == "list":
        return [bare(known.type, one) for one in value]
    if known.many == "map":
        return {key: bare(known.type, one) for key, one in value.items()}
    return bare(known.type, value)


def test_the_type_map_is_current(golden: Any) -> None:
    golden(ROOT / "secgate" / "sarif" / "types.json", type_map(SCHEMA))


def test_every_class_and_attribute_of_the_model_is_mapped() -> None:
    for kind, known in objects.types().items():
        fields = attrs.fields_dict(getattr(sarif_om, kind[0].upper() + kind[1:]))
        assert {objects._attribute(kind, key) for key in known} == set(fields)


def test_every_valid_shared_file_comes_back(shared_data: Path) -> None:
    seen = 0
    for path in sorted((shared_data / "sarif").rglob("*.sarif")):
        document = parsed(path)
        if not VALID.is_valid(document):
            continue
        once = dumps(loads(path.read_bytes(), name=path.name))
        assert dumps(loads(once)) == once
        assert VALID.is_valid(json.loads(once)), path
        assert json.loads(once) == bare("sarifLog", document), path
        seen += 1
    assert seen > 60


def parsed(path: Path) -> Any:
    """A file's JSON, None for what is none."""
    try:
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except ValueError:
        return None


def test_every_shared_file_is_loaded_or_refused(shared_data: Path) -> None:
    for path in sorted((shared_data / "sarif").rglob("*.sarif")):
        once = dumped(path.read_bytes())
        assert not once or dumps(loads(once)) == once


def dumped(data: bytes) -> bytes:
    """Load and dump a document, "" for one that is refused."""
    try:
        return dumps(loads(data))
    except UsageError:
        return b""


def test_a_level_that_is_set_is_written() -> None:
    strict = ReportingDescriptor(id="R", default_configuration=ReportingConfiguration(level="error"))
    log = log_of(Result(rule_id="R", level="warning", message=Message(text="m")), rules=[strict])
    assert first(log)["level"] == "warning"
    assert read(dumps(log), name="f")[0].results[0].severity_basis == "level warning"


def test_an_absent_level_stays_absent() -> None:
    strict = ReportingDescriptor(id="R", default_configuration=ReportingConfiguration(level="error"))
    data = dumps(log_of(Result(rule_id="R", level=None, message=Message(text="m")), rules=[strict]))
    log: Any = loads(data)
    assert log.runs[0].results[0].level is None
    assert dumps(log) == data
    assert read(data, name="f")[0].results[0].severity_basis == "level error"


def test_what_the_model_calls_state_is_a_status() -> None:
    suppression = Suppression(kind="external", state="accepted", justification="why")
    log = log_of(Result(message=Message(text="m"), suppressions=[suppression]))
    assert first(log)["suppressions"] == [{"kind": "external", "status": "accepted", "justification": "why"}]
    said: Any = loads(dumps(log).replace(b'"status"', b'"state"'))
    assert said.runs[0].results[0].suppressions[0].state == "accepted"
    assert dumps(said) == dumps(log)


def test_only_what_says_something_is_written() -> None:
    found = first(log_of(Result(message=Message(text="m"))))
    assert found == {"kind": "fail", "level": "warning", "message": {"text": "m"}}
    assert written(log_of())["runs"][0]["results"] == []
    assert (
        "results"
        not in written(SarifLog(version="2.1.0", runs=[Run(tool=Tool(driver=ToolComponent(name="t")))]))["runs"][0]
    )


def test_ranks_and_kinds_that_are_set_are_written() -> None:
    found = first(log_of(Result(message=Message(text="m"), rank=90.0, kind="open", level=None)))
    assert (found["rank"], found["kind"]) == (90.0, "open")


@pytest.mark.parametrize("bag", [{"tags": ["a"]}, PropertyBag(tags=["a"])])
def test_property_bags_are_dicts_or_the_models_own(bag: Any) -> None:
    assert first(log_of(Result(message=Message(text="m"), properties=bag)))["properties"] == {"tags": ["a"]}


def test_maps_hold_objects() -> None:
    log = log_of()
    log.runs[0].original_uri_base_ids = {"SRC": ArtifactLocation(uri="file:///a/")}
    data = dumps(log)
    assert b'"originalUriBaseIds":{"SRC":{"uri":"file:///a/"}}' in data
    assert dumps(loads(data)) == data


def test_the_order_of_a_bag_does_not_show() -> None:
    one, other = ({"b": 1, "a": {"d": 1, "c": 2}}, {"a": {"c": 2, "d": 1}, "b": 1})
    logs = [log_of(Result(message=Message(text="m"), properties=bag)) for bag in (one, other)]
    assert dumps(logs[0]) == dumps(logs[1])


def typo() -> Any:
    """A result with an attribute that the model does not have, which it takes in silence."""
    result = Result(message=Message(text="m"))
    result.ruleId = "R"
    return result


@pytest.mark.parametrize(
    ("log", "place", "reason"),
    [
        (log_of(typo()), "$.runs[0].results[0]", "'ruleId'"),
        (log_of(Result(message=None)), "$.runs[0].results[0].message", "required"),
        (log_of(Result(message="m")), "$.runs[0].results[0].message", "not a message"),
        (log_of(Result(message=Message(text=3))), "$.runs[0].results[0].message.text", "type string"),
        (log_of(Result(message=Message(text="m"), rule_index=True)), "$.runs[0].results[0].ruleIndex", "integer"),
        (log_of(Result(message=Message(text="m"), locations="x")), "$.runs[0].results[0].locations", "list"),
        (log_of(Result(message=Message(text="m"), fingerprints=3)), "$.runs[0].results[0].fingerprints", "object"),
        (log_of(Result(message=Message(text="m"), properties={3: 4})), "$.runs[0].results[0].properties", "no text"),
        (log_of(Result(message=Message(text="m"), properties=[1])), "$.runs[0].results[0].properties", "dict"),
        (log_of(Result(message=Message(text="m"), properties={"a": {1}})), "", "set"),
        (log_of(Result(message=Message(text="m"), properties={"a": float("nan")})), "", "float"),
        (log_of(Result(message=Message(text="\ud800"))), "", "surrogates"),
        (SarifLog(version="2.0.0", runs=[]), "$.version", "2.1.0"),
        (Invocation(execution_successful=True), "$", "sarifLog"),
    ],
)
def test_what_would_not_be_sarif_is_not_written(log: Any, place: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        dumps(log)
    assert caught.value.place == ("SARIF: " + place if place else "SARIF")


def in_run(text: str) -> str:
    """A document of one run with one more property."""
    return '{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t"}}, ' + text + "}]}"


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("[]", "$.version", "2.1.0"),
        ('{"version": "2.1.0"}', "$.runs", "required"),
        ('{"version": "2.1.0", "runs": [3]}', "$.runs[0]", "not an object"),
        ('{"version": "2.1.0", "runs": {}}', "$.runs", "not a list"),
        ('{"version": "2.1.0", "runs": [{}]}', "$.runs[0].tool", "required"),
        ('{"version": "2.1.0", "runs": [], "Runs": []}', "$.Runs", "no such property"),
        ('{"version": "2.1.0", "runs": [], "runs": []}', "$", "given twice"),
        (in_run('"language": 3'), "$.runs[0].language", "type string"),
        (in_run('"properties": 3'), "$.runs[0].properties", "not an object"),
        (in_run('"properties": {"a": 1e400}'), "$", "past all use"),
        (in_run('"language": "\\ud800"'), "$", "not Unicode"),
        (in_run('"properties": {"\\uDFFF": 1}'), "$", "not Unicode"),
        ("nonsense", "$", "not JSON"),
        ("[" * 100_000, "$", "nested too deeply"),
    ],
)
def test_what_is_not_sarif_is_not_loaded(text: str, place: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        loads(text.encode(), name="f")
    assert caught.value.place == f"f: {place}"


def test_big_numbers_and_marks_come_back() -> None:
    run = {"tool": {"driver": {"name": "t"}}, "properties": {"n": 10**400, "f": 0.1, "t": "ä\u2028"}, "results": []}
    data = b"\xef\xbb\xbf" + json.dumps({"version": "2.1.0", "runs": [run]}).encode()
    assert json.loads(dumps(loads(data)))["runs"][0] == run


def instance(kind: str, draw: Any, depth: int) -> dict[str, Any]:
    """A random value of a definition, by the type map."""
    chosen = {}
    for key, one in objects.types()[kind].items():
        if one.required or (depth < 4 and draw(st.integers(0, 5 + 2 * depth)) == 0):
            chosen[key] = held(one, draw, depth)
    return chosen


def held(one: objects.PropertyType, draw: Any, depth: int) -> Any:
    """A random value of a property."""
    alone = objects.PropertyType(one.type)
    if one.many == "list":
        return [held(alone, draw, depth) for _ in range(draw(st.integers(0, 1)))]
    if one.many == "map":
        return {key: held(alone, draw, depth) for key in draw(st.sets(st.text(max_size=3), max_size=2))}
    scalars = {"string": st.text(max_size=4), "integer": st.integers(), "boolean": st.booleans()}
    floats = st.floats(allow_nan=False, allow_infinity=False)
    bags = st.dictionaries(st.text(max_size=3), st.none() | st.integers() | floats | st.text(max_size=3), max_size=2)
    plain = {**scalars, "number": floats | st.integers(), "propertyBag": bags}
    return draw(plain[one.type]) if one.type in plain else instance(one.type, draw, depth + 1)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_document_of_the_schemas_types_comes_back(data: Any) -> None:
    document = {**instance("sarifLog", data.draw, 0), "version": "2.1.0"}
    once = dumps(loads(json.dumps(document).encode()))
    assert dumps(loads(once)) == once
    assert json.loads(once) == bare("sarifLog", document)


@pytest.mark.parametrize("make", [failing_run, inconclusive_run, hostile_run, policy_error_run, run_document])
@pytest.mark.parametrize("reporter", [SarifReporter(), WholeSarifReporter()], ids=lambda one: one.name)
def test_what_secgate_writes_comes_back_byte_for_byte(make: Any, reporter: Any) -> None:
    data = reporter.render(make(), width=80, colour=False)
    assert dumps(loads(data)) == data


@pytest.mark.parametrize("path", sorted(GOLDENS.glob("*.sarif")), ids=lambda one: one.name)
def test_what_a_golden_file_says_comes_back(path: Path) -> None:
    document = json.loads(path.read_bytes())
    assert json.loads(dumps(loads(path.read_bytes()))) == document


@pytest.mark.parametrize("kind", ["fail", "open"])
@pytest.mark.parametrize("default", [{"language": "en-US"}, {"newlineSequences": ["\r\n", "\n"]}, {}])
def test_a_default_that_is_said_comes_back(kind: str, default: dict[str, Any]) -> None:
    result = {"kind": kind, "level": "warning", "message": {"text": "m"}}
    run = {**default, "results": [result, {"message": {"text": "m"}}], "tool": {"driver": {"name": "t"}}}
    data = json.dumps({"runs": [run], "version": "2.1.0"}, sort_keys=True, separators=(",", ":")).encode()
    assert dumps(loads(data)) == data + b"\n"


def made(kind: str, draw: Any, depth: int = 0) -> Any:
    """A random object of the model, as a caller makes it: what is not given has the model's own default."""
    known = objects.types()[kind]
    given = {
        objects._attribute(kind, key): made_value(one, draw, depth)
        for key, one in known.items()
        if one.required or (depth < 4 and draw(st.integers(0, 3 + 2 * depth)) == 0)
    }
    return getattr(sarif_om, kind[0].upper() + kind[1:])(**given)


def made_value(one: objects.PropertyType, draw: Any, depth: int) -> Any:
    """A random value of an attribute."""
    if one.type in ("string", "integer", "boolean", "number", "propertyBag"):
        return held(one, draw, depth)
    if one.many == "list":
        return [made(one.type, draw, depth + 1) for _ in range(draw(st.integers(0, 2)))]
    if one.many == "map":
        return {key: made(one.type, draw, depth + 1) for key in draw(st.sets(st.text(max_size=3), max_size=2))}
    return made(one.type, draw, depth + 1)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_object_of_the_model_comes_back_byte_for_byte(data: Any) -> None:
    log = made("sarifLog", data.draw)
    log.version = "2.1.0"
    once = dumps(log)
    assert dumps(loads(once)) == once
