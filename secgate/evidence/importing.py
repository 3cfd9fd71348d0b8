"""A population taken in: read, its people made opaque, kept as a blob, and where it comes from as an event."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from secgate import registry
from secgate.config import Machine
from secgate.errors import ConfigError, LedgerError, UsageError
from secgate.events import to_entry
from secgate.memory import Memory
from secgate.model import Value
from secgate.people import id_of
from secgate.population import PopulationImported, stored
from secgate.population_records import Scope, provided, rows_of
from secgate.population_text import MAX_BYTES
from secgate.ports import PopulationKind
from secgate.preparation import Place, opened
from secgate.recall import check_growth
from secgate.record import append_events
from secgate.version import __version__

SUFFIXES = (".csv", ".json")
_LONGEST_WORDS = 1_000
_CREDENTIAL = re.compile(
    r"://[^/\s]*@|[\w.+-]+@[\w-]+\.\w|(?i:token|secret|passw\w*|api_?key|authorization)[\"']?\s*[:=]\s*\S"
)


class ImportWish(Value, frozen=True, kw_only=True):
    """What is to be taken in, and what is said of it.

    `form` "" goes by the file's name. `source` and `query` say where it comes from and how it was asked for; times are
    aware. `start` and `end`: it holds everything from then until before then; None for repositories, which are as of
    the extraction.
    """

    kind: PopulationKind
    file: str
    form: str = ""
    source: str
    query: str
    extracted: datetime
    start: datetime | None = None
    end: datetime | None = None
    repositories: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()


class ImportReceipt(NamedTuple):
    """What became of it. `again`: the same was there already, and nothing was written."""

    event: PopulationImported
    again: bool
    address: str


def import_population(wish: ImportWish, *, place: Place, machine: Machine, now: datetime) -> ImportReceipt:
    """Take a population into a tree's ledger; the same file again changes nothing.

    Raises ConfigError with every fault of the file, UsageError for a wish that cannot be, LedgerError for a ledger that
    is not there or cannot be written. In each case nothing is written.
    """
    form = _form(wish)
    reader = registry.population(form)
    if wish.kind not in reader.kinds:
        raise UsageError(
            f"the form {form} has no {wish.kind}", place="--form", remedy=f"it has: {', '.join(reader.kinds)}"
        )
    scope = _scope(wish, now=now)
    data = _read(wish.file, machine)
    with opened(place, machine=machine, now=now) as (prepared, chosen, _):
        reading = provided(reader.read(data, wish.kind, place=wish.file), wish.repositories)
        people = prepared.enforced.people
        made = rows_of(wish.kind, reading, scope=scope, people=people, provider=reader.provider, place=wish.file)
        rows = stored(wish.kind, made.rows)
        event = PopulationImported(
            kind=wish.kind,
            form=form,
            source=wish.source,
            query=wish.query,
            extracted_epoch_s=int(wish.extracted.timestamp()),
            from_epoch_s=scope.start_epoch_s,
            to_epoch_s=scope.end_epoch_s,
            repositories=scope.repositories,
            environments=scope.environments,
            source_digest=sha256(data).hexdigest(),
            rows_digest=sha256(rows).hexdigest(),
            rows=len(made.rows),
            read=reading.read,
            left_out=made.left_out,
            unknown_people=made.unknown_people,
            actor=id_of(prepared.target.actor),
            secgate_version=__version__,
        )
        ledger = chosen.ledger
        if not ledger.exists():
            raise LedgerError("there is no ledger to keep it in", place=ledger.address, remedy="secgate ledger init")
        memory = Memory()
        memory.catch_up(ledger)
        if chosen.remembered is not None:
            check_growth(ledger, chosen.remembered, head=memory.head)
        known = next((one.event for one in memory.populations if event.is_again(one.event)), None)
        if known is not None:
            return ImportReceipt(known, again=True, address=ledger.address)
        # A clock that was put back makes nothing earlier than what is recorded already.
        at = max(now, datetime.fromtimestamp(memory.last_epoch_s, tz=UTC))
        append_events([to_entry(event)], ledger, memory=memory, now=at, blobs={event.rows_digest: rows})
        return ImportReceipt(event, again=False, address=ledger.address)


def _form(wish: ImportWish) -> str:
    if wish.form:
        return wish.form
    suffix = Path(wish.file).suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(
            "the file's name does not tell its form", place=wish.file, remedy="give --form csv, json, github or gitlab"
        )
    return suffix[1:]


def _scope(wish: ImportWish, *, now: datetime) -> Scope:
    """Check what is said of the file. Raises ConfigError with every fault at once."""
    faults: list[tuple[str, str, str]] = []
    for name, text in (("--source", wish.source), ("--query", wish.query)):
        if not text.strip() or len(text) > _LONGEST_WORDS or not text.isprintable():
            faults.append((name, "it is empty, too long, or holds what cannot be printed", "say it in one line"))
        elif _CREDENTIAL.search(text):
            faults.append(
                (name, "it holds what looks like a credential or a name", "it stays for ever: leave that out")
            )
    if wish.extracted > now:
        faults.append(("--extracted-at", "it lies ahead", "give when the list was taken"))
    if (wish.start is None) != (wish.kind == "repositories") or (wish.end is None) != (wish.kind == "repositories"):
        told = ("repositories are as of --extracted-at", "leave --from and --to out")
        if wish.kind != "repositories":
            told = ("nothing says which period the list holds", "give both: everything in it is expected to be there")
        faults.append(("--from, --to", *told))
    elif wish.start is not None and wish.end is not None:
        if wish.start >= wish.end:
            faults.append(("--from, --to", "the period ends before it begins", "give a later --to"))
        elif wish.end > wish.extracted:
            faults.append(
                ("--to", "the list was taken before the period's end", "end it at --extracted-at at the latest")
            )
    if wish.environments and wish.kind != "deployments":
        faults.append(("--environment", f"{wish.kind} have none", "leave it out"))
    if faults:
        raise ConfigError("what is said of the list cannot be", faults=faults, remedy="mend each; nothing was imported")
    return Scope(
        int(wish.start.timestamp()) if wish.start else 0,
        int(wish.end.timestamp()) if wish.end else 0,
        _sorted(wish.repositories),
        _sorted(wish.environments),
    )


def _sorted(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _read(name: str, machine: Machine) -> bytes:
    try:
        handle = os.open(Path(machine.cwd, name), os.O_RDONLY | os.O_NONBLOCK)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise UsageError("this is no regular file", place=name, remedy="write the export into a file first")
            with os.fdopen(handle, "rb", closefd=False) as stream:
                return stream.read(MAX_BYTES + 1)
        finally:
            os.close(handle)
    except OSError as error:
        raise UsageError(f"it cannot be read: {error.strerror}", place=name, remedy="give a file") from error
