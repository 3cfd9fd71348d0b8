"""How a list of known debt is written: taken from the ledger or the last run, signed by a person, recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct

from secgate.baseline import NAMESPACE, DebtEntry, Statement, as_bad_as_ever, encode_statement, read_statement
from secgate.config import Machine
from secgate.errors import InternalError, LedgerError, SignatureError, UsageError
from secgate.events import BaselineRecorded, to_entry
from secgate.memory import Memory
from secgate.model import Head, History, RunDocument, Severity, State
from secgate.pipeline.baselines import entry_of, longest_limits, own_limits, person_signer
from secgate.preparation import (
    ChosenLedger,
    Prepared,
    RunRequest,
    Silence,
    Workshop,
    choose_ledger,
    prepare,
    signed_by_a_person,
    workshop,
)
from secgate.recall import recall


class Written(NamedTuple):
    """A list that was signed and recorded: where, and the bytes to keep elsewhere as well.

    `shortened` are the limits that the policy holds a longer one of the list down to.
    """

    address: str
    head: Head
    statement: bytes
    signature: bytes
    findings: int
    shortened: Mapping[Severity, int]


class BaselineRequest(Struct, frozen=True, kw_only=True):
    """What is to be listed and who signs. `limits_s` by severity, those not given are the policy's own."""

    path: str = "."
    config: str = ""
    enforced: str = ""
    ref: str = ""
    author: str
    key: str
    limits_s: dict[Severity, int] = {}
    source: Literal["auto", "ledger", "last-run"] = "auto"
    reason: str = ""


def write_baseline(request: BaselineRequest, *, machine: Machine, now: datetime) -> Written:
    """List what is known today, have a person sign it, and record it.

    Raises SignatureError where the author is nobody of people.toml or the key is not theirs, UsageError where nothing
    is known, LedgerError where it cannot be recorded.
    """
    written = _written(request, machine=machine, now=now, only_first=False)
    if written is None:
        raise InternalError("a list that was asked for is not written")
    return written


def first_baseline(request: BaselineRequest, *, machine: Machine, now: datetime) -> Written | None:
    """Do as `write_baseline` where the line has no list yet; None where it has one."""
    return _written(request, machine=machine, now=now, only_first=True)


def _written(request: BaselineRequest, *, machine: Machine, now: datetime, only_first: bool) -> Written | None:
    with workshop(machine, now=now, observer=Silence()) as shop:
        asked = RunRequest(path=request.path, config=request.config, enforced=request.enforced, ref=request.ref)
        prepared = prepare(asked, machine=machine, runner=shop.executor, scratch=shop.scratch)
        if prepared.enforced.people.person(request.author) is None:
            raise SignatureError(
                f"`{request.author}` is nobody of people.toml",
                place="--author",
                remedy="give the enforced layer with --enforced, and your id in it",
            )
        chosen = choose_ledger(
            prepared.settings.ledger,
            target=prepared.target,
            repository=prepared.repository,
            machine=machine,
            executor=shop.executor,
            read_only=False,
        )
        if chosen is None:
            raise UsageError("the ledger is switched off here", place="ledger.store", remedy="set ledger.store")
        memory = Memory()
        history = _recalled(prepared, chosen, memory, now)
        if only_first and memory.baselines(prepared.target.repository, prepared.target.line):
            return None
        entries, run_id = _debt_of(request, prepared, chosen, memory, history)
        statement = encode_statement(
            Statement(
                repository=prepared.target.repository,
                line=prepared.target.line,
                author=request.author,
                date_epoch_s=max(int(now.timestamp()), memory.last_epoch_s),
                run_id=run_id,
                commit=prepared.target.commit,
                reason=request.reason,
                limits_s=own_limits(prepared) | request.limits_s,
                findings=entries,
            )
        )
        return _signed_and_recorded(
            statement, request=request, prepared=prepared, chosen=chosen, memory=memory, shop=shop, now=now
        )


