"""Attestations made: a run's statement signed, and artefacts that were built after a run bound to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from secgate import registry
from secgate.attest import (
    MAX_BYTES,
    NAMESPACE,
    Artifact,
    Attestation,
    Binding,
    Statement,
    read,
    statement_of,
)
from secgate.config import Machine
from secgate.custody.attested import signed_by
from secgate.custody.measuring import measure
from secgate.errors import SignatureError, UsageError
from secgate.escape import plain
from secgate.events import to_entry
from secgate.gate_events import ArtefactBound
from secgate.model import Head, RunDocument, Trust, encode
from secgate.people import id_of
from secgate.ports import Signer
from secgate.preparation import Place, Silence, Workshop, read_enforced, workshop
from secgate.queries import recorded_run
from secgate.record import append_events

ARTIFACT_HASH = "sha256"
"""What files are bound by."""


class Bound(NamedTuple):
    """Artefacts that were bound to a run, and the ledger's head with the note of it."""

    made: Attestation
    artifacts: tuple[Artifact, ...]
    address: str
    head: Head


def require_key(key: str, *, machine: Machine, now: datetime) -> None:
    """Raise SignatureError for a key that could sign no attestation: said before the work, not after it."""
    with workshop(machine, now=now, observer=Silence()) as shop:
        _signer(shop).sign(b"", namespace=NAMESPACE, key=str(Path(machine.cwd, key)))


def attest(document: RunDocument, *, key: str, enforced: str, machine: Machine, now: datetime) -> Attestation:
    """Sign what a run said with the Ed25519 key in the file `key`; recorded or not, whatever its outcome.

    `enforced` is the enforced layer's directory, "" for none: where it says who may sign, a key that does not count is
    refused. Raises UsageError for a run of what is no commit, SignatureError for a key that cannot be used.
    """
    with workshop(machine, now=now, observer=Silence()) as shop:
        named = enforced or machine.env.get("SECGATE_ENFORCED", "")
        trust = read_enforced(named, tree="").trust
        return _signed(statement_of(document, signed=now), key=key, trust=trust, shop=shop)


def attest_recorded(run: str, *, place: Place, key: str, machine: Machine, now: datetime) -> Attestation:
    """Sign what the recorded run said whose id starts with `run`, the latest for "". As `attest` does.

    Raises LedgerError for a ledger that is not there or does not verify.
    """
    with recorded_run(run, place=place, machine=machine, now=now) as (document, desk, _):
        statement = statement_of(document, signed=now)
        return _signed(statement, key=key, trust=desk.prepared.enforced.trust, shop=desk.shop)


def bind(run: str, artifacts: Sequence[str], *, place: Place, key: str, machine: Machine, now: datetime) -> Bound:
    """Bind artefacts (files, or digests as `sha256:HEX`) to a recorded run, in the ledger and by a signed attestation.

    That they were built from the run's commit is the word of whoever signs. Bound again, they are noted again. Raises
    as `attest_recorded` does, and UsageError for an artefact that cannot be read; nothing is noted then.
    """
    found = _measured(artifacts, machine)
    with recorded_run(run, place=place, machine=machine, now=now) as (document, desk, memory):
        # A clock that was put back makes nothing earlier than what is recorded already.
        at = max(now, datetime.fromtimestamp(memory.last_epoch_s, tz=UTC))
        actor = id_of(desk.prepared.target.actor)
        statement = statement_of(document, artifacts=found, binding=Binding(actor=actor), signed=at)
        made = _signed(statement, key=key, trust=desk.prepared.enforced.trust, shop=desk.shop)
        digest = sha256(made.data).hexdigest()
        target = document.target
        events = [
            ArtefactBound(
                artifact=one.digest,
                name=plain(one.name),
                run_id=document.run_id,
                repository=target.repository,
                commit=target.commit,
                tree=target.tree,
                key=made.key,
                statement_digest=digest,
                actor=actor,
            )
            for one in found
        ]
        ledger = desk.chosen.ledger
        head = append_events(
            [to_entry(one) for one in events], ledger, memory=memory, now=at, blobs={digest: made.data}
        )
        desk.chosen.seen.keep(ledger.address, head)
        return Bound(made, found, ledger.address, head)


def unsigned(run: str, artifacts: Sequence[str], *, place: Place, machine: Machine, now: datetime) -> bytes:
    """Give the statement that `bind` would sign, for a signer of another kind. Raises as `bind` does.

    Nobody vouches for it yet, so the ledger notes nothing.
    """
    found = _measured(artifacts, machine)
    with recorded_run(run, place=place, machine=machine, now=now) as (document, desk, _):
        binding = Binding(actor=id_of(desk.prepared.target.actor))
        return encode(statement_of(document, artifacts=found, binding=binding, signed=now)) + b"\n"


def _measured(artifacts: Sequence[str], machine: Machine) -> tuple[Artifact, ...]:
    if not artifacts:
        raise UsageError("no artefact was named", place="--artifact", remedy="give a file, or sha256:HEX")
    measured = [measure(one, cwd=machine.cwd, algorithms=(ARTIFACT_HASH,)) for one in artifacts]
    return tuple(
        dict.fromkeys(Artifact(f"{kind}:{value}", one.name) for one in measured for kind, value in one.digests.items())
    )


def _signed(statement: Statement, *, key: str, trust: Trust, shop: Workshop) -> Attestation:
    """Sign, and read and check it as whoever gets it will: nothing leaves that would be worth nothing."""
    signer = _signer(shop)
    data = signer.sign(encode(statement), namespace=NAMESPACE, key=str(Path(shop.machine.cwd, key))) + b"\n"
    if len(data) > MAX_BYTES:
        raise UsageError(f"the attestation would be larger than {MAX_BYTES} bytes", remedy="bind fewer at a time")
    made = read(data)
    if trust.allowed_signers:
        try:
            signed_by(made, trust=trust, signer=signer, now=max(shop.now, made.run.signed_on))
        except SignatureError as error:
            raise SignatureError(
                f"the attestation would count for nothing: {error.what}",
                place=key,
                remedy=f'give a key that allowed_signers has as machine:NAME namespaces="{NAMESPACE}"',
            ) from error
    return made


def _signer(shop: Workshop) -> Signer:
    return registry.signer("dsse", machine=shop.machine, runner=shop.executor, scratch=shop.scratch)
