"""A plan written down as the product would have: ledgers, signatures, checkpoints, an enforced layer, lists."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from secgate import attest, checkpoint
from secgate.checkpoint import Checkpoint
from secgate.config import Machine
from secgate.events import LedgerCreated, ObligationSuperseded, to_entry
from secgate.evidence import ImportWish, Place, import_population
from secgate.ledgers.sqlite import SqliteLedger
from secgate.merkle import Tree, extend
from secgate.model import Digest, Head, encode
from secgate.ports import Ledger
from secgate.signers.dsse import DsseSigner
from secgate.sla import many_entries, utc_words
from tests.ledger_support import git, git_at
from tests.quarter import plan
from tests.quarter.facts import (
    Dated,
    binding_of,
    change_of,
    document_of,
    finding_of,
    inventory_of,
    notice_of,
    run_of,
    statement_of,
)
from tests.quarter.making import STRANGER
from tests.quarter.plan import DAY, MACHINE, Plan
from tests.quarter.saying import exemption_of, override_of, review_of, revocation_of, signed
from tests.signing_support import Key, allowed

SOURCES = {
    "deployments": "the deploy service's audit log",
    "repositories": "the forge's list of repositories",
    "artifacts": "the package registry",
    "reviews": "the forge's merged changes",
    "patches": "the registry's dates of versions",
}


class Written(NamedTuple):
    """Where everything is. `names` gives the plan's names of what evidence calls otherwise."""

    enforced: str
    ledgers: tuple[str, ...]
    checkpoints: tuple[str, ...]
    tree: str
    names: Mapping[str, str]


