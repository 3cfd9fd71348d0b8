"""A ledger made on purpose."""

from __future__ import annotations

from datetime import datetime

from secgate.config import Machine
from secgate.merkle import EMPTY_HEAD
from secgate.model import Head
from secgate.preparation import Place, opened
from secgate.recall import check_growth
from secgate.record import initialise
from secgate.version import __version__


def make(place: Place, *, machine: Machine, now: datetime) -> tuple[str, Head]:
    """Make the ledger of a tree on purpose; give its address and head.

    Raises LedgerError where one counts already, and where a longer one was there: a new one would start every clock
    anew.
    """
    with opened(place, machine=machine, now=now) as (prepared, chosen, _):
        if chosen.remembered is not None:
            head = chosen.ledger.head() if chosen.ledger.exists() else EMPTY_HEAD
            check_growth(chosen.ledger, chosen.remembered, head=head)
        seed = f"{prepared.target.repository}\0{now.isoformat()}"
        head = initialise(chosen.ledger, seed=seed, secgate_version=__version__, now=now)
        chosen.seen.keep(chosen.ledger.address, head)
        return chosen.ledger.address, head
