"""The lane table: which tools a file of a kind needs, all of them, in each lane; and which kinds nobody can look at."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from secgate.errors import ConfigError
from secgate.model import Lane, SourceFile, Value


class Need(Value, frozen=True, kw_only=True):
    """What one lane needs for one file. No tools and a reason means unsupported."""

    kind: str
    tools: tuple[str, ...] = ()
    unsupported: str = ""


class Addition(Value, frozen=True, kw_only=True):
    """A scanner that is asked about further kinds, in each of its lanes.

    `covers`: where no other tool looks at a kind, this one is enough. The organisation alone may say so.
    """

    scanner: str
    lanes: tuple[Lane, ...]
    kinds: tuple[str, ...]
    covers: bool = False


class LaneTable(Value, frozen=True, kw_only=True):
    """Needs by lane and kind, what is asked besides, and the digest of all of it."""

    lanes: dict[Lane, dict[str, Need]]
    digest: str
    additions: tuple[Addition, ...] = ()

    def need(self, lane: Lane, file: SourceFile) -> Need | None:
        """Give the need of the first of the file's kinds that the lane names, None when the file is not of the lane.

        Additions add tools, whichever of the file's kinds they name; they take none away.
        """
        named = self.lanes.get(lane, {})
        need = next((named[kind] for kind in file.kinds if kind in named), None)
        added = [one for one in self.additions if lane in one.lanes and not set(file.kinds).isdisjoint(one.kinds)]
        if not added:
            return need
        tools = {one.scanner for one in added}
        if need is None:
            return Need(kind=file.kinds[0], tools=tuple(sorted(tools)))
        unsupported = "" if any(one.covers for one in added) else need.unsupported
        return Need(kind=need.kind, tools=tuple(sorted({*need.tools, *tools})), unsupported=unsupported)

    def kinds(self) -> frozenset[str]:
        """Give every kind of file that a lane names."""
        return frozenset(kind for needs in self.lanes.values() for kind in needs)

    def with_additions(self, additions: Iterable[Addition]) -> LaneTable:
        """Give the table with scanners that are asked besides. Raises ConfigError for kinds that no lane names."""
        added = tuple(sorted(additions, key=lambda one: one.scanner))
        if not added:
            return self
        known = self.kinds()
        faults = []
        for one in added:
            for kind in sorted(set(one.kinds) - known):
                close = difflib.get_close_matches(kind, known, n=1)
                remedy = f"did you mean `{close[0]}`?" if close else "the kinds are under Lanes in docs/reference.md"
                faults.append((f"scanners.{one.scanner}.kinds", f"there is no kind `{kind}`", remedy))
        if faults:
            raise ConfigError("the configuration asks scanners about unknown kinds", faults=faults)
        digest = hashlib.sha256(self.digest.encode() + msgspec.json.encode(added, order="sorted")).hexdigest()
        return LaneTable(lanes=self.lanes, digest=digest, additions=added)


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
