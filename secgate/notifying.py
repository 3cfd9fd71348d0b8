"""People told of open findings: each channel once for each stage, and the ledger told of it.

Nothing here has a part in a decision. A message that was sent and could not be recorded is sent again, with the same
id; that is the price of never recording what was not sent.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from secgate import registry
from secgate.agenda import NO_CLOCKS
from secgate.config import Machine
from secgate.deadlines import deadlines
from secgate.discover import ci_facts
from secgate.engines.regorus import RegorusEngine
from secgate.errors import LedgerError, NotificationError, UsageError
from secgate.escape import json_text
from secgate.events import to_entry
from secgate.memory import Memory
from secgate.model import Digest, Message, Value
from secgate.notices import messages, notice_words, told
from secgate.notification import NotificationSent
from secgate.page import Page
from secgate.policy import Layer, effective_data, read_notifications
from secgate.ports import Ledger, Notifier
from secgate.preparation import (
    ChosenLedger,
    Place,
    Prepared,
    Silence,
    guarded_reader,
    policy_layers,
    prepared_at,
    read_enforced,
    workshop,
)
from secgate.queries import folded_ledger, named_memories
from secgate.recall import recall
from secgate.record import append_events
from secgate.version import __version__

FORMAT_VERSION = 1


class Sending(Value, frozen=True, kw_only=True):
    """One message and what became of it; `what` says why it failed, or would. No secret is in it."""

    ledger: str
    notifier: str
    state: Literal["sent", "not-sent", "failed"]
    """`not-sent` in a dry run."""
    what: str = ""
    message: Message
    shown: str = ""
    """In a dry run, what would go out, secrets masked."""


class Notified(Value, frozen=True, kw_only=True):
    """Every message that was due."""

    version: int = FORMAT_VERSION
    dry_run: bool
    sendings: tuple[Sending, ...]
    clocked: bool
    """Whether any of the ledgers holds a protected run: without one there is nothing to tell of."""

    @property
    def failed(self) -> bool:
        """Tell whether somebody could not be told."""
        return any(one.state == "failed" for one in self.sendings)


class _Due(Value, frozen=True, kw_only=True):
    """A message with where it comes from and how it goes."""

    ledger: Ledger
    memory: Memory
    notifier: Notifier
    message: Message


def notify(names: Sequence[str], *, dry_run: bool, place: Place, machine: Machine, now: datetime) -> Notified:
    """Tell each channel what the policy says it is to be told of the named ledgers, or of the tree's own for none.

    Where ledgers are named no tree is looked at. Raises UsageError before anything is sent where a channel's address
    or secret is missing in the environment or may not be used, and LedgerError for a ledger that is not there, does
    not verify or cannot be written.
    """
    with _desk(names, place=place, dry_run=dry_run, machine=machine, now=now) as desk:
        due = list(_due(desk, machine=machine, now=now))
        clocked = any(memory.all_lines() for _, memory in desk.ledgers)
        if dry_run:
            tried = tuple(_tried(one, machine=machine, now=now) for one in due)
            return Notified(dry_run=True, sendings=tried, clocked=clocked)
        _require_endpoints(due, machine)
        for ledger in {one.ledger.address: one.ledger for one in due}.values():
            ledger.check_writable()
        digest = sha256(desk.data).hexdigest()
        sent = _sent_all(due, machine=machine, now=now, policy_digest=digest)
        return Notified(dry_run=False, sendings=sent, clocked=clocked)


class _Desk(NamedTuple):
    """What is told of, and the effective data that says to whom."""

    data: bytes
    ledgers: Sequence[tuple[Ledger, Memory]]


@contextlib.contextmanager
def _desk(names: Sequence[str], *, place: Place, dry_run: bool, machine: Machine, now: datetime) -> Iterator[_Desk]:
    """Give every ledger, read whole and verified, and the policy's data."""
    if not names:
        with prepared_at(place, machine=machine, now=now) as (prepared, chosen, _):
            yield _Desk(_data(prepared.layers), [_own_ledger(prepared, chosen, now)])
        return
    with workshop(machine, now=now, observer=Silence()) as shop:
        enforced = read_enforced(place.enforced or machine.env.get("SECGATE_ENFORCED", ""), tree="")
        reader = guarded_reader(machine, runner=shop.executor, scratch=shop.scratch)
        layers = policy_layers(enforced.policies, {}, reader=RegorusEngine(), guarded=reader)
        yield _Desk(_data(layers), named_memories(names, shop, read_only=dry_run))


def _data(layers: Sequence[Layer]) -> bytes:
    organisation = next((one for one in layers if one.name == "organisation"), None)
    return effective_data(layers[0], organisation)


def _own_ledger(prepared: Prepared, chosen: ChosenLedger | None, now: datetime) -> tuple[Ledger, Memory]:
    if chosen is None:
        raise UsageError("the ledger is switched off here", place="ledger.store", remedy="name one with --ledger")
    if not chosen.ledger.exists():
        raise LedgerError(
            "there is no ledger",
            place=chosen.ledger.address,
            remedy="secgate run makes one, or name one with --ledger",
        )
    memory = Memory()
    recall(
        chosen.ledger,
        repository=prepared.target.repository,
        line=prepared.target.line,
        now=now,
        required=False,
        read_only=True,
        remembered=chosen.remembered,
        memory=memory,
    )
    return chosen.ledger, memory


