"""The inventory of a tree: the packages that its manifests name, where each stands, and what nobody could read.

It is what the manifests say and no more: a package that none of them names is not in it. So it is never called
complete; where something is known to be missing it is in `gaps`. Nothing of it is text of a manifest but normalised
names and versions, ranges, digests and paths.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import ClassVar, Literal

import msgspec

from secgate.event import Event
from secgate.manifests import Entry, Manifest, Settled
from secgate.model import Digest, Epoch, LeftOut, Value, encode
from secgate.purl import of_python

MAX_COMPONENTS = 50_000
MAX_PLACES = 50
"""Of one component."""
MAX_GAPS = 2_000
MAX_REQUESTED = 200
TOO_MANY = "too-many"
_ELSEWHERE = frozenset({"url", "vcs", "local-path", "editable"})
_INDEX = "index"


class InventoryPlace(Value, frozen=True, kw_only=True):
    """Where a manifest names a component; `line` 0 where it cannot be told."""

    path: str
    line: int


class InventoryComponent(Value, frozen=True, kw_only=True):
    """A package in one version, as one or more manifests name it.

    `version` is "" where nothing pins one; `requested` is then the range that is asked for. `source` is `index`, or
    says that the package comes from elsewhere: such a one has no package URL. `hashes` are of the files that a lock
    allows, any one of which may be installed. `development`: nothing but development asks for it. `conditional`: it is
    asked for under a condition everywhere.
    """

    name: str
    version: str = ""
    requested: str = ""
    source: str = _INDEX
    purl: str = ""
    hashes: tuple[str, ...] = ()
    direct: bool = False
    development: bool = False
    conditional: bool = False
    places: tuple[InventoryPlace, ...] = ()


class InventoriedManifest(Value, frozen=True, kw_only=True):
    """A manifest that was read; `lock` stands for its ranges, "" for none. `pinned` are its entries with a version."""

    path: str
    kind: str
    pinned: int
    unpinned: int
    lock: str = ""


class InventoryGap(Value, frozen=True, kw_only=True):
    """What is not in the inventory, or only in part. `detail` is in our own words."""

    path: str
    line: int = 0
    reason: str
    detail: str = ""


class Inventory(Value, frozen=True, kw_only=True):
    """What a tree's manifests name, sorted. Equal manifests give equal bytes."""

    schema: Literal["secgate/inventory"] = "secgate/inventory"
    version: Literal[1] = 1
    components: tuple[InventoryComponent, ...] = ()
    manifests: tuple[InventoriedManifest, ...] = ()
    gaps: tuple[InventoryGap, ...] = ()

    @property
    def stored(self) -> bytes:
        """The bytes that are kept."""
        return encode(self)

    @property
    def digest(self) -> Digest:
        """Digest of the bytes that are kept."""
        return sha256(self.stored).hexdigest()


class InventoryStored(Event, frozen=True, kw_only=True):
    """The inventory of a run's tree was kept; it (`inventory_digest`) is a blob. `gaps` count what could not be read.

    `artifacts` are the digests of what was built, as the run was told. `gaps` are by reason.
    """

    TYPE: ClassVar[str] = "inventory-stored"
    VERSION: ClassVar[int] = 1

    run_id: str
    repository: str
    line: str
    prefix: str
    commit: str
    tree: str
    dirty: bool
    artifacts: tuple[str, ...] = ()
    inventory_digest: Digest
    components: Epoch
    manifests: Epoch
    gaps: Mapping[str, int] = {}


INVENTORY_EVENTS: tuple[type[Event], ...] = (InventoryStored,)
"""All of them."""


def gap_counts(inventory: Inventory) -> dict[str, int]:
    """Give the number of gaps by reason."""
    counts: dict[str, int] = {}
    for gap in inventory.gaps:
        counts[gap.reason] = counts.get(gap.reason, 0) + 1
    return dict(sorted(counts.items()))


def read_inventory(data: bytes) -> Inventory:
    """Give the inventory of a blob. Raises msgspec.DecodeError for what is none."""
    return msgspec.json.decode(data, type=Inventory)


