"""What is installed, which lanes a tree needs, and what would be missing: `secgate doctor`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from msgspec import Struct

from secgate import registry, sla
from secgate.advisories import Database
from secgate.config import Machine
from secgate.errors import AdvisoryError, UsageError
from secgate.model import Lane, Tool
from secgate.pipeline.looking import load_tables
from secgate.ports import ToolLocator
from secgate.preparation import RunRequest, Silence, advisory_database, choose_ledger, prepare, workshop
from secgate.resources import data_dir


class ToolState(Struct, frozen=True, kw_only=True):
    """One scanner's tool. `own` scanners need none: they are part of secgate, or of `origin`, somebody's package.

    `fault` says why a plug-in cannot be loaded; nothing else is known of it then.
    """

    scanner: str
    origin: str = ""
    fault: str = ""
    lanes: tuple[Lane, ...]
    tool: Tool | None
    own: bool
    needed_for: tuple[Lane, ...]
    remedy: str


class LaneState(Struct, frozen=True, kw_only=True):
    """One lane of this tree: files that it looks at, tools that it needs, and those that are missing."""

    lane: Lane
    asked: bool
    files: int
    unsupported: int
    tools: tuple[str, ...]
    missing: tuple[str, ...]


class Diagnosis(Struct, frozen=True, kw_only=True):
    """The whole answer. `problems` are tools that a run would lack, each with what to do."""

    profile: str
    tools: tuple[ToolState, ...]
    lanes: tuple[LaneState, ...]
    advisories: str
    ledger: str
    problems: tuple[str, ...]


def diagnose(path: str, *, enforced: str, machine: Machine, now: datetime) -> Diagnosis:
    """Look at the machine and the tree, start nothing but `git` and bare tools that must be asked for their version."""
    with workshop(machine, now=now, observer=Silence()) as shop:
        request = RunRequest(path=path, enforced=enforced)
        prepared = prepare(request, machine=machine, runner=shop.executor, scratch=shop.scratch)
        chosen = choose_ledger(
            prepared.settings.ledger,
            target=prepared.target,
            repository=prepared.repository,
            machine=machine,
            executor=shop.executor,
            read_only=True,
        )
        tables = load_tables(prepared.settings)
        configured = {name: one.path for name, one in prepared.settings.scanners.items() if one.path}
        locator = registry.tools(machine, configured=configured, executor=shop.executor)
        needs: dict[Lane, dict[str, int]] = {lane: {} for lane in Lane}
        counts: dict[Lane, list[int]] = {lane: [0, 0] for lane in Lane}
        for file in prepared.target.files:
            for lane in Lane:
                need = tables.lanes.need(lane, file)
                if need is not None:
                    counts[lane][1 if need.unsupported else 0] += 1
                    for name in set(need.tools) - set(prepared.profile.without_tools):
                        needs[lane][name] = needs[lane].get(name, 0) + 1
        tools = [
            _tool(name, locator, tuple(lane for lane in Lane if name in needs[lane] and lane in prepared.profile.lanes))
            for name in registry.names("scanners")
        ]
        absent = {one.scanner: one.remedy for one in tools if one.tool is None and not one.own}
        lanes = tuple(
            LaneState(
                lane=lane,
                asked=lane in prepared.profile.lanes,
                files=counts[lane][0],
                unsupported=counts[lane][1],
                tools=tuple(sorted(needs[lane])),
                missing=tuple(sorted(set(needs[lane]) & set(absent))),
            )
            for lane in Lane
        )
        problems = [
            f"{lane.lane}: {name} is missing: {absent[name]}" for lane in lanes if lane.asked for name in lane.missing
        ]
        advisories = _advisories(advisory_database(machine, prepared.settings), now)
        return Diagnosis(
            profile=prepared.settings.profile,
            tools=tuple(tools),
            lanes=lanes,
            advisories=advisories,
            ledger=_ledger(chosen),
            problems=tuple(problems),
        )


def _tool(name: str, locator: ToolLocator, needed_for: tuple[Lane, ...]) -> ToolState:
    origin = registry.origin("scanners", name)
    try:
        scanner = registry.scanner(name)
    except UsageError as error:
        # What this tree does not ask for stops nothing, a run neither.
        return ToolState(
            scanner=name,
            origin=origin,
            fault=error.what,
            lanes=(),
            tool=None,
            own=False,
            needed_for=needed_for,
            remedy=error.remedy,
        )
    installable = (data_dir("rules") / "tools" / f"{name}.txt").is_file()
    return ToolState(
        scanner=name,
        origin=origin,
        lanes=scanner.lanes,
        tool=locator.locate(scanner.spec) if scanner.spec is not None else None,
        own=scanner.spec is None,
        needed_for=needed_for,
        remedy=f"secgate tools install {name}" if installable else f"install {name} and put it on PATH",
    )


def _advisories(path: str, now: datetime) -> str:
    try:
        with Database(path) as database:
            info = database.info()
    except AdvisoryError as error:
        # Another fault than that there is none is told.
        why = "" if not Path(path).is_file() else f" that can be read ({error.what})"
        return f"no local database{why}; the package index is asked, unless --offline"
    return f"{sla.many(info.count, 'advisory', 'advisories')}, newest change {sla.length_words(info.age_s(now))} ago"


def _ledger(chosen: object) -> str:
    from secgate.preparation import ChosenLedger

    if not isinstance(chosen, ChosenLedger):
        return "switched off"
    there = chosen.ledger.exists()
    state = sla.many_entries(chosen.ledger.head().size) if there else "none yet"
    required = ", required" if chosen.required else ", made at first use"
    return f"{chosen.ledger.name}, {state}{required}"
