"""The inventory that a run keeps beside its record: of the whole tree, whatever a change touches."""

from __future__ import annotations

from secgate.event import Event
from secgate.inventory import Inventory, InventoryStored, gap_counts
from secgate.model import Digest, Lane, RunDocument
from secgate.preparation import ChosenLedger, Prepared, Workshop, tree_inventory
from secgate.scan import LaneTable


def run_inventory(
    prepared: Prepared, chosen: ChosenLedger | None, shop: Workshop, *, lanes: LaneTable
) -> Inventory | None:
    """Take the inventory of a run that looks at dependencies and is recorded; None for another. Raises as a view."""
    if chosen is None or chosen.read_only or Lane.DEPENDENCIES not in prepared.profile.lanes:
        return None
    return tree_inventory(prepared, shop, lanes=lanes)


def inventory_blobs(inventory: Inventory | None) -> dict[Digest, bytes]:
    """Give what is kept, by its digest."""
    return {inventory.digest: inventory.stored} if inventory is not None else {}


def inventory_events(inventory: Inventory | None, document: RunDocument) -> tuple[Event, ...]:
    """Say in the ledger what was kept, and how much of the tree it does not speak of."""
    if inventory is None:
        return ()
    target = document.target
    return (
        InventoryStored(
            run_id=document.run_id,
            repository=target.repository,
            line=target.line,
            prefix=target.prefix,
            commit=target.commit,
            tree=target.tree,
            dirty=target.dirty,
            artifacts=target.artifacts,
            inventory_digest=inventory.digest,
            components=len(inventory.components),
            manifests=len(inventory.manifests),
            gaps=gap_counts(inventory),
        ),
    )