def take_inventory(settled: Sequence[Settled], unread: Iterable[InventoryGap]) -> Inventory:
    """Put together what manifests name; `unread` is what could not be read at all.

    A constraints file asks for nothing: what it pins counts where a manifest refers to it.
    """
    found: dict[tuple[str, str, str], InventoryComponent] = {}
    gaps = [*unread]
    for one in settled:
        gaps += _gaps(one)
        if one.manifest.kind == "pip-constraints":
            continue
        for entry in _named(one):
            component = _component(entry, direct=_is_direct(entry, one))
            key = (component.name, component.version, component.source)
            found[key] = _both(found[key], component) if key in found else component
    components = [found[key] for key in sorted(found)]
    if len(components) > MAX_COMPONENTS:
        gaps.append(InventoryGap(path="", reason=TOO_MANY, detail=f"more than {MAX_COMPONENTS} components"))
    return Inventory(
        components=tuple(components[:MAX_COMPONENTS]),
        manifests=tuple(
            _manifest(one.manifest, one.lock) for one in sorted(settled, key=lambda one: one.manifest.path)
        ),
        gaps=_capped(gaps),
    )


def left_out_gap(left: LeftOut) -> InventoryGap:
    """Say that a manifest was not offered, in the words that coverage has for it."""
    detail = f"left out by the pattern {left.detail}" if left.reason == "excluded" and left.detail else ""
    return InventoryGap(path=left.path, reason=left.reason, detail=detail)


def _named(one: Settled) -> Iterable[Entry]:
    """Give the entries that make components: what is pinned, comes from elsewhere, or is left open."""
    left_open = set(one.open)
    for entry in one.manifest.entries:
        if entry.name and (entry.version or entry.problem in _ELSEWHERE or entry in left_open):
            yield entry


def _gaps(one: Settled) -> Iterable[InventoryGap]:
    for problem in one.manifest.problems:
        yield InventoryGap(path=problem.path, line=problem.line, reason=problem.reason)
    for entry in one.open:
        if not entry.name or entry.problem not in _ELSEWHERE:
            yield InventoryGap(path=entry.path, line=entry.line, reason=f"unpinned-{entry.problem or 'entry'}")
    if one.manifest.kind == "pip-requirements" and one.manifest.entries and not one.manifest.lock:
        told = "no hashes, so what its packages need may not be listed in it"
        yield InventoryGap(path=one.manifest.path, reason="no-lock", detail=told)


def _is_direct(entry: Entry, one: Settled) -> bool:
    return entry.name in one.direct if one.direct else entry.direct


def _component(entry: Entry, *, direct: bool) -> InventoryComponent:
    elsewhere = entry.problem in _ELSEWHERE
    # A lock knows the version of what comes from elsewhere, though no advisory speaks of it for sure.
    known = entry.specifier.removeprefix("==") if elsewhere and entry.specifier.startswith("==") else ""
    version = entry.version or known
    requested = "" if version or len(entry.specifier) > MAX_REQUESTED or "===" in entry.specifier else entry.specifier
    return InventoryComponent(
        name=entry.name,
        version=version,
        requested=requested,
        source=entry.problem if elsewhere else _INDEX,
        purl="" if elsewhere else of_python(entry.name, version),
        hashes=entry.hashes,
        direct=direct,
        development=entry.development,
        conditional=bool(entry.marker),
        places=(InventoryPlace(path=entry.path, line=entry.line),),
    )


def _both(one: InventoryComponent, other: InventoryComponent) -> InventoryComponent:
    places = sorted({*one.places, *other.places}, key=lambda place: (place.path, place.line))
    return msgspec.structs.replace(
        one,
        requested=min((text for text in (one.requested, other.requested) if text), default=""),
        hashes=tuple(sorted({*one.hashes, *other.hashes})),
        direct=one.direct or other.direct,
        development=one.development and other.development,
        conditional=one.conditional and other.conditional,
        places=tuple(places[:MAX_PLACES]),
    )


def _manifest(manifest: Manifest, lock: str) -> InventoriedManifest:
    return InventoriedManifest(
        path=manifest.path,
        kind=manifest.kind,
        pinned=len(manifest.pinned),
        unpinned=len(manifest.unpinned),
        lock=lock,
    )


def _capped(gaps: Iterable[InventoryGap]) -> tuple[InventoryGap, ...]:
    ordered = sorted(set(gaps), key=lambda gap: (gap.path, gap.line, gap.reason, gap.detail))
    if len(ordered) <= MAX_GAPS:
        return tuple(ordered)
    more = InventoryGap(path="", reason=TOO_MANY, detail=f"and {len(ordered) - MAX_GAPS} more gaps")
    return (more, *ordered[:MAX_GAPS])
