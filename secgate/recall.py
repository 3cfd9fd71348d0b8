"""Stage recall: Ledger -> History.

Reads what earlier runs recorded of this repository and line: open findings with their clocks and duties, those closed
within the window of their episode, and the runs. It writes nothing, not even an empty ledger.
"""

from __future__ import annotations

from datetime import datetime

from secgate.errors import InternalError, LedgerError
from secgate.memory import EPISODE_WINDOW_S, Memory
from secgate.merkle import EMPTY_HEAD
from secgate.model import Head, History, KnownFinding
from secgate.ports import Ledger
from secgate.sla import many_entries

FORGET = (
    "forget the head that is kept: the checkpoint in the settings, or the note of it under heads/ in secgate's state "
    "folder"
)
"""What to do where a ledger was made anew on purpose."""

_ON_PURPOSE = f"if it was made anew on purpose, {FORGET}"


def recall(
    ledger: Ledger,
    *,
    repository: str,
    line: str,
    now: datetime,
    required: bool,
    read_only: bool,
    remembered: Head | None = None,
    memory: Memory | None = None,
    episode_window_s: int = EPISODE_WINDOW_S,
) -> History:
    """Give what the ledger remembers: findings by fingerprint, runs of every line of the repository, oldest first.

    `required`: whether the enforced layer or the configuration at the merge base asks for a ledger; then an absent or
    provisional one is an error, elsewhere an absent one is an empty memory. `remembered` is a head that was seen
    before, kept elsewhere: the ledger must have grown from it. `memory` is grown in place, so that handing the same one
    to the next call reads only what is new. `now` is aware UTC.

    Raises LedgerError if the ledger is absent or provisional where required, shorter than or not grown from
    `remembered`, unreadable, or does not verify.
    """
    if now.tzinfo is None:
        raise InternalError("recall was given a time without a zone")
    memory = Memory() if memory is None else memory
    if not ledger.exists():
        _check_absence(ledger, required=required, remembered=remembered, memory=memory)
        return History(
            head_size=EMPTY_HEAD.size, head_root=EMPTY_HEAD.root, provisional=not required, read_only=read_only
        )
    memory.catch_up(ledger)
    if remembered is not None:
        check_growth(ledger, remembered, head=memory.head)
    if required and memory.provisional:
        raise LedgerError(
            "a ledger is required here, and this one was made at first use or is empty",
            place=ledger.address,
            remedy="run `secgate ledger init` once, on purpose, or restore the ledger",
        )
    # As record will reckon: a clock that was put back does not reopen what is closed for longer.
    since_epoch_s = max(int(now.timestamp()), memory.last_epoch_s) - episode_window_s
    known = sorted(memory.line(repository, line).findings.values(), key=lambda finding: finding.facts.fingerprint)
    closed: list[KnownFinding] = [
        finding.known()
        for finding in known
        if finding.closed_epoch_s is not None and finding.closed_epoch_s >= since_epoch_s
    ]
    return History(
        head_size=memory.head.size,
        head_root=memory.head.root,
        open=tuple(finding.known() for finding in known if finding.is_open),
        closed=tuple(closed),
        statements=tuple(memory.statements),
        runs=memory.runs(repository),
        provisional=memory.provisional,
        read_only=read_only,
    )


def _check_absence(ledger: Ledger, *, required: bool, remembered: Head | None, memory: Memory) -> None:
    if required:
        raise LedgerError(
            "a ledger is required here and there is none",
            place=ledger.address,
            remedy="restore it, or run `secgate ledger init` if there never was one",
        )
    if memory.head.size or (remembered is not None and remembered.size):
        raise LedgerError("the ledger is gone", place=ledger.address, remedy="restore it from a backup")


def check_growth(ledger: Ledger, remembered: Head, *, head: Head) -> None:
    """Raise LedgerError unless the ledger, whose head is `head`, has grown from `remembered`."""
    if remembered.size > head.size:
        raise LedgerError(
            f"the ledger has {many_entries(head.size)}, and had {remembered.size} before",
            place=ledger.address,
            remedy=f"its tail was cut off; restore it from a backup; {_ON_PURPOSE}",
        )
    if remembered.size == head.size:
        root = head.root
    else:
        root = next(iter(ledger.read(remembered.size))).previous_root
    if root != remembered.root:
        raise LedgerError(
            f"the first {remembered.size} entries of the ledger are not those that were there before",
            place=ledger.address,
            remedy=f"it was rewritten; restore it from a backup; {_ON_PURPOSE}",
        )
