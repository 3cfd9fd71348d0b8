"""CVSS base scores from vectors, versions 3.0 and 3.1, and what vectors say of automation and impact.

Source: FIRST, "Common Vulnerability Scoring System v3.1: Specification Document", sections 7.1, 7.4 and appendix A;
"v3.0", section 8. Temporal and environmental metrics are accepted and left out: the base score alone is the same for
everybody.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

_WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "PR": {"N": 0.85, "L": 0.62, "H": 0.27},
    "UI": {"N": 0.85, "R": 0.62},
    "S": {"U": 0.0, "C": 1.0},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
_PRIVILEGES_CHANGED = {"N": 0.85, "L": 0.68, "H": 0.5}
"""Weights of PR where the scope is changed."""

_OPTIONAL: Mapping[str, str] = {
    "E": "XHFPU", "RL": "XUWTO", "RC": "XCRU",
    "CR": "XHML", "IR": "XHML", "AR": "XHML",
    "MAV": "XNALP", "MAC": "XLH", "MPR": "XNLH", "MUI": "XNR", "MS": "XUC",
    "MC": "XNLH", "MI": "XNLH", "MA": "XNLH",
}  # fmt: skip


def base_score(vector: str) -> float | None:
    """Give the base score, 0.0 to 10.0, of a v3.0 or v3.1 vector; None for text that is not one.

    Strict: every base metric exactly once, no unknown metric or value, no repetition.
    """
    version, _, rest = vector.partition("/")
    if version not in ("CVSS:3.0", "CVSS:3.1"):
        return None
    metrics: dict[str, str] = {}
    for part in rest.split("/"):
        name, mark, value = part.partition(":")
        known = _WEIGHTS.get(name) or _OPTIONAL.get(name, "")
        if not mark or len(value) != 1 or name in metrics or value not in known:
            return None
        metrics[name] = value
    if not _WEIGHTS.keys() <= metrics.keys():
        return None
    return _base(metrics, _round_up if version == "CVSS:3.1" else _round_up_30)


_OPEN = {"AV": "N", "AC": "L", "PR": "N", "UI": "N"}
_TOTAL = {"CVSS:3": ("C", "I", "A"), "CVSS:4": ("VC", "VI", "VA")}


def is_automatable(vector: str) -> bool | None:
    """Tell whether a vector lets nothing stand in the way: by network, simple, without rights or a user's help.

    An approximation of SSVC's Automatable, version 2.0.0. None for text that is no vector of version 3 or 4.
    """
    metrics = _metrics(vector)
    if metrics is None:
        return None
    return all(metrics.get(name) == value for name, value in _OPEN.items()) and metrics.get("AT", "N") == "N"


def is_total(vector: str) -> bool | None:
    """Tell whether confidentiality, integrity and availability of what is vulnerable are all lost, by a vector.

    As SSVC's Technical Impact, version 1.0.0, is read from CVSS. None for text that is no vector of version 3 or 4.
    """
    metrics = _metrics(vector)
    return None if metrics is None else all(metrics[name] == "H" for name in _TOTAL[vector[:6]])


def _metrics(vector: str) -> dict[str, str] | None:
    """Give the metrics of a vector that has at least those asked for here."""
    version, _, rest = vector.partition("/")
    wanted = _TOTAL.get(version[:6]) if version in ("CVSS:3.0", "CVSS:3.1", "CVSS:4.0") else None
    parts = [part.partition(":") for part in rest.split("/")]
    metrics = {name: value for name, _, value in parts}
    if wanted is None or len(metrics) != len(parts) or not {*_OPEN, *wanted} <= metrics.keys():
        return None
    return metrics


def _base(metrics: Mapping[str, str], round_up: Callable[[float], float]) -> float:
    weight = {name: table[metrics[name]] for name, table in _WEIGHTS.items()}
    changed = metrics["S"] == "C"
    if changed:
        weight["PR"] = _PRIVILEGES_CHANGED[metrics["PR"]]
    subscore = 1 - (1 - weight["C"]) * (1 - weight["I"]) * (1 - weight["A"])
    impact = 7.52 * (subscore - 0.029) - 3.25 * (subscore - 0.02) ** 15 if changed else 6.42 * subscore
    if impact <= 0:
        return 0.0
    exploitability = 8.22 * weight["AV"] * weight["AC"] * weight["PR"] * weight["UI"]
    total = min((1.08 if changed else 1.0) * (impact + exploitability), 10.0)
    return round_up(total)


def _round_up(value: float) -> float:
    """Round up to one decimal in integers, so that all platforms agree. Source: CVSS v3.1, appendix A."""
    scaled = round(value * 100_000)
    if scaled % 10_000 == 0:
        return scaled / 100_000
    return (scaled // 10_000 + 1) / 10


def _round_up_30(value: float) -> float:
    """Round up to one decimal. Source: CVSS v3.0, section 8.1, "Roundup"."""
    return math.ceil(value * 10) / 10
