"""The control mapping: every shipped id stands in its framework's list, and what is wrong in a file is said."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from secgate.controls import ControlMapping, Guard, holds, read_mapping
from secgate.errors import ConfigError
from secgate.resources import data_dir, files_under

LISTS = Path(__file__).parents[1] / "fixtures" / "controls"
OSCAL_TOKEN = re.compile(r"[^\W\d][\w.-]*")


def shipped_files() -> dict[str, bytes]:
    return dict(files_under(data_dir("policies") / "controls", ".json"))


@pytest.fixture(scope="module")
def shipped() -> ControlMapping:
    return read_mapping(shipped_files())


def test_the_six_frameworks_are_there(shipped: ControlMapping) -> None:
    assert set(shipped.frameworks) == {"soc2", "iso27001", "pci-dss", "gdpr", "ssdf", "owasp-top10"}
    assert shipped.versions == ("2026.11.0",)


@pytest.mark.parametrize("key", ["soc2", "iso27001", "pci-dss", "gdpr", "ssdf", "owasp-top10"])
def test_every_id_is_one_of_its_framework(key: str, shipped: ControlMapping) -> None:
    known = set((LISTS / f"{key}.txt").read_text(encoding="utf-8").split())
    controls = shipped.of(key)
    assert controls is not None
    numbers = [control.label.partition(":")[2] for control in controls.controls]
    assert numbers
    assert set(numbers) <= known, set(numbers) - known
    for control in controls.controls:
        assert control.label.startswith(f"{key}:")
        assert OSCAL_TOKEN.fullmatch(control.id)
        assert control.id.endswith(control.label.partition(":")[2].replace("(", ".").replace(")", ""))


def test_every_assertion_is_cited_and_names_what_breaks_it(shipped: ControlMapping) -> None:
    cited = {name for one in shipped.sets for control in one.controls for name in control.assertions}
    assert cited == set(shipped.assertions)
    assert all(one.exception_when for one in shipped.assertions.values())


def test_central_change_control_rests_on_a_population_from_outside(shipped: ControlMapping) -> None:
    assert shipped.assertions["change.gated"].population.source == "external"


@pytest.mark.parametrize("word", ["compliant", "certified", "SOC 2 report"])
def test_nothing_promises_what_only_an_auditor_can_say(word: str) -> None:
    assert not any(word.lower() in data.decode().lower() for data in shipped_files().values())


# ------------------------------------------------------------------------------------------------------ own frameworks


def own(**changes: Any) -> bytes:
    control = {
        "id": "acme-1",
        "label": "acme:1",
        "title": "Ours",
        "strength": "supporting",
        "assertions": ["scan.ran"],
        "not_enough": ["a"],
        "outside": ["b"],
        "auditor_test": "c",
    } | changes
    framework = {"key": "acme", "name": "Acme", "edition": "1", "source": "Acme"}
    return json.dumps(
        {
            "schema": "secgate/controls",
            "version": 1,
            "mapping_version": "1",
            "framework": framework,
            "controls": [control],
        }
    ).encode()


def test_an_organisation_adds_a_framework_of_its_own(shipped: ControlMapping) -> None:
    both = read_mapping(shipped_files(), {"acme.json": own()})
    assert both.frameworks == (*shipped.frameworks, "acme")
    assert both.digest != shipped.digest


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"assertions": ["scan.run"]}, "cites the assertion `scan.run`, which nobody wrote"),
        ({"strength": "none"}, "has the strength none and cites assertions"),
        ({"assertions": []}, "has the strength supporting and cites none"),
        ({"not_enough": []}, "does not say what is not enough"),
        ({"id": "32(1)(d)"}, "does not read"),
        ({"id": "6.3.3"}, "does not read"),
        ({"strenght": "direct"}, "does not read"),
        ({"id": "soc2-CC8.1"}, "the control `soc2-CC8.1` is there 2 times"),
        ({"label": "soc2:CC8.1"}, "the label `soc2:CC8.1` is there 2 times"),
        ({"assertions": ["scan.ran", "scan.ran"]}, "cites the assertion `scan.ran` 2 times"),
    ],
)
def test_a_fault_is_said_with_its_file(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_mapping(shipped_files(), {"acme.json": own(**changes)})
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b"\xff", b'{"schema":"other"}', b"[" * 100_000, b" " * (1024 * 1024 + 1)]
)
def test_what_is_no_mapping_is_refused(data: bytes) -> None:
    with pytest.raises(ConfigError, match="the control mapping is wrong"):
        read_mapping({"bad.json": data})


def test_a_framework_without_controls_is_a_fault() -> None:
    """Nothing could deviate from it."""
    empty = {**json.loads(own()), "controls": []}
    with pytest.raises(ConfigError, match="the framework `acme` has no controls"):
        read_mapping(shipped_files(), {"acme.json": json.dumps(empty).encode()})


def test_a_framework_cannot_be_replaced() -> None:
    files = shipped_files()
    with pytest.raises(ConfigError, match="the framework `gdpr` is there 2 times"):
        read_mapping(files, {"mine.json": files["gdpr.json"]})


# --------------------------------------------------------------------------------------------------------------- guards


@pytest.mark.parametrize(
    ("op", "wanted", "value", "answer"),
    [
        ("lte", 7, 7, True),
        ("lte", 7, 8, False),
        ("lte", 7, True, False),
        ("lte", 7, "3", False),
        ("gte", 7, 7, True),
        ("gte", 7, 6, False),
        ("eq", True, True, True),
        ("eq", True, 1, False),
        ("in", ["completed"], "completed", True),
        ("in", ["completed"], "crashed", False),
        ("in", "completed", "completed", False),
        ("subset", ["a", "b"], ["a"], True),
        ("subset", ["a"], ["a", "c"], False),
        ("subset", ["a"], [], False),
        ("superset", ["a"], ["a", "c"], True),
        ("superset", ["a", "b"], ["a"], False),
        ("superset", ["a"], "a", False),
    ],
)
def test_guard(op: Any, wanted: Any, value: Any, answer: bool) -> None:
    assert holds(Guard(input="x", op=op, value=wanted), {"x": value}) is answer


def test_what_is_not_known_does_not_hold() -> None:
    assert not holds(Guard(input="x", op="lte", value=7), {})


def test_an_unknown_operator_is_refused_when_it_is_read() -> None:
    files = shipped_files()
    files["assertions.json"] = files["assertions.json"].replace(b'"op": "lte"', b'"op": "approx"')
    with pytest.raises(ConfigError, match="does not read"):
        read_mapping(files)