def make_keys(plan: Plan, folder: Path) -> dict[str, Key]:
    """Write a key for everybody, the machine and the stranger, made of their names: the same ones everywhere."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {}
    for owner in (*(one.id for one in plan.people), MACHINE, STRANGER):
        private = Ed25519PrivateKey.from_private_bytes(sha256(f"made up for {owner}".encode()).digest())
        path = folder / owner.replace(":", "-")
        path.touch(mode=0o600)
        path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
        public = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        path.with_name(f"{path.name}.pub").write_bytes(public + b"\n")
        made[owner] = Key(path)
    return made


def write(
    plan: Plan, folder: Path, *, machine: Machine, keys: Mapping[str, Key], document_bytes: int = 2_000
) -> Written:
    """Write everything below a folder that is new or empty, and import the lists into the first ledger."""
    folder.mkdir(parents=True, exist_ok=True)
    writing = _Writing(plan, folder, keys)
    checkpoints: list[str] = []
    for name, repositories in plan.ledgers.items():
        checkpoints += writing.ledger(name, repositories, document_bytes=document_bytes)
    enforced = _enforced(plan, folder / "organisation", keys)
    paths = tuple(writing.store(name).address for name in plan.ledgers)
    env = {**machine.env, "SECGATE_LEDGER_PATH": paths[0]}
    (folder / "tree").mkdir()
    place = Place(path=str((folder / "tree").resolve()), enforced=enforced)
    there = Machine(env=env, cwd=machine.cwd, python=machine.python, prefix=machine.prefix, state=machine.state)
    for number, one in enumerate(plan.imports):
        _import(one, folder / f"{number}-{one.kind}.json", place=place, machine=there, plan=plan)
    return Written(enforced, paths, tuple(checkpoints), place.path, writing.names)


def later(plan: Plan) -> datetime:
    """Give a time at which the period is over and all lists are in."""
    return datetime.fromtimestamp(plan.end, tz=UTC) + timedelta(days=40)


def arguments(plan: Plan, written: Written) -> list[str]:
    """Give the options that name the period and what it is told from."""
    first, last = (datetime.fromtimestamp(at, tz=UTC).date().isoformat() for at in (plan.start, plan.end))
    argv = ["--from", first, "--to", last, "--enforced", written.enforced, "--path", written.tree]
    argv += [word for one in written.ledgers for word in ("--ledger", one)]
    return argv + [word for one in written.checkpoints for word in ("--checkpoint", one)]


class _Writing:
    def __init__(self, plan: Plan, folder: Path, keys: Mapping[str, Key]) -> None:
        self.plan = plan
        self.folder = folder
        self.keys = keys
        self.names: dict[str, str] = {}
        self._overrides = {one.name: next(iter(override_of(one))).id for one in plan.overrides}
        self._exemptions = {one.name: next(iter(exemption_of(one))).id for one in plan.exemptions}
        self._findings = {one.name: one for one in plan.findings}

    def store(self, name: str) -> Ledger:
        """Give the ledger of a name, made or not."""
        here = self.folder / f"{name}.sqlite"
        return git_at(self.folder / name) if name == self.plan.in_git else SqliteLedger(str(here))

    def ledger(self, name: str, repositories: Sequence[str], *, document_bytes: int) -> list[str]:
        """Write one ledger and the checkpoints of it, and give where those are."""
        mine = set(repositories)
        store = self.store(name)
        runs = [one for one in self.plan.runs if one.repository in mine]
        documents = {one.name: document_of(one, size=document_bytes) for one in runs}
        ids = self._overrides
        facts = [
            run_of(one, override=ids.get(one.override, one.override), document=documents[one.name]) for one in runs
        ]
        blobs = {
            sha256(documents[one.name]).hexdigest(): documents[one.name] for one in runs if one.record != "missing"
        }
        facts += self._components(runs, blobs)
        facts += [change_of(one) for one in self.plan.gate_changes if one.repository in mine]
        facts += [notice_of(one) for one in self.plan.notices if one.repository in mine]
        found = [one for one in self.plan.findings if one.repository in mine]
        facts += [dated for one in found for dated in finding_of(one, self._findings, self._exemptions)]
        said = [text for one in self.plan.exemptions if one.repository in mine for text in exemption_of(one)]
        said += [text for one in self.plan.overrides if one.repository in mine for text in override_of(one)]
        said += [review_of(one, self._id(name)) for one in self.plan.gate_reviews if one.ledger == name]
        said += [revocation_of(one, self._id(name)) for one in self.plan.revocations if one.repository in mine]
        self.names |= {text.id: text.name for text in said if text.name.startswith(("exemption:", "override:"))}
        facts += signed(said, self.keys, self.folder / f"{name}-statements")
        facts.sort(key=lambda one: one[:2])
        rows, heads = self._rows(name, facts, version="1")
        kept_elsewhere = [self._checkpoint(one, name, heads) for one in self.plan.checkpoints if one.ledger == name]
        if name == self.plan.rewritten:
            rows, _ = self._rows(name, facts, version="2")
        if name == self.plan.cut:
            rows = rows[: 1 + sum(one.at < self.plan.end for one in facts)]
        self._remember(store.address, facts)
        store.fill(rows, sorted(blobs.items()))
        spoilt = [sha256(documents[one.name]).hexdigest() for one in runs if one.record == "differs"]
        if isinstance(store, SqliteLedger):
            _spoil(Path(store.address), spoilt)
        else:
            _spoil_ref(store.address, spoilt)
        return kept_elsewhere

    def _components(self, runs: Sequence[plan.Run], blobs: dict[Digest, bytes]) -> Iterable[Dated]:
        """Give what was recorded of inventories and of artefacts that were bound, with what they name as blobs."""
        for run in runs:
            if run.inventory:
                event, data = inventory_of(run)
                yield event
                if run.inventory == "kept":
                    blobs[sha256(data).hexdigest()] = data
        known = {run.name: run for run in runs}
        for one in self.plan.bindings:
            if one.run in known:
                said = encode(statement_of(one, known[one.run]))
                key = str(self.keys[one.key].path)
                data = DsseSigner().sign(said, namespace=attest.NAMESPACE, key=key)
                blobs[sha256(data).hexdigest()] = data
                yield binding_of(one, known[one.run], data)

    def _id(self, name: str) -> str:
        return sha256(f"{self.plan.seed} {name}".encode()).hexdigest()

    def _rows(self, name: str, facts: Sequence[Dated], *, version: str) -> tuple[list[bytes], dict[int, Head]]:
        """Give the exact bytes of all entries, and the head after each time."""
        tree = Tree()
        created = LedgerCreated(ledger_id=self._id(name), provisional=False, secgate_version=version)
        dated = [Dated(self.plan.begun, 0, created), *facts]
        rows = []
        heads = {}
        for one in dated:
            rows += [entry.data for entry in extend(tree, [to_entry(one.event)], at_epoch_s=one.at)]
            heads[one.at] = tree.head()
        return rows, heads

    def _remember(self, address: str, facts: Sequence[Dated]) -> None:
        for sequence, one in enumerate(facts, start=1):
            if one.name.startswith("change:"):
                event = one.event
                told = f"{getattr(event, 'repository', '')}/{getattr(event, 'line', '')}/{event.TYPE}/{sequence}"
                self.names[told] = one.name
            elif isinstance(one.event, ObligationSuperseded):
                taken = one.event
                told = f"{taken.repository}/{taken.line}/{taken.fingerprint[:16]}/{taken.episode}/{taken.basis}"
                self.names[f"{told}/{sequence}"] = f"{told}/{one.at}"
            elif one.name.startswith("refused:"):
                self.names[f"{address}#{sequence}"] = one.name

    def _checkpoint(self, one: plan.Checkpoint, name: str, heads: Mapping[int, Head]) -> str:
        head = heads[max(at for at in heads if at <= one.at)]
        said = Checkpoint(at_epoch_s=one.at, ledger_id=self._id(name), root=head.root, size=head.size)
        file = self.folder / f"checkpoint-{one.name}.json"
        file.write_bytes(
            DsseSigner().sign(
                checkpoint.statement_of(said), namespace=checkpoint.NAMESPACE, key=str(self.keys[one.signer].path)
            )
        )
        self.names[f"{file} ({many_entries(head.size)}, {utc_words(one.at)})"] = f"checkpoint:{one.name}"
        return str(file)


def _spoil(path: Path, digests: Sequence[str]) -> None:
    """Put something else in the place of documents, as somebody with the file in hand would."""
    with closing(sqlite3.connect(path)) as database:
        (trigger,) = database.execute("SELECT sql FROM sqlite_schema WHERE name = 'blob_is_kept'").fetchone()
        database.execute("DROP TRIGGER blob_is_kept")
        for digest in digests:
            database.execute("UPDATE blob SET coding = 'raw', data = x'7b7d', size = 2 WHERE digest = ?", (digest,))
        database.execute(trigger)
        database.commit()


def _spoil_ref(address: str, digests: Sequence[str]) -> None:
    """Do so as somebody who may push would: with a commit after the last one."""
    place, _, name = address.partition("#")
    here = Path(place)

    def ask(*words: str, stdin: bytes = b"") -> str:
        return git(*words, cwd=here, stdin=stdin).strip()

    other = ask("hash-object", "-w", "--stdin", stdin=b"{}")
    ask("read-tree", name)
    for digest in digests:
        ask("update-index", "--cacheinfo", f"100644,{other},blobs/{digest[:2]}/{digest[2:]}")
    commit = ask("commit-tree", ask("write-tree"), "-p", name, "-m", "spoilt")
    ask("update-ref", f"refs/heads/{name}", commit)


def _enforced(plan: Plan, folder: Path, keys: Mapping[str, Key]) -> str:
    """Write the organisation's layer: who there is, what they may, and whose keys count."""
    folder.mkdir()
    (folder / "enforced.toml").write_text("version = 1\n")
    tables = (
        f'[people.{one.id}]\nemails = ["{one.id}@example.org"]\nroles = {json.dumps(list(one.roles))}\n'
        for one in plan.people
    )
    (folder / "people.toml").write_text("version = 1\n" + "".join(tables))
    lines = [allowed(one.id, keys[one.id]) for one in plan.people]
    lines.append(allowed(MACHINE, keys[MACHINE], 'namespaces="secgate-*,in-toto"'))
    (folder / "allowed_signers").write_text("".join(lines))
    (folder / "revoked").write_text("")
    return str(folder)


