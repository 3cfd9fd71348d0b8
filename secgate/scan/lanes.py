"""The lane table: which tools a file of a kind needs, all of them, in each lane; and which kinds nobody can look at."""

from __future__ import annotations

import hashlib

import msgspec
from msgspec import Struct

from secgate.errors import ConfigError
from secgate.model import Lane, SourceFile, Value


class Need(Value, frozen=True, kw_only=True):
    """What one lane needs for one file. No tools and a reason means unsupported."""

    kind: str
    tools: tuple[str, ...] = ()
    unsupported: str = ""


class LaneTable(Value, frozen=True, kw_only=True):
    """Needs by lane and kind, and the digest of the file they were read from."""

    lanes: dict[Lane, dict[str, Need]]
    digest: str

    def need(self, lane: Lane, file: SourceFile) -> Need | None:
        """Give the need of the first of the file's kinds that the lane names, None when the file is not of the lane."""
        named = self.lanes.get(lane, {})
        return next((named[kind] for kind in file.kinds if kind in named), None)

    def tools(self, lane: Lane) -> tuple[str, ...]:
        """Every tool that the lane can need, sorted."""
        return tuple(sorted({tool for need in self.lanes.get(lane, {}).values() for tool in need.tools}))


class _Lane(Struct, forbid_unknown_fields=True):
    tools: dict[str, list[str]]
    unsupported: dict[str, str]


class _Table(Struct, forbid_unknown_fields=True):
    version: int
    lanes: dict[str, _Lane]


def load_lane_table(data: bytes) -> LaneTable:
    """Read policies/lanes.json. Raises ConfigError with every fault: kinds named twice, no tools, no reason."""
    try:
        table = msgspec.json.decode(data, type=_Table)
    except msgspec.DecodeError as error:
        raise ConfigError("the lane table is wrong", faults=[("lanes.json", str(error), "")]) from error
    faults = [] if table.version == 1 else [("lanes.json: version", f"{table.version} is unknown", "1")]
    lanes: dict[Lane, dict[str, Need]] = {}
    for name, lane in table.lanes.items():
        place = f"lanes.json: {name}"
        if name not in {known.value for known in Lane}:
            faults.append((place, "no such lane", ", ".join(known.value for known in Lane)))
            continue
        faults += [(place, f"{kind} is both", "name it once") for kind in lane.tools.keys() & lane.unsupported.keys()]
        faults += [
            (place, f"{kind} names no tool", "unsupported, with why") for kind in lane.tools if not lane.tools[kind]
        ]
        faults += [
            (place, f"{kind} has no reason", "say why") for kind in lane.unsupported if not lane.unsupported[kind]
        ]
        lanes[Lane(name)] = {
            **{kind: Need(kind=kind, tools=tuple(sorted(set(tools)))) for kind, tools in lane.tools.items()},
            **{kind: Need(kind=kind, unsupported=why) for kind, why in lane.unsupported.items()},
        }
    faults += [("lanes.json", f"the lane {lane.value} is missing", "add it") for lane in Lane if lane not in lanes]
    if faults:
        raise ConfigError("the lane table is wrong", faults=sorted(faults))
    return LaneTable(lanes=lanes, digest=hashlib.sha256(data).hexdigest())
