"""Bills of materials: of the inventory that a run kept, or of a tree as it is now."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from secgate.bom import Form, Subject, bill_of_materials
from secgate.config import Machine
from secgate.errors import LedgerError, UsageError
from secgate.inventory import Inventory, InventoryStored, read_inventory
from secgate.memory import KnownInventory, Memory
from secgate.model import Value
from secgate.ports import Ledger
from secgate.preparation import (
    Place,
    RunRequest,
    Silence,
    named_ledger,
    opened,
    prepare,
    shipped_lanes,
    tree_inventory,
    workshop,
)
from secgate.recall import recall


class BomWish(Value, frozen=True, kw_only=True):
    """Of what a bill of materials is wanted.

    Without `run` and `ledger` of the tree as it is now. `run` is the start of a run's id, of `ledger` or else of the
    tree's own; with `ledger` alone its last run counts. The artefact's digest is `sha256:HEX` or `sha512:HEX`.
    """

    form: Form
    run: str = ""
    ledger: str = ""
    artifact_name: str = ""
    artifact_digest: str = ""


def bom_of(wish: BomWish, *, place: Place, machine: Machine, now: datetime) -> bytes:
    """Give what a tree's manifests name as CycloneDX: of a recorded run as of its time, else of the tree as of `now`.

    Raises LedgerError for a ledger that is not there or does not verify, UsageError where no run is meant, or several.
    """
    if not wish.run and not wish.ledger:
        with workshop(machine, now=now, observer=Silence()) as shop:
            request = RunRequest(path=place.path, config=place.config, enforced=place.enforced)
            prepared = prepare(request, machine=machine, runner=shop.executor, scratch=shop.scratch)
            target = prepared.target
            subject = Subject(
                repository=target.repository,
                prefix=target.prefix,
                line=target.line,
                commit=target.commit,
                tree=target.tree,
                dirty=target.dirty,
            )
            return _bill(
                tree_inventory(prepared, shop, lanes=shipped_lanes()), subject, wish, at_epoch_s=int(now.timestamp())
            )
    if wish.ledger:
        with workshop(machine, now=now, observer=Silence()) as shop:
            ledger = named_ledger(wish.ledger, machine=machine, executor=shop.executor)
            memory = Memory()
            memory.catch_up(ledger)
            return _stored_bill(ledger, memory, wish)
    with opened(place, machine=machine, now=now) as (prepared, chosen, _):
        memory = Memory()
        recall(
            chosen.ledger,
            repository=prepared.target.repository,
            line=prepared.target.line,
            now=now,
            required=False,
            read_only=True,
            remembered=chosen.remembered,
            memory=memory,
        )
        return _stored_bill(chosen.ledger, memory, wish)


def _stored_bill(ledger: Ledger, memory: Memory, wish: BomWish) -> bytes:
    known = _inventory_of(wish.run, memory, ledger.address)
    event = known.event
    try:
        inventory = read_inventory(ledger.blob(event.inventory_digest))
    except msgspec.DecodeError as error:
        raise LedgerError(
            f"the inventory of run {event.run_id} cannot be read: {error}", place=ledger.address
        ) from error
    subject = Subject(
        repository=event.repository,
        prefix=event.prefix,
        line=event.line,
        commit=event.commit,
        tree=event.tree,
        dirty=event.dirty,
        run_id=event.run_id,
        bound_by=_bound_by(wish.artifact_digest, event, memory),
    )
    return _bill(inventory, subject, wish, at_epoch_s=known.at_epoch_s)


def _bound_by(digest: str, kept: InventoryStored, memory: Memory) -> Literal["", "run", "attestation"]:
    """Say whose word in the ledger it is that an artefact was built from a run's tree; "" for nobody's."""
    if not digest or digest in kept.artifacts:
        return "run" if digest else ""
    is_bound = any((one.run_id, one.artifact) == (kept.run_id, digest) for one in memory.bindings)
    return "attestation" if is_bound else ""


def _inventory_of(run_id: str, memory: Memory, address: str) -> KnownInventory:
    kept = memory.inventories
    found = [known for name, known in kept.items() if name.startswith(run_id)]
    exact = [kept[run_id]] if run_id in kept else []
    if not found:
        latest = ", ".join(list(kept)[-3:])
        told = f"the latest that did: {latest}" if latest else "a run of a profile with the dependencies lane keeps one"
        raise UsageError(f"no run that begins with `{run_id}` kept an inventory", place=address, remedy=told)
    if run_id and len(found) > 1 and not exact:
        raise UsageError(f"{len(found)} runs begin with `{run_id}`", place=address, remedy="give more of the id")
    repositories = sorted({known.event.repository for known in found})
    if not run_id and len(repositories) > 1:
        named = ", ".join(repositories[:5])
        raise UsageError(f"the ledger is of several repositories: {named}", place=address, remedy="name a run: --run")
    return (exact or found)[-1]


def _bill(inventory: Inventory, subject: Subject, wish: BomWish, *, at_epoch_s: int) -> bytes:
    if wish.artifact_digest:
        subject = msgspec.structs.replace(
            subject,
            artifact_name=wish.artifact_name,
            artifact_digest=wish.artifact_digest,
            bound_by=subject.bound_by or "sbom",
        )
    return bill_of_materials(inventory, subject, at_epoch_s=at_epoch_s, form=wish.form)
