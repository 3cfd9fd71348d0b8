"""Where people say something to a ledger: the tree, the enforced layer, the ledger, whoever signs.

Nothing is written that would be worth nothing: each statement is signed, checked as it will be checked later, and only
then appended.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from secgate import registry
from secgate.config import Machine
from secgate.errors import LedgerError, SignatureError, UsageError
from secgate.events import to_entry
from secgate.memory import Memory
from secgate.model import Finding, RunDocument, Value, encode
from secgate.people import Person
from secgate.ports import Ledger, Signer
from secgate.preparation import Enforced, Place, Prepared, opened
from secgate.recall import check_growth
from secgate.record import append_events
from secgate.signed_events import SignedEvent
from secgate.sla import length_words
from secgate.waivers import time_words

_FIELDS = {
    "reason": ("the reason says nothing, or is too long", "say why, in at most 2,000 characters"),
    "note": ("the note says nothing, or is too long", "say what you looked at, in at most 2,000 characters"),
    "ticket": ("the ticket is too long", "name it in at most 200 characters"),
    "line": ("no line is named", "give --line BRANCH"),
    "subject.advisory": ("no advisory is named", "give --advisory ID, such as CVE-2026-12345"),
    "subject.repositories[]": ("a repository has no name", "give --repository as runs name it"),
}
"""What to say of a field that does not read, and what to do."""


class Speaker(Value, frozen=True, kw_only=True):
    """Who speaks: an id of people.toml, and the file of the SSH key that signs."""

    person: str
    key: str


class Desk(NamedTuple):
    """What a statement is made with. `now` is aware UTC; names of files are read from `cwd`."""

    prepared: Prepared
    enforced: Enforced
    ledger: Ledger
    memory: Memory
    signer: Signer
    now: datetime
    cwd: str

    @property
    def repository(self) -> str:
        """The repository's name, as runs know it."""
        return self.prepared.target.repository


@contextlib.contextmanager
def desk_at(place: Place, *, machine: Machine, now: datetime) -> Iterator[Desk]:
    """Give what statements about a tree's repository are made with, its time never before the ledger's last entry.

    Raises UsageError where nobody's signature would count, and LedgerError where there is no ledger.
    """
    with opened(place, machine=machine, now=now) as (prepared, chosen, shop):
        if not prepared.enforced.trust.allowed_signers:
            raise UsageError(
                "there is no enforced layer with allowed_signers and people.toml: nobody's signature would count",
                remedy="give --enforced DIR, or set SECGATE_ENFORCED; docs/signing.md says what it holds",
            )
        if not chosen.ledger.exists():
            raise LedgerError(
                "there is no ledger to say it to", place=chosen.ledger.address, remedy="secgate ledger init"
            )
        memory = Memory()
        memory.catch_up(chosen.ledger)
        if chosen.remembered is not None:
            check_growth(chosen.ledger, chosen.remembered, head=memory.head)
        signer = registry.signer("sshsig", machine=machine, runner=shop.executor, scratch=shop.scratch)
        # A clock that was put back makes nothing earlier than what is recorded already.
        at = max(now, datetime.fromtimestamp(memory.last_epoch_s, tz=UTC))
        yield Desk(prepared, prepared.enforced, chosen.ledger, memory, signer, at, machine.cwd)


def named(name: str, document: RunDocument) -> Finding:
    """Give the run's finding whose fingerprint begins with `name`. Raises UsageError for none, or several."""
    found = [
        one
        for one in document.findings
        if any(value.startswith(name) for value in (one.fingerprint, *(alias.value for alias in one.aliases)))
    ]
    if len(found) != 1:
        told = f"{len(found)} findings of run {document.run_id} begin with `{name}`" if name else "no finding is named"
        raise UsageError(told, remedy="see the fingerprints in `secgate show --format json`")
    return found[0]


def person_of(speaker: Speaker, desk: Desk) -> Person:
    """Give the person who speaks. Raises UsageError for nobody of people.toml."""
    person = desk.enforced.people.person(speaker.person)
    if person is None:
        raise UsageError(
            f"`{speaker.person}` is nobody of people.toml",
            remedy=f"one of: {', '.join(desk.enforced.people.ids) or 'nobody is in it'}",
        )
    return person


def lasting(expires: datetime, *, at_epoch_s: int, longest_s: int, what: str, limit: str) -> int:
    """Give when something asked for now ends, in epoch seconds; `limit` names the policy's data that says how long.

    Raises UsageError for what has ended already, and for what would last longer: it would end sooner than it says.
    """
    until = int(expires.timestamp())
    if until <= at_epoch_s:
        raise UsageError(
            f"{what} would have ended already: it is {time_words(at_epoch_s)}",
            place="--until",
            remedy="give a later one",
        )
    if until - at_epoch_s > longest_s:
        raise UsageError(
            f"{what} lasts {length_words(longest_s)} at most (`{limit}` in data/limits.json), "
            f"and this one would last {length_words(until - at_epoch_s)}",
            place="--until",
            remedy=f"give {time_words(at_epoch_s + longest_s)} or sooner, and ask anew when it ends",
        )
    return until


def say(namespace: str, said: Value, event: type[SignedEvent], speaker: Speaker, desk: Desk) -> bytes:
    """Sign, check as it will be checked later, append, and give the exact bytes that were signed.

    Raises UsageError, SignatureError or LedgerError; nothing is then written.
    """
    statement = readable(said)
    person_of(speaker, desk)
    signature = desk.signer.sign(statement, namespace=namespace, key=str(Path(desk.cwd, speaker.key)))
    signed = desk.signer.verify(statement, signature, namespace=namespace, trust=desk.enforced.trust, at=desk.now)
    if signed.principal != speaker.person:
        raise SignatureError(
            f"the key is `{signed.principal}`'s, and `{speaker.person}` speaks",
            remedy="use your own key, or name its owner with --as",
        )
    entry = to_entry(event(statement=statement.decode(), signature=signature.decode()))
    append_events([entry], desk.ledger, memory=desk.memory, now=desk.now)
    return statement


def readable(said: Value) -> bytes:
    """Give a statement's exact bytes. Raises UsageError for one that no later reading would take, such as no reason."""
    statement = encode(said)
    try:
        msgspec.json.decode(statement, type=type(said))
    except msgspec.ValidationError as error:
        field = re.sub(r"\[\d+\]", "[]", str(error).rpartition("$.")[2].rstrip("`"))
        told, remedy = _FIELDS.get(field, (str(error), "give another value"))
        raise UsageError(f"it would count for nothing: {told}", remedy=remedy) from None
    return statement
