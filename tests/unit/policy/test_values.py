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
    assert seen["limits"] == LIMITS
    assert set(seen) == {"baselines", "limits", "profiles"}
