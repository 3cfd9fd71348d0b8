"""Stage record: RunDocument -> entries of a ledger.

Appends the events that follow from a run on what the ledger holds, all at once or not at all. Clocks start and end in
protected runs of a clean tree only; every other run leaves its `run` entry and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from types import MappingProxyType

from secgate.errors import HeadMovedError, InternalError, LedgerError
from secgate.event import Event
from secgate.events import LedgerAdopted, LedgerCreated, to_entry
from secgate.memory import EPISODE_WINDOW_S, Memory
from secgate.merkle import EMPTY_HEAD
from secgate.model import Digest, Entry, Head, RunDocument, Value, encode
from secgate.people import id_of
from secgate.ports import Ledger
from secgate.retirement import Retirement
from secgate.succession import Following, Stamp, follow


class RecordRequest(Value, frozen=True, kw_only=True):
    """A run to be recorded, and how.

    `now` is aware UTC. `required`: a ledger is asked for, so none is made here. `read_only`: nothing is written (forks,
    pre-commit). `actor`, `author` and `reviewers` are opaque ids, those of the target where they are
    not given. `blobs` are stored beside the run document and the decision's input, by digest. `gone` are fingerprints
    of known findings whose text is certainly no longer there, `retirement` is what is retired by now, `events` are what
    else the run brings.
    """

    document: RunDocument
    decision_input: bytes
    now: datetime
    required: bool
    read_only: bool
    config_digest: str = ""
    mapping_versions: tuple[str, ...] = ()
    mapping_digest: str = ""
    actor: str = ""
    author: str = ""
    reviewers: tuple[str, ...] = ()
    blobs: Mapping[Digest, bytes] = {}
    events: tuple[Event, ...] = ()
    gone: frozenset[str] = frozenset()
    retirement: Retirement = Retirement()
    episode_window_s: int = EPISODE_WINDOW_S
    attempts: int = 64


class RecordReceipt(Value, frozen=True, kw_only=True):
    """What became of it. `entries` are () for a read-only run; `notes` say what was asked for and not done, and why."""

    head: Head
    entries: tuple[Entry, ...]
    provisional: bool
    created: bool = False
    document_digest: Digest | None = None
    notes: tuple[str, ...] = ()


def record(
    request: RecordRequest,
    ledger: Ledger,
    *,
    memory: Memory | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> RecordReceipt:
    """Append what follows from the run, in one piece, and give the new head.

    Where another writer was first, what follows is worked out again on the ledger as it then is, at most
    `request.attempts` times; `pause` waits that many seconds before. `memory` is grown in place.

    Raises LedgerError if the ledger is absent or provisional where required, cannot be written or does not verify, and
    HeadMovedError if other writers were first every time.
    """
    if request.now.tzinfo is None:
        raise InternalError("record was given a time without a zone")
    memory = Memory() if memory is None else memory
    if request.read_only:
        if ledger.exists():
            memory.catch_up(ledger)
        return RecordReceipt(head=memory.head, entries=(), provisional=memory.provisional)
    created = _make_if_absent(ledger, required=request.required)
    digest, blobs = _blobs(request)
    moved: HeadMovedError | None = None
    for attempt in range(request.attempts):
        # What was recalled just now is most likely still so; if not, the append itself says it.
        if moved is not None or not memory.head.size:
            memory.catch_up(ledger)
        if request.required and memory.provisional:
            raise LedgerError(
                "a ledger is required here, and this one was made at first use or is empty",
                place=ledger.address,
                remedy="run `secgate ledger init` once, on purpose, or restore the ledger",
            )
        following = _follow(request, memory, document_digest=digest)
        try:
            head = ledger.append(memory.head, following.entries, now=request.now, blobs=blobs)
        except HeadMovedError as error:
            moved = error
            pause(_wait_s(request.document.run_id, attempt))
            continue
        return RecordReceipt(
            head=head,
            entries=following.entries,
            provisional=memory.provisional,
            created=created,
            document_digest=digest,
            notes=following.notes,
        )
    raise HeadMovedError(
        f"other writers were first {request.attempts} times in a row; last: {moved.what if moved else 'never tried'}",
        place=ledger.address,
        remedy="run it again; if nobody else writes, the ledger's head does not fit its entries: verify it",
    ) from moved


def initialise(ledger: Ledger, *, seed: str, secgate_version: str, now: datetime, actor: str = "") -> Head:
    """Make a ledger on purpose, or make the provisional one that is there the one that counts; give its head.

    `seed` is anything that is used once, such as a run id. Raises LedgerError if there is one already that counts.
    """
    _make_if_absent(ledger, required=False)
    memory = Memory()
    memory.catch_up(ledger)
    if memory.head == EMPTY_HEAD:
        event: LedgerCreated | LedgerAdopted = LedgerCreated(
            ledger_id=_ledger_id(seed, now), provisional=False, secgate_version=secgate_version
        )
    elif memory.provisional:
        event = LedgerAdopted(secgate_version=secgate_version, actor=actor)
    else:
        raise LedgerError("there is a ledger already", place=ledger.address, remedy="use it, or name another place")
    return ledger.append(memory.head, [to_entry(event)], now=now, blobs={})


def append_events(
    entries: Sequence[Entry],
    ledger: Ledger,
    *,
    memory: Memory,
    now: datetime,
    blobs: Mapping[Digest, bytes] = MappingProxyType({}),
    attempts: int = 64,
    pause: Callable[[float], None] = time.sleep,
) -> Head:
    """Append what does not depend on what others write, such as a signed statement, and give the new head.

    `blobs` are stored beside the entries; `memory` is grown in place. Raises LedgerError, and HeadMovedError if other
    writers were first every time.
    """
    seed = sha256(encode([entry.body.decode() for entry in entries])).hexdigest()
    for attempt in range(attempts):
        memory.catch_up(ledger)
        try:
            head = ledger.append(memory.head, entries, now=now, blobs=blobs)
        except HeadMovedError:
            pause(_wait_s(seed, attempt))
            continue
        memory.catch_up(ledger)
        return head
    raise HeadMovedError(
        f"other writers were first {attempts} times in a row", place=ledger.address, remedy="say it again"
    )


def _make_if_absent(ledger: Ledger, *, required: bool) -> bool:
    if ledger.exists():
        return False
    if required:
        raise LedgerError(
            "a ledger is required here and there is none",
            place=ledger.address,
            remedy="restore it, or run `secgate ledger init` if there never was one",
        )
    try:
        ledger.create()
    except LedgerError:
        if not ledger.exists():  # else another writer made it in between
            raise
        return False
    return True


def _blobs(request: RecordRequest) -> tuple[Digest, dict[Digest, bytes]]:
    """Give the run document's digest, and everything that is stored beside the entries."""
    decision, given = request.document.decision, request.decision_input
    if decision is not None and decision.input_digest != sha256(given).hexdigest():
        raise InternalError("the decision's input to be recorded is not the one that was judged")
    document = encode(request.document)
    digest = sha256(document).hexdigest()
    inputs = {sha256(given).hexdigest(): given} if given else {}
    return digest, {**request.blobs, **inputs, digest: document}


