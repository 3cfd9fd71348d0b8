"""A ledger with runs, clocks and signed waivers in a repository's own place, and what a holder of it could do to it."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from secgate.bounds import Bound
from secgate.custody.verifying import namespace_of
from secgate.events import to_entry
from secgate.ledgers.sqlite import SqliteLedger
from secgate.memory import Memory
from secgate.merkle import Tree, leaf_hash
from secgate.model import Entry, encode
from secgate.overrides import GIVEN, REVIEWED, Override, ReviewStatement
from secgate.record import initialise
from secgate.signed_events import (
    GateReviewed,
    OverrideGiven,
    OverrideReviewed,
    SecretRevoked,
    SignedEvent,
    WaiverApproved,
    WaiverRequested,
)
from secgate.signers.sshsig import SshSigner
from secgate.testimony import GateReview, SecretRevocation
from secgate.waivers import APPROVED, REQUESTED, Approval, FindingSubject, Request, statement_id, statement_of
from tests.ledger_support import EPOCH_S, Runner, Story, at, finding, fingerprint
from tests.product import CLEAN, Ended, Product
from tests.signing_support import ADA, EVE, KEYGEN, Key, allowed, enforced_layer, make_key
from tests.unit.conftest import Git

DAY_S = 86400
Tamper = Callable[[list[bytes]], list[bytes]]


class Kept:
    """The ledger of a repository, the organisation that it belongs to, and a key of somebody who is nobody there."""

    def __init__(self, product: Product, git: Git, home: Path) -> None:
        self.product, self.git, self.home = product, git, home
        self.ada, self.eve, self.machine, self.stranger = (
            make_key(home / "keys", name) for name in ("ada", "eve", "machine", "stranger")
        )
        git.commit({"app.py": CLEAN})
        self.layer = enforced_layer(
            home / "organisation",
            allowed(ADA, self.ada),
            allowed(EVE, self.eve),
            allowed("machine:ci", self.machine, 'namespaces="secgate-checkpoint"'),
        )
        self.file = git.root / ".git" / "secgate" / "ledger.sqlite"
        self.ledger = SqliteLedger(str(self.file))
        self.place = home / "kept.json"
        initialise(self.ledger, seed="made for a test", secgate_version="0.1.0", now=at(-1))
        self.story = Story(self.ledger)

    def fill(self) -> None:
        """Two findings, one closed in time and one late; two waivers; a checkpoint in the middle."""
        self.story.run(finding("one"), finding("two"), at_s=0)
        self.story.run(finding("one"), at_s=DAY_S)
        self.waive("one", at_s=2 * DAY_S)
        self.checkpoint()
        self.waive("two", at_s=3 * DAY_S)
        self.story.run(at_s=4 * DAY_S)

    def waive(self, name: str, *, at_s: int, requester: Key | None = None, approver: Key | None = None) -> None:
        """Eve asks and Ada approves, each with the given key instead of their own."""
        subject = FindingSubject(fingerprint=fingerprint(name), group=fingerprint("g"), repository="example.com/shop")
        asked = statement_of(
            Request(
                kind="accept",
                subject=subject,
                bound=Bound(form="nothing"),
                reason="made for a test",
                requester=EVE,
                requested_epoch_s=EPOCH_S + at_s,
                expires_epoch_s=EPOCH_S + at_s + 30 * DAY_S,
            )
        )
        said = statement_of(Approval(request=statement_id(asked), approver=ADA, approved_epoch_s=EPOCH_S + at_s))
        entries = [
            to_entry(
                WaiverRequested(statement=asked.decode(), signature=self.sign(asked, requester or self.eve, REQUESTED))
            ),
            to_entry(
                WaiverApproved(statement=said.decode(), signature=self.sign(said, approver or self.ada, APPROVED))
            ),
        ]
        self.append(entries, at_s=at_s)

    def testify(self, *, at_s: int, by: Key | None = None) -> None:
        """Ada signs that she reviewed the gate and that a secret was revoked, with the given key instead of her own."""
        memory = Memory()
        memory.catch_up(self.ledger)
        name = memory.ledger_id or ""
        review = GateReview(
            ledger_id=name,
            from_epoch_s=0,
            to_epoch_s=EPOCH_S,
            what=("results",),
            note="all",
            by=ADA,
            reviewed_epoch_s=EPOCH_S + at_s,
        )
        revoked = SecretRevocation(
            ledger_id=name,
            repository="example.com/shop",
            fingerprint=fingerprint("one"),
            revoked_epoch_s=EPOCH_S,
            reference="INC-1",
            by=ADA,
            said_epoch_s=EPOCH_S + at_s,
        )
        entries = []
        both: tuple[tuple[GateReview | SecretRevocation, type[SignedEvent]], ...] = (
            (review, GateReviewed),
            (revoked, SecretRevoked),
        )
        for said, event in both:
            data = encode(said)
            entries.append(
                to_entry(event(statement=data.decode(), signature=self.sign(data, by or self.ada, event.TYPE)))
            )
        self.append(entries, at_s=at_s)

    def override(self, *, at_s: int, by: Key | None = None, reviewer: Key | None = None) -> None:
        """Ada breaks the glass and Eve looks at it, each with the given key instead of their own."""
        said = encode(
            Override(
                repository="example.com/shop",
                line="main",
                reason="made for a test",
                by=ADA,
                given_epoch_s=EPOCH_S + at_s,
                until_epoch_s=EPOCH_S + at_s + 3600,
            )
        )
        seen = encode(
            ReviewStatement(
                override=statement_id(said),
                by=ADA if reviewer is self.ada else EVE,
                word="justified",
                reason="made for a test",
                reviewed_epoch_s=EPOCH_S + at_s + 60,
            )
        )
        entries = [
            to_entry(OverrideGiven(statement=said.decode(), signature=self.sign(said, by or self.ada, GIVEN))),
            to_entry(
                OverrideReviewed(statement=seen.decode(), signature=self.sign(seen, reviewer or self.eve, REVIEWED))
            ),
        ]
        self.append(entries, at_s=at_s)

    def append(self, entries: Sequence[Entry], *, at_s: int) -> None:
        self.ledger.append(self.ledger.head(), entries, now=at(at_s), blobs={})

    def sign(self, statement: bytes, key: Key, kind: str) -> str:
        signer = SshSigner(runner=Runner(), executable=KEYGEN, directory=str(self.home))
        namespace = namespace_of(kind)
        return signer.sign(statement, namespace=namespace, key=str(key.path)).decode()

    # ------------------------------------------------------------------------------- the command line

    def cli(self, *words: str) -> Ended:
        return self.product.cli("ledger", *words, "--path", str(self.git.root), "--enforced", str(self.layer))

    def checkpoint(self) -> None:
        ended = self.cli("checkpoint", "--to", str(self.place), "--key", str(self.machine.path))
        assert ended.code == 0, ended

    def export(self, name: str = "export") -> Path:
        folder = self.home / name
        shutil.rmtree(folder, ignore_errors=True)
        ended = self.cli("export", "-o", str(folder))
        assert ended.code == 0, ended
        return folder

    # ------------------------------------------------------------------------------- what its holder could do

    def entries(self) -> list[bytes]:
        return [entry.data for entry in self.ledger.read()]

    def number(self, kind: str, which: int = 0) -> int:
        """Give the number of an entry by its type."""
        return [entry.sequence for entry in self.ledger.read() if entry.type == kind][which]

    def rewrite(self, rows: Sequence[bytes]) -> None:
        """Put other rows into the ledger's file, each with its own leaf, and the head that fits them."""
        tree = Tree()
        with self._without_triggers() as database:
            database.execute("DELETE FROM entry")
            for number, row in enumerate(rows):
                tree.append(leaf_hash(row))
                database.execute("INSERT INTO entry VALUES (?, ?, ?)", (number, row, leaf_hash(row)))
            database.execute("UPDATE frontier SET size = ?, peaks = ?", (tree.size, b"".join(tree.peaks)))

    def change_blob(self, digest: str, data: bytes) -> None:
        """Put something else in the place of a blob."""
        with self._without_triggers() as database:
            row = ("raw", len(data), data, digest)
            database.execute("UPDATE blob SET coding = ?, size = ?, data = ? WHERE digest = ?", row)

    @contextmanager
    def _without_triggers(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.file)) as database, database:
            triggers = database.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
            for name, _ in triggers:
                database.execute(f"DROP TRIGGER {name}")
            yield database
            for _, text in triggers:
                database.execute(text)