def _recalled(prepared: Prepared, chosen: ChosenLedger, memory: Memory, now: datetime) -> History:
    return recall(
        chosen.ledger,
        repository=prepared.target.repository,
        line=prepared.target.line,
        now=now,
        required=chosen.required,
        read_only=False,
        remembered=chosen.remembered,
        memory=memory,
    )


def _debt_of(
    request: BaselineRequest, prepared: Prepared, chosen: ChosenLedger, memory: Memory, history: History
) -> tuple[tuple[DebtEntry, ...], str]:
    """Give what is known, and the run it is from, "" where it is the ledger's: open findings of the line go first."""
    target = prepared.target
    known = sorted(memory.line(target.repository, target.line).findings.items())
    entries = tuple(
        DebtEntry(
            fingerprint=name,
            algorithm=one.facts.algorithm,
            severity=as_bad_as_ever(one.facts.severity, one.obligations),
            weakness=one.facts.weakness,
            path=one.facts.path,
            names=tuple(sorted(alias.value for alias in one.names)),
        )
        for name, one in known
        if one.is_open
    )
    if request.source == "ledger" or (entries and request.source == "auto"):
        if not entries:
            raise UsageError(
                f"the ledger knows no open finding of the line {target.line or 'without a name'}",
                place=chosen.ledger.address,
                remedy="run `secgate run` first, or name the branch with --ref",
            )
        return entries, ""
    runs = [run for run in history.runs if run.complete and not run.dirty]
    if not runs:
        raise UsageError(
            "no complete run of a clean commit was recorded", place=chosen.ledger.address, remedy="secgate run"
        )
    try:
        document = msgspec.json.decode(chosen.ledger.blob(runs[-1].document_digest), type=RunDocument)
    except msgspec.DecodeError as error:
        raise LedgerError(f"the stored run cannot be read: {error}", place=chosen.ledger.address) from error
    found = [entry_of(one) for one in document.findings if one.state is not State.ABSENT]
    if not found:
        raise UsageError("the last run found nothing, so there is no debt", remedy="no baseline is needed")
    return tuple(sorted(found, key=lambda one: one.fingerprint)), document.run_id


def _signed_and_recorded(
    statement: bytes,
    *,
    request: BaselineRequest,
    prepared: Prepared,
    chosen: ChosenLedger,
    memory: Memory,
    shop: Workshop,
    now: datetime,
) -> Written:
    signer = person_signer(shop)
    key = str(Path(shop.machine.cwd, request.key))
    signature = signer.sign(statement, namespace=NAMESPACE, key=key)
    read = read_statement(statement)
    at = datetime.fromtimestamp(read.date_epoch_s, tz=UTC)
    signed = signed_by_a_person(
        statement, signature, namespace=NAMESPACE, enforced=prepared.enforced, signer=signer, at=at
    )
    if signed.principal != request.author:
        raise SignatureError(
            f"the key is that of `{signed.principal}`, not of `{request.author}`", remedy="sign with your own"
        )
    event = BaselineRecorded(
        repository=read.repository,
        line=read.line,
        kind="statement",
        author=signed.principal,
        key=signed.key,
        statement_digest=hashlib.sha256(statement).hexdigest(),
        signature_digest=hashlib.sha256(signature).hexdigest(),
        limits_s={name.value: limit for name, limit in sorted(read.limits_s.items())},
        findings=len(read.findings),
        run_id=read.run_id,
    )
    blobs = {event.statement_digest: statement, event.signature_digest: signature}
    head = chosen.ledger.append(memory.head, [to_entry(event)], now=now, blobs=blobs)
    chosen.seen.keep(chosen.ledger.address, head)
    longest = longest_limits(prepared).items()
    shortened = {severity: limit for severity, limit in longest if read.limits_s.get(severity, 0) > limit}
    return Written(chosen.ledger.address, head, statement, signature, len(read.findings), shortened)