def _follow(request: RecordRequest, memory: Memory, *, document_digest: Digest) -> Following:
    created: tuple[Entry, ...] = ()
    if memory.head == EMPTY_HEAD:
        event = LedgerCreated(
            ledger_id=_ledger_id(request.document.run_id, request.now),
            provisional=True,
            secgate_version=request.document.secgate_version,
        )
        created = (to_entry(event),)
    target = request.document.target
    following = follow(
        request.document,
        memory=memory,
        now_epoch_s=int(request.now.timestamp()),
        gone=request.gone,
        retirement=request.retirement,
        episode_window_s=request.episode_window_s,
        stamp=Stamp(
            document_digest=document_digest,
            input_digest=sha256(request.decision_input).hexdigest() if request.decision_input else "",
            config_digest=request.config_digest,
            mapping_versions=request.mapping_versions,
            mapping_digest=request.mapping_digest,
            actor=request.actor or id_of(target.actor),
            author=request.author or id_of(target.author),
            reviewers=request.reviewers or tuple(sorted(filter(None, map(id_of, target.reviewers)))),
        ),
    )
    given = tuple(to_entry(one) for one in request.events)
    return Following(entries=(*created, *following.entries, *given), notes=following.notes)


def _ledger_id(seed: str, now: datetime) -> Digest:
    return sha256(encode(["secgate-ledger", seed, int(now.timestamp())])).hexdigest()


def _wait_s(run_id: str, attempt: int) -> float:
    """Give up to 20 ms at first and half a second later, spread by run, so that writers do not move in step."""
    spread = sha256(f"{run_id}/{attempt}".encode()).digest()[0] / 255
    return float(min(0.02 * 2 ** min(attempt, 5), 0.5) * spread)
