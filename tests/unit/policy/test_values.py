"""Limits and profiles are whole, or nothing is judged."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from secgate.errors import PolicyError, UsageError
from secgate.model import Lane
from secgate.policy import Layer, effective_data, layer_data, profile_names, read_limits, read_profile

Load = Callable[..., Layer]

OWN = (
    b'package secgate.rules.own\ndeny contains {"finding": f.fingerprint, "reason": "r"} if some f in input.findings\n'
)
LIMITS = {"version": 1, "severity_s": {"critical": 1, "high": 2, "medium": 3, "low": 4}, "new_denied": ["low"]}


def with_limits(load: Load, limits: object) -> Layer:
    return load({"a.rego": OWN, "data/limits.json": json.dumps({"limits": limits}).encode()})


def test_default_table(shipped: Layer) -> None:
    limits = read_limits(effective_data(shipped)).severity_s
    assert (limits.critical, limits.high, limits.medium, limits.low) == (24 * 3600, 7 * 86400, 30 * 86400, 90 * 86400)


def test_profiles(shipped: Layer) -> None:
    data = effective_data(shipped)
    assert profile_names(data) == ("audit", "pre-commit", "pull-request", "release")
    assert {name: read_profile(data, name).older_gaps for name in profile_names(data)} == {
        "audit": "inconclusive",
        "pre-commit": "warn",
        "pull-request": "warn",
        "release": "inconclusive",
    }
    assert set(read_profile(data, "pull-request").lanes) == set(Lane)
    with pytest.raises(UsageError, match="no profile `mine`"):
        read_profile(data, "mine")


def test_organisation_replaces_a_file_whole(load: Load, shipped: Layer) -> None:
    data = effective_data(shipped, with_limits(load, LIMITS))
    assert read_limits(data).severity_s.low == 4
    assert profile_names(data) == profile_names(effective_data(shipped))


@pytest.mark.parametrize(
    "change", [{"severity_s": {"critical": 1}}, {"version": 2}, {"more": 1}, {"new_denied": ["hihg"]}]
)
def test_a_hole_is_refused(load: Load, shipped: Layer, change: dict[str, object]) -> None:
    with pytest.raises(PolicyError, match="not of the known form"):
        effective_data(shipped, with_limits(load, LIMITS | change))


def test_a_layer_sees_its_own_data_in_front(load: Load, shipped: Layer) -> None:
    own = with_limits(load, LIMITS)
    seen = json.loads(layer_data(own, effective_data(shipped)))
    assert {name: seen["limits"][name] for name in LIMITS} == LIMITS
    assert set(seen) == {"baselines", "bod_26_04", "limits", "notifications", "profiles", "suppressions"}


def test_what_a_file_may_leave_out_is_there_for_the_rules(load: Load, shipped: Layer) -> None:
    own = with_limits(load, LIMITS)
    for data in (effective_data(shipped, own), layer_data(own, effective_data(shipped))):
        limits = json.loads(data)["limits"]
        assert limits["exploited_s"] == {"exposed": 3 * 86400, "listed": 14 * 86400}
        assert (limits["places"], limits["directives"], limits["epss"]["threshold_ppm"]) == ([], [], 0)


# -------------------------------------------------------------------------------------------------------------- places


def place(**changes: object) -> dict[str, object]:
    given = {"name": "exposed", "exposures": ["internet"], "severity_s": {"high": 1}} | changes
    return {"places": [given]}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (place(exposures=[]), "names no lane, path class or exposure"),
        (place(exposures=["everywhere"]), "everywhere"),
        (place(severity_s={}), "length >= 1"),
        (place(severity_s={"info": 1}), "info"),
        (place(severity_s={"high": 0}), ">= 1"),
        (place(name="Two words"), "regex"),
        (place(more=1), "unknown field `more`"),
        ({"places": [*place()["places"], *place()["places"]]}, "two places are called `exposed`"),  # type: ignore[misc]
        (place(lanes=["secrets"], severity_s={"high": 3}), "never does that for secrets, workflows and dependencies"),
        ({"epss": {"threshold_ppm": 5}}, "name it as `model`"),
        ({"epss": {"threshold_ppm": 1_000_001, "model": "v"}}, "<= 1000000"),
        ({"exploited_s": {"listed": 0}}, ">= 1"),
        ({"directives": ["bod-22-01"]}, "bod-22-01"),
    ],
)
def test_limits_that_say_nothing_or_too_much_are_refused(
    load: Load, shipped: Layer, change: dict[str, object], what: str
) -> None:
    with pytest.raises(PolicyError, match=what):
        effective_data(shipped, with_limits(load, LIMITS | change))


@pytest.mark.parametrize(
    "change", [place(), place(lanes=["secrets"]), place(lanes=["sast"], path_classes=["tests"], severity_s={"high": 9})]
)
def test_limits_by_place(load: Load, shipped: Layer, change: dict[str, object]) -> None:
    read = read_limits(effective_data(shipped, with_limits(load, LIMITS | change)))
    assert [one.name for one in read.places] == ["exposed"]


# ---------------------------------------------------------------------------------------------------------- directives


def test_the_table_of_the_directive_is_whole(load: Load, shipped: Layer) -> None:
    table = json.loads(effective_data(shipped))["bod_26_04"]
    days = sorted(limit // 86400 for limit in table["limits_s"].values())
    assert days == [0, 0, *[3] * 5, *[14] * 6, *[60] * 3]
    by_case = table["limits_s"].items()
    assert all(0 < limit <= 14 * 86400 for case, limit in by_case if case.startswith("yes,"))
    del table["limits_s"]["no,no,no,total"]
    own = load({"a.rego": OWN, "data/bod_26_04.json": json.dumps({"bod_26_04": table}).encode()})
    with pytest.raises(PolicyError, match="the case `no,no,no,total` is missing"):
        effective_data(shipped, own)


# ------------------------------------------------------------------------------------------------------- notifications


def test_a_channel_that_leads_nowhere_is_refused(load: Load, shipped: Layer) -> None:
    rule = {"reason": "r", "stages": ["new"], "severities": ["high"], "channels": ["pager"]}
    data = {"version": 1, "escalate_after_s": 1, "channels": {"security": "webhook"}, "told": [rule]}
    own = load({"a.rego": OWN, "data/notifications.json": json.dumps({"notifications": data}).encode()})
    with pytest.raises(PolicyError, match="`pager` is told of findings"):
        effective_data(shipped, own)
