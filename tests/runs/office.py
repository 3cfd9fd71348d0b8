"""A repository whose people sign: with a ledger, an enforced layer, and two of them, of whom one may approve."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from secgate import statements
from secgate.model import RunDocument
from secgate.statements import Place, Speaker, Wish
from secgate.waivers import Waiver
from tests.product import DAY, NOW, Product
from tests.signing_support import ADA, EVE, KEYGEN, allowed, enforced_layer, make_key
from tests.unit.conftest import Git


class Office:
    """A repository with a ledger and an enforced layer, and two people: Ada may approve, Eve may not."""

    def __init__(self, product: Product, git: Git, folder: Path) -> None:
        if not KEYGEN:
            pytest.skip("no ssh-keygen")
        self.product, self.git = product, git
        self.keys = {ADA: make_key(folder / "keys", "ada"), EVE: make_key(folder / "keys", "eve")}
        self.folder = folder / "organisation"
        self.write(*(allowed(person, key) for person, key in self.keys.items()))

    def write(self, *lines: str, revoked: str = "") -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        enforced_layer(self.folder, *lines, revoked=revoked)

    @property
    def place(self) -> Place:
        return Place(path=str(self.git.root), enforced=str(self.folder))

    def run(self, days: float = 0, **options: str) -> RunDocument:
        given: dict[str, object] = {"enforced": str(self.folder), **options}
        return self.product.run(self.git.root, now=NOW + days * DAY, **given)  # type: ignore[arg-type]

    def speaker(self, person: str) -> Speaker:
        return Speaker(person=person, key=str(self.keys[person].path))

    def ask(self, name: str, person: str = EVE, days: float = 0, life: float = 30, kind: str = "accept") -> Waiver:
        wish = Wish(kind=kind, reason="behind a login", expires=NOW + (days + life) * DAY)  # type: ignore[arg-type]
        return statements.request_for_finding(
            name,
            wish,
            speaker=self.speaker(person),
            place=self.place,
            machine=self.product.machine(),
            now=self.at(days),
        )

    def approve(self, waiver: Waiver, person: str = ADA, days: float = 0) -> Waiver:
        return statements.approve(
            waiver.id,
            speaker=self.speaker(person),
            place=self.place,
            machine=self.product.machine(),
            now=self.at(days),
        )

    def waive(self, name: str, days: float = 0, life: float = 30) -> Waiver:
        return self.approve(self.ask(name, days=days, life=life), days=days)

    def at(self, days: float) -> datetime:
        return NOW + timedelta(days=days)
