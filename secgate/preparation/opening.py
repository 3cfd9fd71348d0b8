"""A tree's ledger, opened as a run would find it: what everything that is no run starts with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from secgate.config import Machine
from secgate.errors import UsageError
from secgate.model import Value
from secgate.preparation.ledgers import ChosenLedger, choose_ledger
from secgate.preparation.prepare import Prepared, RunRequest, prepare
from secgate.preparation.silence import Silence
from secgate.preparation.workshop import Workshop, workshop


class Place(Value, frozen=True, kw_only=True):
    """Which tree's ledger is asked, and with which settings: what `--path`, `--config` and `--enforced` say."""

    path: str = "."
    config: str = ""
    enforced: str = ""


class Opened(NamedTuple):
    """A tree prepared as for a run, its ledger, and what it is worked on with."""

    prepared: Prepared
    chosen: ChosenLedger
    shop: Workshop


@contextlib.contextmanager
def prepared_at(
    place: Place, *, machine: Machine, now: datetime
) -> Iterator[tuple[Prepared, ChosenLedger | None, Workshop]]:
    """Give a tree prepared as for a run, its ledger, None where that is switched off, and what it is worked on with.

    The tree's files are not listed: in a plain folder that holds much, that takes minutes.
    """
    with workshop(machine, now=now, observer=Silence()) as shop:
        request = RunRequest(path=place.path, config=place.config, enforced=place.enforced)
        prepared = prepare(request, machine=machine, runner=shop.executor, scratch=shop.scratch, listed=False)
        chosen = choose_ledger(
            prepared.settings.ledger,
            target=prepared.target,
            repository=prepared.repository,
            machine=machine,
            executor=shop.executor,
            read_only=False,
        )
        yield prepared, chosen, shop


@contextlib.contextmanager
def opened(place: Place, *, machine: Machine, now: datetime) -> Iterator[Opened]:
    """Give a tree's ledger, which need not be there yet. Raises UsageError where it is switched off."""
    with prepared_at(place, machine=machine, now=now) as (prepared, chosen, shop):
        if chosen is None:
            raise UsageError("the ledger is switched off here", place="ledger.store", remedy="set ledger.store")
        yield Opened(prepared, chosen, shop)
