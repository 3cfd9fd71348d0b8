"""A repository whose pipeline attests its runs, with keys that count and keys that do not, and what may be forged."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from secgate import custody
from secgate.attest import Attestation, read
from secgate.custody import Answer, Question
from secgate.signers.dsse import DsseSigner
from tests.product import CLEAN, DAY, NOW, Product
from tests.signing_support import ADA, KEYGEN, Key, allowed, enforced_layer, make_key
from tests.unit.conftest import Git

MACHINE = "machine:release"


class Pipeline:
    """One clean commit on main; the machine's key counts for attestations, Ada's for what people sign."""

    def __init__(self, product: Product, git: Git, home: Path) -> None:
        if not KEYGEN:
            pytest.skip("no ssh-keygen")
        self.product, self.git, self.home = product, git, home
        self.key, self.ada, self.stranger = (make_key(home / "keys", name) for name in ("machine", "ada", "stranger"))
        self.trust_machine()
        self.commit = git.commit({"app.py": CLEAN})
        self.file = home / "run.intoto.json"

    def trust(self, *lines: str, revoked: str = "") -> None:
        """Let these keys count, and no other."""
        self.layer = enforced_layer(self.home / "organisation", *lines, revoked=revoked)

    def trust_machine(self) -> None:
        """Let the keys count that should."""
        self.trust(allowed(MACHINE, self.key, 'namespaces="in-toto"'), allowed(ADA, self.ada))

    @property
    def place(self) -> custody.Place:
        return custody.Place(path=str(self.git.root), enforced=str(self.layer))

    def run(self, *, days: float = 0, key: Key | None = None, **options: Any) -> Attestation:
        """Run the gate, attest it, and keep the attestation in `file`."""
        now = NOW + days * DAY
        done = self.product.run(self.git.root, now=now, attested=True, enforced=str(self.layer), **options)
        made = custody.attest(done, key=str((key or self.key).path), **self._known(now))
        self.file.write_bytes(made.data)
        return made

    def bind(self, *artifacts: str, run: str = "", days: float = 0, key: Key | None = None) -> custody.Bound:
        bound = custody.bind(
            run,
            artifacts,
            place=self.place,
            key=str((key or self.key).path),
            machine=self.product.machine(),
            now=NOW + days * DAY,
        )
        self.file.write_bytes(bound.made.data)
        return bound

    def ask(self, *, days: float = 0, **asked: Any) -> Answer:
        """Check `file`, days after the first run; against its own commit where nothing is asked."""
        named = asked or {"commit": self.commit}
        return custody.check_attestation(Question(file=str(self.file), **named), **self._known(NOW + days * DAY))

    def forge(self, said: bytes | None = None, *, key: Key | None = None, **changes: Any) -> None:
        """Put an envelope into `file`: another payload, signed by a key, or changed members."""
        made = read(self.file.read_bytes())
        namespace = changes.pop("namespace", "in-toto")
        data = DsseSigner().sign(said or made.payload, namespace=namespace, key=str((key or self.key).path))
        self.file.write_text(json.dumps({**json.loads(data), **changes}))

    def said(self, **changes: Any) -> bytes:
        """Give the payload of `file` with other values; `a__b` is a field of a field."""
        statement = json.loads(read(self.file.read_bytes()).payload)
        for name, value in changes.items():
            *path, last = name.split("__")
            at = statement
            for part in path:
                at = at[part]
            at[last] = value
        return json.dumps(statement).encode()

    def _known(self, now: datetime) -> dict[str, Any]:
        return {"enforced": str(self.layer), "machine": self.product.machine(), "now": now}