def rewrite_export(folder: Path, rows: Sequence[bytes]) -> None:
    """Put other rows into an export, and what the manifest would say of them."""
    tree = Tree()
    for row in rows:
        tree.append(leaf_hash(row))
    (folder / "entries" / "000000.jsonl").write_bytes(b"".join(row + b"\n" for row in rows))
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest.update(size=tree.size, root=tree.root().hex())
    (folder / "manifest.json").write_text(json.dumps(manifest))


_PLACE = re.compile(rb'(.*,"previous_root":")[0-9a-f]{64}(","sequence":)\d+(,"type":"[a-z0-9-]+","version":\d+\})')


def chained(rows: Sequence[bytes]) -> list[bytes]:
    """Give the rows with sequence and previous root as if they had always stood so, whatever they say."""
    tree = Tree()
    made = []
    for row in rows:
        form = _PLACE.fullmatch(row)
        assert form is not None
        data = b"%b%b%b%d%b" % (form[1], tree.root().hex().encode(), form[2], tree.size, form[3])
        tree.append(leaf_hash(data))
        made.append(data)
    return made


def standalone(folder: Path, *words: str) -> Ended:
    """Run the export's own program, which finds nothing of secgate."""
    argv = [sys.executable, "-I", "-S", str(folder / "verify.py"), *words]
    done = subprocess.run(argv, cwd=folder, capture_output=True, check=False)
    return Ended(done.returncode, done.stdout, done.stderr)


__all__ = ["DAY_S", "EPOCH_S", "Kept", "Tamper", "chained", "rewrite_export", "standalone"]
