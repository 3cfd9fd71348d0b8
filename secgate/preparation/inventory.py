"""A tree's inventory, read from the same scan view that scanners get: no link is followed, nothing of it is run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from secgate import manifests
from secgate.inventory import Inventory, InventoryGap, left_out_gap, take_inventory
from secgate.languages import kinds_of
from secgate.model import Lane, SourceFile
from secgate.preparation.prepare import Prepared
from secgate.preparation.workshop import Workshop
from secgate.scan import LaneTable
from secgate.view import ViewLimits, make_view


def tree_inventory(prepared: Prepared, shop: Workshop, *, lanes: LaneTable) -> Inventory:
    """Read every manifest of the target, whatever a change touches; `lanes` tell what is one.

    Raises IncompleteTargetError or TargetError where the files cannot be had, as for any view.
    """
    shelf = _Shelf(prepared, shop)
    named = [file for file in prepared.target.files if lanes.need(Lane.DEPENDENCIES, file) is not None]
    readable = [file for file in named if _kind(file)]
    shelf.take(readable)
    read = [
        manifests.read(file.path, _kind(file), shelf.read(file.path), reader=shelf.read)
        for file in readable
        if shelf.has(file.path)
    ]
    return take_inventory(
        manifests.settle(read), [*_unread(named, lanes), *shelf.left_out, *_not_offered(prepared, lanes)]
    )


class _Shelf:
    """Bytes of the target, each file copied when it is asked for: a manifest may refer to files of any name."""

    def __init__(self, prepared: Prepared, shop: Workshop) -> None:
        self._prepared = prepared
        self._folder = f"{shop.scratch}/inventory"
        self._known = {file.path: file for file in prepared.target.files}
        self._places: dict[str, Path] = {}
        self._taken = 0
        self.left_out: list[InventoryGap] = []

    def take(self, files: list[SourceFile]) -> None:
        """Copy files in one go; what cannot be had is in `left_out`."""
        self._taken += 1
        view = make_view(
            self._prepared.target,
            files,
            repository=self._prepared.repository,
            directory=f"{self._folder}-{self._taken}",
            limits=ViewLimits(max_file_bytes=self._prepared.settings.max_file_bytes),
        )
        self._places |= {path: Path(view.root, path) for path in view.digests}
        self.left_out += [left_out_gap(one) for one in view.left_out if one.path not in view.digests]

    def has(self, path: str) -> bool:
        """Tell whether a file could be had."""
        return path in self._places

    def read(self, path: str) -> bytes:
        """Give the bytes of a path of the target. Raises KeyError for one that is none, or cannot be had."""
        if path not in self._places:
            self.take([self._known[path]])
        return self._places[path].read_bytes()


def _kind(file: SourceFile) -> str:
    return next((kind for kind in file.kinds if kind in manifests.KINDS), "")


def _unread(named: list[SourceFile], table: LaneTable) -> Iterator[InventoryGap]:
    for file in named:
        need = table.need(Lane.DEPENDENCIES, file)
        if need is not None and not _kind(file):
            yield InventoryGap(path=file.path, reason="unsupported", detail=need.unsupported)


def _not_offered(prepared: Prepared, table: LaneTable) -> Iterator[InventoryGap]:
    """Give what was left out of the target and would have been a manifest by its name, or may hold some."""
    for left in prepared.target.left_out:
        file = SourceFile(path=left.path, size_bytes=0, kinds=kinds_of(left.path, b""))
        if left.reason == "submodule" or table.need(Lane.DEPENDENCIES, file) is not None:
            yield left_out_gap(left)