def _due(desk: _Desk, *, machine: Machine, now: datetime) -> Iterator[_Due]:
    policy = read_notifications(desk.data)
    visibility = ci_facts(machine.env, read=lambda path: Path(path).read_bytes()).visibility
    for ledger, memory in desk.ledgers:
        found = deadlines([folded_ledger(ledger, memory)], now_epoch_s=int(now.timestamp()))
        for message in messages(found.findings, as_of_epoch_s=found.as_of_epoch_s, policy=policy, memory=memory):
            notifier = registry.notifier(policy.channels[message.channel])
            told_here = msgspec.structs.replace(message, visibility=visibility)
            yield _Due(ledger=ledger, memory=memory, notifier=notifier, message=told_here)


def _variables(channel: str) -> tuple[str, str]:
    """Give the names of the variables with a channel's address and secret."""
    return f"SECGATE_NOTIFY_{channel.upper()}_URL", f"SECGATE_NOTIFY_{channel.upper()}_SECRET"


def _endpoint(channel: str, machine: Machine) -> tuple[str, str]:
    """Give a channel's address and secret, "" for what the environment lacks."""
    address, secret = (machine.env.get(name, "") for name in _variables(channel))
    return address, secret


def _require_endpoints(due: Sequence[_Due], machine: Machine) -> None:
    notifiers = {one.message.channel: one.notifier for one in due}
    wanted = {name for channel, one in notifiers.items() for name in _variables(channel)[: 1 + one.needs_secret]}
    if missing := sorted(name for name in wanted if not machine.env.get(name)):
        raise UsageError(
            f"nobody was told: the environment lacks {', '.join(missing)}",
            remedy="set them, or see with --dry-run what would be sent",
        )
    for channel, notifier in sorted(notifiers.items()):
        address, secret = _endpoint(channel, machine)
        try:
            notifier.check(address=address, secret=secret)
        except UsageError as error:
            raise UsageError(
                f"nobody was told: {error.what}", place=f"channel {channel}", remedy=error.remedy
            ) from error


def _sent_all(due: Sequence[_Due], *, machine: Machine, now: datetime, policy_digest: Digest) -> tuple[Sending, ...]:
    """Send each; a channel that failed once is left alone, since each attempt at it may take its whole time."""
    down: dict[str, str] = {}
    sendings = []
    for one in due:
        channel = one.message.channel
        if channel in down:
            sendings.append(_sending(one, "failed", down[channel]))
            continue
        sendings.append(_sent(one, machine=machine, now=now, policy_digest=policy_digest))
        if sendings[-1].state == "failed":
            down[channel] = sendings[-1].what
    return tuple(sendings)


def _tried(one: _Due, *, machine: Machine, now: datetime) -> Sending:
    """Give what would be sent. An address that is not known is no fault here; one that may not be used is said."""
    address, secret = _endpoint(one.message.channel, machine)
    what = "" if address else f"{_variables(one.message.channel)[0]} is not set"
    if address:
        try:
            one.notifier.check(address=address, secret=secret)
        except UsageError as error:
            what, address = error.what, ""
    shown = one.notifier.shown(one.notifier.body(one.message), address=address, at=now)
    return msgspec.structs.replace(_sending(one, "not-sent", what), shown=shown)


def _sent(one: _Due, *, machine: Machine, now: datetime, policy_digest: Digest) -> Sending:
    """Send a message and record it. What could not be sent is told and stays due."""
    address, secret = _endpoint(one.message.channel, machine)
    try:
        body = one.notifier.body(one.message)
        one.notifier.send(body, address=address, secret=secret, at=now)
    except NotificationError as error:
        return _sending(one, "failed", error.what)
    event = NotificationSent(
        channel=one.message.channel,
        notifier=one.notifier.name,
        message_id=one.message.id,
        digest=sha256(body).hexdigest(),
        told=told(one.message.notices),
        policy_digest=policy_digest,
        secgate_version=__version__,
    )
    try:
        append_events([to_entry(event)], one.ledger, memory=one.memory, now=now)
    except LedgerError as error:
        raise LedgerError(
            f"channel {event.channel} was told, and the ledger does not know it: {error.what}",
            place=error.place or one.ledger.address,
            remedy=f"mend that: the next call tells it again, with the id {one.message.id[:12]}",
        ) from error
    return _sending(one, "sent")


def _sending(one: _Due, state: Literal["sent", "not-sent", "failed"], what: str = "") -> Sending:
    return Sending(ledger=one.ledger.address, notifier=one.notifier.name, state=state, what=what, message=one.message)


def notified_json(told_of: Notified) -> bytes:
    """Give it as JSON, `secgate-notified`."""
    whole = {"format": {"name": "secgate-notified", "version": told_of.version}, "told": told_of}
    return json_text(msgspec.json.format(msgspec.json.encode(whole, order="sorted"), indent=2)) + b"\n"


def notified_page(told_of: Notified, *, width: int, colour: bool) -> bytes:
    """Give it in lines of at most `width` columns."""
    page = Page(width, colour=colour)
    if not told_of.sendings:
        page.heading("nobody is to be told anything new", "good")
        if not told_of.clocked:
            page.wrap(NO_CLOCKS, 2)
    for one in told_of.sendings:
        count = len(one.message.notices)
        findings = f"{count} {'finding' if count == 1 else 'findings'}"
        words = {"sent": "was told of", "not-sent": "would be told of", "failed": "could not be told of"}[one.state]
        page.heading(
            f"{one.message.channel} ({one.notifier}) {words} {findings}", "bad" if one.state == "failed" else "good"
        )
        page.labelled("why", one.what)
        page.labelled("ledger", one.ledger)
        for notice in one.message.notices:
            page.wrap(notice_words(notice), 4)
        if one.shown:
            page.title("what would be sent, secrets as ***")
            page.verbatim(one.shown, 4)
        page.lines.append("")
    return page.data()
