"""A whole plan drawn from a seed: the quiet period, what is planted into it, and the lists as others export them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from tests.quarter.components import bindings, inventories, patches
from tests.quarter.making import PEOPLE, STRANGER, Making
from tests.quarter.plan import DAY, Change, Checkpoint, Deployment, GateChange, Import, Plan, Release, Row
from tests.quarter.planting import DEPLOYMENTS
from tests.quarter.telling import plant_notices
from tests.quarter.testifying import plant_testimony
from tests.quarter.weaknesses import WEAKNESSES
from tests.quarter.windows import Weeks, plant_windows

AnyRow = TypeVar("AnyRow", bound=Row)
QUARTERS = ((1, 4), (4, 7), (7, 10))
"""Their first month, and the one after."""
BEFORE, AFTER = 60 * DAY, 12 * DAY
"""How far the ledgers, and the lists, reach beyond the period."""
PLANTED_RUNS = 45
"""About so many runs come with what is planted."""


def draw(seed: int, *, repositories: int, runs: int, ledgers: int, times: int = 1, short: str = "") -> Plan:
    """Give the plan of a seed: about `runs` runs, each kind of deviation planted `times` times.

    `short` names a list that was not given for all of the period, or `notices`, of which the ledgers then hold none
    until its end. An odd seed has a ledger that was rewritten, each fourth one a ledger that was cut off; each third
    one has a ledger in git, and each third one no patch that was late.
    """
    start, end = (datetime(2026, month, 1, tzinfo=UTC) for month in QUARTERS[seed % len(QUARTERS)])
    names = [f"git.example.com/made/part-{number:02}" for number in range(repositories)]
    make = Making(seed, repositories=names, start=start, end=end)
    make.background(runs=runs - PLANTED_RUNS * times)
    weeks = Weeks(make)
    for _ in range(times):
        for plant in (*DEPLOYMENTS, *WEAKNESSES, inventories, bindings):
            plant(make)
        patches(make, bad=seed % 3 != 2)
    for _ in range(times):
        plant_windows(make, weeks)
    plant_testimony(make, _owners(make, ledgers), times=times)
    plant_notices(make, times=times)
    if short == "notices":
        make.notices = [one for one in make.notices if one.at >= make.end]
    rewritten, cut = "ledger-1" if seed % 2 else "", f"ledger-{ledgers - 1}" if seed % 4 == 0 else ""
    in_git = f"ledger-{ledgers - 1}" if seed % 3 == 1 else ""
    return plan_of(make, ledgers=ledgers, short=short, rewritten=rewritten, cut=cut, in_git=in_git)


def plan_of(
    make: Making, *, ledgers: int, short: str = "", rewritten: str = "", cut: str = "", in_git: str = ""
) -> Plan:
    """Give what was made as a plan, its repositories over so many ledgers."""
    owners = _owners(make, ledgers)
    for mine in owners.values():
        make.gate_changes.append(GateChange(make.name("gate"), mine[0], make.end + DAY, "policy-changed"))
    checkpoints = _checkpoints(make, list(owners), rewritten=rewritten, cut=cut)
    return Plan(
        seed=make.seed,
        start=make.start,
        end=make.end,
        begun=make.start - BEFORE,
        ledgers=owners,
        people=PEOPLE,
        runs=tuple(sorted(make.runs.values(), key=lambda one: (one.at, one.name))),
        findings=tuple(make.findings),
        exemptions=tuple(make.exemptions),
        overrides=tuple(make.overrides),
        notices=tuple(make.notices),
        bindings=tuple(make.bindings),
        gate_changes=tuple(make.gate_changes),
        gate_reviews=tuple(make.gate_reviews),
        revocations=tuple(make.revocations),
        imports=tuple(_imports(make, short)),
        checkpoints=tuple(checkpoints),
        rewritten=rewritten,
        cut=cut,
        in_git=in_git,
        planted=frozenset(make.planted),
        spared=frozenset(make.spared),
        dismissed=frozenset(make.dismissed),
    )


def _owners(make: Making, ledgers: int) -> dict[str, tuple[str, ...]]:
    return {f"ledger-{at}": tuple(make.repositories[at::ledgers]) for at in range(ledgers)}


def _imports(make: Making, short: str) -> list[Import]:
    """Give each list in two parts that meet; a row that is there twice is put right by the second part."""
    found = []
    rows: dict[str, Sequence[Deployment | Change | Release]] = {
        "deployments": make.deployments,
        "reviews": make.changes,
        "artifacts": make.releases,
    }
    half = (make.start + make.end) // 2
    end = make.end + AFTER
    for kind, every in rows.items():
        parts: tuple[list[Deployment | Change | Release], ...] = _parts(every, lambda row: (row.repository, row.name))
        until = half if kind == short else end
        kept = tuple(row for row in parts[0] if row.at < until)
        found.append(Import(kind, end, kept, make.start - BEFORE, until))
        if parts[1] and kind != short:
            found.append(Import(kind, end, tuple(parts[1]), make.start, end))
    extracted = make.end - 1 if short == "repositories" else end
    found.append(Import("repositories", extracted, tuple(make.scope)))
    if short != "patches":
        patches = _parts(make.patches, lambda row: (row.advisory, row.package, row.version))
        found += [Import("patches", end, tuple(part)) for part in patches if part]
    return found


def _parts(every: Sequence[AnyRow], key: Callable[[AnyRow], object]) -> tuple[list[AnyRow], list[AnyRow]]:
    """Give rows in two parts, of one key the first one and the others."""
    seen: set[object] = set()
    parts: tuple[list[AnyRow], list[AnyRow]] = ([], [])
    for row in every:
        parts[key(row) in seen].append(row)
        seen.add(key(row))
    return parts


def _checkpoints(make: Making, ledgers: Sequence[str], *, rewritten: str, cut: str) -> list[Checkpoint]:
    """Give one of each ledger, taken after the period, and one that somebody signed whose key does not count."""
    found = [Checkpoint(f"of-{name}", name, make.end + 2 * DAY) for name in ledgers]
    found.append(Checkpoint("by-nobody", ledgers[0], make.start + DAY, signer=STRANGER))
    make.bad("ledger.integrity", "checkpoint:by-nobody", "bad_signature")
    for one in found[:-1]:
        if one.ledger == cut:
            make.bad("ledger.integrity", f"checkpoint:{one.name}", "shorter_than_checkpoint")
        elif one.ledger == rewritten:
            make.bad("ledger.integrity", f"checkpoint:{one.name}", "inconsistent_root")
        else:
            make.near("ledger.integrity", f"checkpoint:{one.name}")
    return found
