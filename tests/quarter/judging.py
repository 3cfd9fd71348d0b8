"""Evidence and reports, as their JSON says them, held against what the oracle expects. Knows nothing of secgate."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from tests.quarter.oracle import Expected
from tests.quarter.sections import Sections

_SHOWN = 5

Told = Mapping[str, Mapping[str, Any]]
"""What a document says, by assertion."""


def of_evidence(data: bytes) -> Told:
    """Give what `secgate evidence check --format json` says."""
    return {one["assertion"]: one for one in json.loads(data)["evidence"]["assertions"]}


def of_report(data: bytes) -> Told:
    """Give what `secgate report --format json` says, put together from its sections 4 to 7."""
    report = json.loads(data)
    numbers = {row["severity"]: row for row in report["sla"]["rows"]}.get("all", {})
    metrics = {name: value for name, value in numbers.items() if name != "severity" and value is not None}
    results = {one["assertion"]: one for one in report["tests"]["results"]}
    return {
        one["assertion"]: {
            **results[one["assertion"]],
            "items": [item["id"] for item in one["items"]],
            "unmatched": one["unmatched"],
            "deviations": [row for row in report["exceptions"] if row["assertion"] == one["assertion"]],
            "metrics": metrics if report["sla"]["assertion"] == one["assertion"] else {},
        }
        for one in report["populations"]
    }


def differences(told: Told, expected: Mapping[str, Expected], names: Mapping[str, str]) -> list[str]:
    """Say what evidence and oracle see differently, [] for nothing. `names` gives the plan's names of items."""
    found = [f"nobody expects {name}" for name in sorted(set(told) - set(expected))]
    for name in sorted(set(told) & set(expected)):
        found += [f"{name}: {text}" for text in _compare(told[name], expected[name], names)]
    return found


def _compare(told: Mapping[str, Any], wanted: Expected, names: Mapping[str, str]) -> Iterator[str]:
    def named(item: str) -> str:
        return names.get(item, item)

    sets: dict[str, tuple[Iterable[Any], AbstractSet[Any]]] = {
        "items": (map(named, told["items"]), wanted.population),
        "deviations": (((named(one["item"]), one["exception"]) for one in told["deviations"]), wanted.deviations),
        "untested": ((named(one["item"]) for one in told["untested"]), wanted.untested),
    }
    if told["unmatched"] is not None:
        sets["left"] = (told["unmatched"]["left_unmatched"], wanted.left)
        sets["right"] = (told["unmatched"]["right_unmatched"], wanted.right)
    for what, (said, want) in sets.items():
        yield from _set(what, said, want)
    numbers = {
        "result": (told["result"], wanted.result),
        "population": (told["population"], len(wanted.population)),
        "tested": (told["tested"], wanted.tested),
        "deviating": (told["deviating"], len({item for item, _ in wanted.deviations})),
        "metrics": (told["metrics"], wanted.metrics),
    }
    for what, (says, wants) in numbers.items():
        if says != wants:
            yield f"{what}: it says {says}, and the oracle {wants}"


def _set(what: str, said: Iterable[Any], want: AbstractSet[Any]) -> Iterator[str]:
    """Say what stands on one side alone; what is said twice is invented once."""
    listed = list(said)
    twice = {one for one in listed if listed.count(one) > 1} if len(listed) != len(set(listed)) else set()
    for word, some in (("invents", (set(listed) - want) | twice), ("misses", want - set(listed))):
        if some:
            yield f"{what}: it {word} {len(some)}: {sorted(map(str, some))[:_SHOWN]}"


def section_differences(data: bytes, wanted: Sections, names: Mapping[str, str]) -> list[str]:
    """Say what a report's sections on deadlines, outages, changes and waivers see otherwise than the oracle."""
    report = json.loads(data)

    def named(item: str) -> str:
        return names.get(item, item)

    sla, changes, waivers = report["sla"], report["changes"], report["waivers"]
    rows = {
        row["severity"]: {name: value for name, value in row.items() if name != "severity" and value is not None}
        for row in sla["rows"]
        if row["severity"] != "all"
    }
    silent = [(one["repository"], one["from_epoch_s"], one["to_epoch_s"]) for one in report["outages"]["silent"]]
    found = [f"severities: it says {rows}, and the oracle {wanted.severities}"] if rows != wanted.severities else []
    for what, said, want in (
        ("not due", [one["item"] for one in sla["not_due"]], wanted.not_due),
        ("dismissed", [(one["item"], named(one["waiver"])) for one in sla["dismissed"]], wanted.dismissed),
        ("silent", silent, wanted.silent),
        ("troubled", [one["run_id"] for one in report["outages"]["runs"]], wanted.troubled),
        ("overrides", [named(one["id"]) for one in changes["overrides"]], wanted.overrides),
        ("active", [named(one["id"]) for one in waivers["rows"] if one["state"] == "active"], wanted.active),
        ("revoked", [named(one["id"]) for one in waivers["rows"] if one["state"] == "revoked"], wanted.revoked),
    ):
        found += _set(what, said, want)
    told = {name: waivers[name] for name in ("opened", "approved", "active", "renewed", "revoked")}
    if told != wanted.counts:
        found.append(f"waivers: it says {told}, and the oracle {wanted.counts}")
    return found
