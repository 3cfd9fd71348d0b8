"""What is planted of components: artefacts without an inventory that counts, patches that were out for long."""

from __future__ import annotations

from typing import Any

from tests.quarter.making import BOSS, STRANGER, Making
from tests.quarter.plan import DAY, HOUR, MACHINE, Finding, Run

GATED, INVENTORY, PATCHED, SLA = "change.gated", "component.inventory", "vuln.patch_release", "vuln.sla"
MONTH = 30 * DAY
NONE, OTHER, LATE = "no_inventory", "digest_mismatch", "inventory_after_release"


def inventories(make: Making) -> None:
    """Artefacts that no inventory is of, that one is of too late, or that only another one's is of."""
    make.bad(INVENTORY, make.release(make.time(), make.some_repository(), make.artifact()), NONE)
    for given in (
        {"inventory": ""},
        {"inventory": "lost"},
        {"inventory": "kept", "dirty": True},
        {"inventory": "kept", "folder": "part/of/it"},
    ):
        run = _built(make, **given)
        make.bad(INVENTORY, make.release(run.at + HOUR, run.repository, run.artifacts[0]), NONE)
    inventoried: tuple[tuple[int, tuple[str, ...]], ...] = ((0, ()), (-1, (LATE,)))
    for after, words in inventoried:
        run = _built(make, inventory="kept")
        _released(make, make.release(run.at + after, run.repository, run.artifacts[0]), *words)
    mismatched: tuple[tuple[int, tuple[str, ...]], ...] = ((0, (OTHER,)), (-1, (OTHER, LATE)))
    for after, words in mismatched:
        run = _built(make, inventory="kept")
        _released(make, make.release(run.at + after, run.repository, make.artifact(), run.commit), *words)
    run = _built(make, inventory="kept")
    elsewhere = f"{run.repository}-fork"
    make.bad(INVENTORY, make.release(run.at + HOUR, elsewhere, make.artifact(), run.commit), NONE)
    again = make.run(run.at + HOUR, run.repository, commit=run.commit, tree=run.tree, artifacts=run.artifacts)
    make.near(INVENTORY, make.release(again.at + HOUR, run.repository, run.artifacts[0]))
    for at in (make.start - 1, make.end):
        make.near(INVENTORY, make.release(at, run.repository, make.artifact()))


def _built(make: Making, **given: Any) -> Run:
    return make.run(make.time(after=HOUR, before=2 * DAY), artifacts=(make.artifact(),), **given)


def _released(make: Making, item: str, *words: str) -> None:
    if words:
        make.bad(INVENTORY, item, *words)
    else:
        make.near(INVENTORY, item)


def bindings(make: Making) -> None:
    """Artefacts that an attestation ties to a run: in time and late by a second, or by who may not."""

    def bound(key: str = MACHINE) -> tuple[Run, str, int]:
        run = make.run(make.time(before=2 * DAY), inventory="kept")
        return run, make.bind(run, run.at + HOUR, key), run.at + HOUR

    run, artifact, at = bound()
    make.near(INVENTORY, make.release(at, run.repository, artifact))
    make.near(GATED, make.deploy(at, run.repository, artifacts=(artifact,)))
    run, artifact, at = bound()
    make.bad(INVENTORY, make.release(at - 1, run.repository, artifact), LATE)
    make.bad(GATED, make.deploy(at - 1, run.repository, artifacts=(artifact,)), "no_run")
    for key in (STRANGER, BOSS):
        run, artifact, at = bound(key=key)
        make.bad(INVENTORY, make.release(at, run.repository, artifact), NONE)
        make.bad(GATED, make.deploy(at, run.repository, artifacts=(artifact,)), "no_run")
    run = make.run(make.end - DAY, inventory="kept")
    artifact = make.bind(run, make.end)
    make.bad(INVENTORY, make.release(make.end - 1, run.repository, artifact), NONE)


def patches(make: Making, *, bad: bool) -> None:
    """Patches installed on the last second of a month from their release, or with `bad` a second later, or never."""

    def found(at: int, **given: Any) -> Finding:
        return make.finding(at, "critical", **{**make.library(), **given})

    def judged(one: Finding, word: str = "") -> None:
        if word:
            make.bad(PATCHED, make.key(one), word)
        else:
            make.near(PATCHED, make.key(one))

    def quick(after: int = HOUR, **given: Any) -> Finding:
        """Give one that was closed within its severity's time."""
        at = make.time(after=DAY, before=2 * DAY)
        return found(at, closed=(at + after,), **given)

    lateness = (0, 1) if bad else (0,)
    for after in lateness:
        one = quick()
        make.patch(one, one.closed[0] - MONTH - after)
        judged(one, "late" if after else "")
        one = found(make.end - HOUR, closed=(make.end,))
        make.patch(one, make.end - MONTH - after)
        judged(one, "open_and_late" if after else "")
        # Spelt as people do, and the one that came out first counts.
        one = quick()
        spelt = {"advisory": one.advisory.lower(), "package": one.package.replace("-", "_").upper()}
        make.patch(one, one.closed[0] - DAY, version="2.0.0", **spelt)
        make.patch(one, one.closed[0] - MONTH - after, **spelt)
        judged(one, "late" if after else "")
        # A later list puts a date right.
        one = quick()
        for at in (one.closed[0] - (3 - after) * MONTH, one.closed[0] - MONTH - after):
            make.patch(one, at)
        judged(one, "late" if after else "")
    at = make.time(before=50 * DAY)
    slow = found(at, closed=(at + 45 * DAY,))
    make.patch(slow, at + 20 * DAY)
    make.bad(SLA, make.key(slow), "missed")
    judged(slow)
    at = make.time(before=2 * DAY)
    less = make.finding(at, "high", closed=(at + HOUR,), **make.library())
    make.patch(less, at - 90 * DAY)
    judged(less)
    before = found(make.start - 2 * DAY, closed=(make.start - 1,))
    make.patch(before, make.start - 90 * DAY)
    judged(before)
    if bad:
        for other in ({"advisory": "CVE-2025-1"}, {"package": make.name("other")}):
            one = quick()
            make.patch(one, one.closed[0] - 90 * DAY, **other)
            judged(one)
        judged(quick(advisory="", package="", version=""))
