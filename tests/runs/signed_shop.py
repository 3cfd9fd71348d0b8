"""A repository with one weakness, a machine, and an organisation with two persons; only one may sign."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from secgate.event import Event
from secgate.events import event_of
from secgate.ledgers.sqlite import SqliteLedger
from secgate.model import RunDocument
from tests.product import DAY, NOW, WEAK, Product
from tests.signing_support import ADA, EVE, allowed, enforced_layer, make_key
from tests.unit.conftest import Git

Kind = TypeVar("Kind", bound=Event)


class Shop:
    """Ada may sign for `namespace`, Eve is a person who may not."""

    def __init__(self, product: Product, git: Git, home: Path, namespace: str) -> None:
        self.product, self.git = product, git
        self.ada, self.eve = (make_key(home / "keys", name) for name in ("ada", "eve"))
        lines = (allowed(ADA, self.ada, f'namespaces="{namespace}"'), allowed(EVE, self.eve, 'namespaces="other"'))
        self.layer = enforced_layer(home / "organisation", *lines)
        git.commit({"app.py": WEAK})

    def run(self, days: float = 0, *, baseline: str = "", enforced: bool = True) -> RunDocument:
        """Run on the protected branch, so many days after the first."""
        return self.product.run(
            self.git.root,
            now=NOW + days * DAY,
            scope="protected",
            ref="refs/heads/main",
            enforced=str(self.layer) if enforced else "",
            baseline=baseline,
        )

    @property
    def ledger(self) -> SqliteLedger:
        """The ledger that the runs wrote."""
        return SqliteLedger(str(self.git.root / ".git" / "secgate" / "ledger.sqlite"), read_only=True)

    def events(self, kind: type[Kind]) -> list[Kind]:
        """Give the recorded events of a kind, oldest first."""
        found = [event_of(entry) for entry in self.ledger.read()]
        return [event for event in found if isinstance(event, kind)]