def _time(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, tz=UTC).isoformat() if epoch_s else ""


def _import(one: plan.Import, file: Path, *, place: Place, machine: Machine, plan: Plan) -> None:
    file.write_text(json.dumps([record for row in one.rows for record in _records(row)]))
    is_dated = one.end > 0
    wish = ImportWish(
        kind=one.kind,  # type: ignore[arg-type]
        file=str(file),
        source=SOURCES[one.kind],
        query="all of them, to every environment" if one.kind == "deployments" else "all of them",
        extracted=datetime.fromtimestamp(one.extracted, tz=UTC),
        start=datetime.fromtimestamp(one.start, tz=UTC) if is_dated else None,
        end=datetime.fromtimestamp(one.end, tz=UTC) if is_dated else None,
    )
    now = datetime.fromtimestamp(max(one.extracted, plan.end) + DAY, tz=UTC)
    import_population(wish, place=place, machine=machine, now=now)


def _records(row: plan.Row) -> Iterable[dict[str, str]]:
    match row:
        case plan.Deployment():
            yield {
                "repository": row.repository,
                "id": row.name,
                "environment": "production",
                "deployed_at": _time(row.at),
                "commit": row.commit,
                "tree": row.tree,
                "artifacts": " ".join(row.artifacts),
            }
        case plan.Change():
            known = {"repository": row.repository, "id": row.name, "author": row.author, "merged_at": _time(row.at)}
            for who, at, is_machine in row.approvals:
                yield {**known, "reviewer": who, "approved_at": _time(at), "machine": "yes" if is_machine else "no"}
            if not row.approvals:
                yield known
        case plan.Release():
            built = {"digest": row.digest, "commit": row.commit}
            yield {"repository": row.repository, "id": row.name, **built, "released_at": _time(row.at)}
        case plan.Patch():
            patch = f"pkg:pypi/{row.package}@{row.version}"
            yield {"advisory": row.advisory, "patch": patch, "released_at": _time(row.at)}
        case plan.InScope():
            yield {
                "repository": row.repository,
                "infrastructure": "yes" if row.infrastructure else "no",
                "from": _time(row.start),
                "until": _time(row.until),
            }
