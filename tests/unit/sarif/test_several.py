"""Elements read many at a time: the same values, and the same refusals, as read one by one."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secgate.errors import UsageError
from secgate.sarif import read
from secgate.sarif.parts import ResultPart
from secgate.sarif.several import Several
from secgate.sarif.stream import Cursor

TEXTS = st.text(max_size=4) | st.sampled_from(['"', "\\", '\\"', '}, {"ruleId"', "[", '"},{"', "\u2028", "🔑", "\0"])
VALUES = st.recursive(
    st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["ruleId", "a", "b"]), inner),
    max_leaves=6,
)
RESULTS = st.fixed_dictionaries(
    {"ruleId": TEXTS},
    optional={
        "message": st.fixed_dictionaries({"text": TEXTS}),
        "locations": st.lists(st.fixed_dictionaries({"ruleId": TEXTS, "logicalLocations": st.none()}), max_size=3),
        "ruleIndex": st.integers() | st.just(3.0),
        "other": VALUES,
    },
)
NOISE = [
    '"a": 1, "a": 2, ',
    '"a": {"b": 1, "\\u0062": 2}, ',
    '"a": NaN, ',
    '"a": 1e999, ',
    '"a": "\\ud800", ',
    '"rank": 2.0, ',
    "]",
]


def read_list(data: bytes, *, quickly: bool) -> tuple[list[ResultPart] | str, int]:
    """Give the parts of a list, or why there are none, and how many were read alone."""
    cursor, many = Cursor(data, name="f"), Several(ResultPart)
    found: list[ResultPart] = []
    alone = 0
    try:
        for at, some in cursor.several("$", many.read if quickly else None, most=1000):
            alone += not some
            found += some or [msgspec.convert(cursor.value(f"$[{at}]"), ResultPart)]
        cursor.end()
    except (UsageError, msgspec.ValidationError, UnicodeEncodeError) as error:
        return str(error), alone
    return found, alone


@settings(max_examples=200, deadline=None)
@given(
    st.lists(RESULTS, min_size=3, max_size=12),
    st.sampled_from([None, 1]),
    st.booleans(),
    st.sampled_from(["", *NOISE]),
    st.integers(0, 11),
)
def test_many_at_a_time_are_what_they_are_alone(
    results: list[Any], indent: int | None, ascii_only: bool, noise: str, at: int
) -> None:
    texts = [json.dumps(one, indent=indent, ensure_ascii=ascii_only) for one in results]
    at = min(at, len(texts) - 1)
    texts[at] = "{" + noise + texts[at][1:]
    data = f"[{', '.join(texts)}]".encode()
    assert read_list(data, quickly=True)[0] == read_list(data, quickly=False)[0]


def test_most_are_read_many_at_a_time() -> None:
    results = [{"ruleId": f"r{at}", "message": {"text": f'say "{at}" \\'}} for at in range(900)]
    found, alone = read_list(json.dumps(results).encode(), quickly=True)
    assert ([one.rule_id for one in found if isinstance(one, ResultPart)][-1], alone) == ("r899", 2)


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ('{"ruleId": "a"}, {"ruleId": "b", "rank": 1.5}', 2),
        ('{"message": {"text": "\\\\\\""}}', 1),
        ('{"a": 1, "a": 1}', 0),
        ('{"properties": {"b": {"\\u0062": "\\"", "b": "\\""}}}', 0),
        ('{"ruleIndex": 3.0}', 0),
        ('{"ruleIndex": true}', 0),
        ('{"a": 1e999}', 0),
        ('{"a": "\\udc00"}', 0),
        ('{"a": [{"ruleId": "x"}', 0),
        ('{"a": "}, {"', 0),
        ('{"ruleId": "a"}], "x": [{}', 0),
        ('{"ruleId": "a"},', 0),
        ('{"a": ' + "[" * 100_000, 0),
    ],
)
def test_only_whole_elements_that_nothing_is_wrong_with_are_given(text: str, given: int) -> None:
    assert len(Several(ResultPart).read(text)) == given


@pytest.mark.parametrize(
    ("fault", "place"),
    [
        ('{"ruleId": "r", "ruleId": "r"}', "results[700]: not readable as SARIF: property 'ruleId' is given twice"),
        ('{"ruleId": 7}', "results[700].ruleId: not readable as SARIF: Expected"),
        ('{"ruleId": "r", "ruleIndex": ' + "9" * 30 + "}", "results[700]: not readable as SARIF: a number of too many"),
        ('{"ruleId": "\\ud800"}', "results[700]: not readable as SARIF: a text that is not Unicode"),
        ('{"message": {"text": "x"}}', "results[700].ruleId: not readable as SARIF: no rule"),
        ("{}}", "results: not readable as SARIF: not JSON"),
    ],
)
def test_a_fault_among_many_is_named_by_its_place(fault: str, place: str) -> None:
    results = [json.dumps({"ruleId": "r", "message": {"text": "x"}})] * 1_000
    results[700] = fault
    tool = '{"driver": {"name": "t"}}'
    data = f'{{"version": "2.1.0", "runs": [{{"tool": {tool}, "results": [{", ".join(results)}]}}]}}'
    with pytest.raises(UsageError) as raised:
        read(data.encode(), name="f")
    assert f"{raised.value.place}: {raised.value.what}".startswith(f"f: $.runs[0].{place}")


def test_results_that_are_none_keep_the_places_of_the_others() -> None:
    plain = {"ruleId": "r", "message": {"text": "x"}}
    results = [plain, {**plain, "kind": "pass"}] * 300 + [{"message": {"text": "x"}}]
    run = {"tool": {"driver": {"name": "t"}}, "results": results[:-1]}
    (good,) = read(json.dumps({"version": "2.1.0", "runs": [run]}).encode(), name="f")
    assert (len(good.results), good.informational) == (300, 300)
    run["results"] = results
    with pytest.raises(UsageError, match=r"no rule") as raised:
        read(json.dumps({"version": "2.1.0", "runs": [run]}).encode(), name="f")
    assert "results[600].ruleId" in raised.value.place
