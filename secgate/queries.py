"""What starts from the ledger: an earlier run shown again, a ledger made on purpose, a ledger verified."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime

import msgspec

from secgate import registry
from secgate.config import Machine
from secgate.errors import LedgerError, UsageError
from secgate.model import Head, RunDocument
from secgate.ports import Rendered
from secgate.preparation import ChosenLedger, RunRequest, Silence, choose_ledger, prepare, workshop
from secgate.recall import check_growth, recall
from secgate.record import initialise
from secgate.show import show as show_document
from secgate.version import __version__


def stored_run(run_id: str, *, path: str, config: str, enforced: str, machine: Machine, now: datetime) -> RunDocument:
    """Give the stored document of the run whose id starts with `run_id`, the latest for "".

    Raises LedgerError for a ledger that is not there or does not verify, UsageError for an id that names no run or two.
    """
    with _ledger_of(path, config=config, enforced=enforced, machine=machine, now=now) as (chosen, repository, line):
        history = recall(
            chosen.ledger,
            repository=repository,
            line=line,
            now=now,
            required=False,
            read_only=True,
            remembered=chosen.remembered,
        )
        runs = [run for run in history.runs if run.run_id.startswith(run_id)]
        if not runs:
            told = f"no run starts with `{run_id}`" if run_id else "no run was recorded"
            raise UsageError(told, place=chosen.ledger.address, remedy="secgate run records one")
        if run_id and len(runs) > 1:
            ids = ", ".join(run.run_id for run in runs[:5])
            raise UsageError(f"{len(runs)} runs start with `{run_id}`: {ids}", remedy="give more of the id")
        data = chosen.ledger.blob(runs[-1].document_digest)
    try:
        return msgspec.json.decode(data, type=RunDocument)
    except msgspec.DecodeError as error:
        raise LedgerError(
            f"the stored run cannot be read: {error}",
            place=chosen.ledger.address,
            remedy="use the version of secgate that recorded it, or a newer one",
        ) from error


def make_ledger(*, path: str, config: str, enforced: str, machine: Machine, now: datetime) -> tuple[str, Head]:
    """Make the ledger of a tree on purpose; give its address and head.

    Raises LedgerError where one counts already.
    """
    with _ledger_of(path, config=config, enforced=enforced, machine=machine, now=now) as (chosen, repository, _):
        seed = f"{repository}\0{now.isoformat()}"
        head = initialise(chosen.ledger, seed=seed, secgate_version=__version__, now=now)
        chosen.seen.keep(chosen.ledger.address, head)
        return chosen.ledger.address, head


def verify_ledger(*, path: str, config: str, enforced: str, machine: Machine, now: datetime) -> tuple[str, Head]:
    """Read and verify every entry of a tree's ledger; give its address and head.

    Raises LedgerError for the first fault.
    """
    with _ledger_of(path, config=config, enforced=enforced, machine=machine, now=now) as (chosen, _, _):
        if not chosen.ledger.exists():
            raise LedgerError("there is no ledger", place=chosen.ledger.address, remedy="secgate ledger init")
        count = sum(1 for _ in chosen.ledger.read())
        head = chosen.ledger.head()
        if count != head.size:
            raise LedgerError(f"{count} entries, and the head says {head.size}", place=chosen.ledger.address)
        if chosen.remembered is not None:
            check_growth(chosen.ledger, chosen.remembered, head=head)
        return chosen.ledger.address, head


def render(document: RunDocument, form: str, *, width: int, colour: bool) -> Rendered:
    """Give the document in a format by name, and what of it the format has no room for."""
    return show_document(document, registry.reporter(form), width=width, colour=colour)


@contextlib.contextmanager
def _ledger_of(
    path: str, *, config: str, enforced: str, machine: Machine, now: datetime
) -> Iterator[tuple[ChosenLedger, str, str]]:
    """Give the ledger of a tree, with the names of its repository and line."""
    with workshop(machine, now=now, observer=Silence()) as shop:
        request = RunRequest(path=path, config=config, enforced=enforced)
        prepared = prepare(request, machine=machine, runner=shop.executor, scratch=shop.scratch)
        chosen = choose_ledger(
            prepared.settings.ledger,
            target=prepared.target,
            repository=prepared.repository,
            machine=machine,
            executor=shop.executor,
            read_only=False,
        )
        if chosen is None:
            raise UsageError("the ledger is switched off here", place="ledger.store", remedy="set ledger.store")
        yield chosen, prepared.target.repository, prepared.target.line
