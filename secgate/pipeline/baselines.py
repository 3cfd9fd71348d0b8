"""Known debt: the signed lists that a run's findings are held against."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from secgate import registry, sarif
from secgate.baseline import (
    NAMESPACE,
    Debt,
    DebtEntry,
    as_bad_as_ever,
    listed,
    read_statement,
)
from secgate.config import Machine
from secgate.correlate import correlate
from secgate.errors import LedgerError, SignatureError, UsageError
from secgate.escape import plain
from secgate.events import BaselineRecorded
from secgate.memory import KnownBaseline, Line, Memory
from secgate.model import (
    Digest,
    Finding,
    Invocation,
    Lane,
    Reading,
    ScanStatus,
    Severity,
    encode,
)
from secgate.normalise import normalise
from secgate.pipeline.looking import Looked, Tables, places_apart
from secgate.policy import BaselineFacts, BaselineLimits, effective_data, read_baseline_limits
from secgate.policy.facts import JoinedFacts
from secgate.ports import Ledger, Signer
from secgate.preparation import (
    Prepared,
    Workshop,
    signed_by_a_person,
)
from secgate.scanners.reports import read_report
from secgate.sla import many

_DIGEST_FILE = ".sha256"
_DIGEST_LINE_BYTES = 512
_DIGEST_LINE = re.compile(rb"([0-9a-f]{64}) [ *][!-~]{1,255}\n?")
BY_SEVERITY = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
"""Severities that have limits; `info` has none."""


class KnownDebt(NamedTuple):
    """What the lists say of a run's findings, by fingerprint, what is recorded of them, and what is to be told."""

    facts: Mapping[str, BaselineFacts]
    events: tuple[BaselineRecorded, ...]
    blobs: Mapping[Digest, bytes]
    notes: tuple[str, ...]


class _Given(NamedTuple):
    """A file of another tool, named for this run."""

    debt: Debt
    event: BaselineRecorded
    blobs: Mapping[Digest, bytes]


class _Import(Struct, frozen=True, kw_only=True):
    """A foreign run in the form that the scan stage gives."""

    invocation: Invocation
    readings: tuple[Reading, ...]


def known_debt(
    file: str,
    *,
    findings: Sequence[Finding],
    prepared: Prepared,
    head: Looked,
    tables: Tables,
    memory: Memory,
    ledger: Ledger | None,
    shop: Workshop,
    now: datetime,
) -> KnownDebt:
    """Hold findings against the recorded lists of the line, and against `file`, SARIF of another tool ("" for none).

    A list that nobody signed who counts is told and counts nothing. Raises UsageError for a file that cannot be read.
    """
    signer = person_signer(shop)
    debts: list[Debt] = []
    notes: list[str] = []
    recorded = memory.baselines(prepared.target.repository, prepared.target.line)
    for one in recorded:
        if one.event.kind != "statement" or ledger is None:
            continue
        try:
            debts.append(recorded_debt(one, ledger, prepared, signer))
        except (SignatureError, UsageError, LedgerError) as error:
            when = _day(one.at_epoch_s)
            notes.append(f"the baseline of {when} by {one.event.author} counts nothing: {error.what}")
    given = None
    if file:
        try:
            given = _given(
                file, prepared=prepared, head=head, tables=tables, recorded=recorded, shop=shop, signer=signer, now=now
            )
            debts.append(given.debt)
        except SignatureError as error:
            notes.append(f"the baseline {Path(file).name} counts nothing: {error.what}")
        if given is not None and ledger is None:
            notes.append(f"the baseline {Path(file).name} starts no clock: nothing is recorded here")
    line = memory.line(prepared.target.repository, prepared.target.line)
    met = listed(_named(findings, line), debts) if debts else {}
    notes.extend(_counted(debt, sum(one.digest == debt.digest for one in met.values())) for debt in debts)
    is_new = given is not None and given.event.statement_digest not in {one.event.statement_digest for one in recorded}
    return KnownDebt(
        facts={
            name: BaselineFacts(
                listed=True,
                id=one.digest,
                author=one.author,
                date_epoch_s=one.date_epoch_s,
                severity=one.severity,
                limit_s=one.limit_s,
            )
            for name, one in met.items()
        },
        events=(given.event,) if given is not None and is_new else (),
        blobs=given.blobs if given is not None and is_new else {},
        notes=tuple(notes),
    )


def with_debt(joined: Mapping[str, JoinedFacts], debt: KnownDebt) -> dict[str, JoinedFacts]:
    """Join what the lists say to what else is known of findings."""
    empty = JoinedFacts()
    listed_too = {
        name: msgspec.structs.replace(joined.get(name, empty), baseline=facts) for name, facts in debt.facts.items()
    }
    return {**joined, **listed_too}


def _named(findings: Sequence[Finding], line: Line) -> list[tuple[str, list[str]]]:
    """Give each finding's fingerprint and every other name that this run or the ledger has for it."""
    named = []
    for finding in findings:
        names = {finding.previous, *(alias.value for alias in finding.aliases)} - {""}
        before = line.find([finding.fingerprint, *sorted(names)])
        named.append((finding.fingerprint, sorted(names | before.called if before is not None else names)))
    return named


def person_signer(shop: Workshop) -> Signer:
    """Give the signer that people use."""
    return registry.signer("sshsig", machine=shop.machine, runner=shop.executor, scratch=shop.scratch)


def _counted(debt: Debt, count: int) -> str:
    return (
        f"baseline {debt.digest[:12]} of {_day(debt.date_epoch_s)} by {debt.author}: "
        f"counts for {count} of {many(len(debt.entries), 'finding')}"
    )


def _day(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def recorded_debt(one: KnownBaseline, ledger: Ledger, prepared: Prepared, signer: Signer) -> Debt:
    """Give a list as its signature says it, at the time when the ledger took it in.

    Raises SignatureError, UsageError or LedgerError for one that nobody signed who counts, or that is gone.
    """
    event = one.event
    data, signature = ledger.blob(event.statement_digest), ledger.blob(event.signature_digest)
    at = datetime.fromtimestamp(one.at_epoch_s, tz=UTC)
    signed = signed_by_a_person(data, signature, namespace=NAMESPACE, enforced=prepared.enforced, signer=signer, at=at)
    if event.kind == "sarif-digest":
        return Debt(
            digest=event.statement_digest,
            author=signed.principal,
            date_epoch_s=one.at_epoch_s,
            limits_s={Severity(name): limit for name, limit in event.limits_s.items()},
            entries=msgspec.json.decode(ledger.blob(event.list_digest), type=tuple[DebtEntry, ...]),
        )
    statement = read_statement(data)
    bound = (statement.author, statement.repository, statement.line)
    if bound != (signed.principal, event.repository, event.line):
        raise SignatureError("it was signed for another author, repository or line", remedy="write it anew")
    return Debt(
        digest=event.statement_digest,
        author=signed.principal,
        date_epoch_s=one.at_epoch_s,
        limits_s=statement.limits_s,
        entries=statement.findings,
    )


def _given(
    file: str,
    *,
    prepared: Prepared,
    head: Looked,
    tables: Tables,
    recorded: Sequence[KnownBaseline],
    shop: Workshop,
    signer: Signer,
    now: datetime,
) -> _Given:
    data = _bytes(file, shop.machine)
    said = _said_of(data, file, shop.machine)
    beside = Path(shop.machine.cwd, f"{file}{said.ending}.sig")
    signature = beside.read_bytes() if beside.is_file() else b""
    digest = hashlib.sha256(said.text).hexdigest()
    before = next((one for one in recorded if one.event.statement_digest == digest), None)
    at = datetime.fromtimestamp(before.at_epoch_s, tz=UTC) if before is not None else now
    signed = signed_by_a_person(
        said.text, signature, namespace=NAMESPACE, enforced=prepared.enforced, signer=signer, at=at
    )
    debt = Debt(
        digest=digest,
        author=signed.principal,
        date_epoch_s=int(at.timestamp()),
        limits_s=own_limits(prepared),
        entries=_foreign_entries(data, Path(file).name, prepared=prepared, head=head, tables=tables, shop=shop),
    )
    listing = encode(debt.entries)
    event = BaselineRecorded(
        repository=prepared.target.repository,
        line=prepared.target.line,
        kind=said.kind,
        author=signed.principal,
        key=signed.key,
        statement_digest=digest,
        signature_digest=hashlib.sha256(signature).hexdigest(),
        limits_s={name.value: limit for name, limit in debt.limits_s.items()},
        findings=len(debt.entries),
        list_digest=hashlib.sha256(listing).hexdigest(),
    )
    # Raw output of a tool is never stored: what it lists is, by names and places that are masked (threat rule 12).
    kept = {event.list_digest: listing, event.signature_digest: signature}
    return _Given(debt, event, kept if said.kind == "sarif" else {**kept, digest: said.text})


class _Said(NamedTuple):
    """What a person signed of a file: its bytes, or a line that names its digest, which can be kept."""

    kind: str
    text: bytes
    ending: str


def _said_of(data: bytes, file: str, machine: Machine) -> _Said:
    """Give the line of `sha256sum` beside a file, else its own bytes.

    Raises SignatureError for another file's line, and for a signature of a line that is not there.
    """
    beside = Path(machine.cwd, f"{file}{_DIGEST_FILE}")
    if not beside.is_file():
        if beside.with_name(f"{beside.name}.sig").exists():
            raise SignatureError(
                f"{beside.name}.sig is there, but {beside.name}, which it signs, is not",
                remedy=f"put {beside.name} back, or take its signature away as well",
            )
        return _Said("sarif", data, "")
    with beside.open("rb") as stream:
        text = stream.read(_DIGEST_LINE_BYTES + 1)
    line = _DIGEST_LINE.fullmatch(text)
    if line is None or line[1].decode() != hashlib.sha256(data).hexdigest():
        raise SignatureError(
            f"{beside.name} does not name its digest", remedy=f"sha256sum {Path(file).name} > {beside.name}"
        )
    return _Said("sarif-digest", text, _DIGEST_FILE)


def require_list(file: str, machine: Machine) -> None:
    """See that a file can be a list, so that nobody waits for a scan to learn it. Raises UsageError where it cannot."""
    if Path(machine.cwd, file).exists() and not Path(machine.cwd, file).is_file():
        # A pipe would be waited for without end, and nothing can be signed beside it.
        raise UsageError(f"{plain(file)} is no regular file", place="--baseline", remedy="give a SARIF file")
    _bytes(file, machine, most=1)


def _bytes(file: str, machine: Machine, *, most: int = sarif.MAX_BYTES + 1) -> bytes:
    try:
        with Path(machine.cwd, file).open("rb") as stream:
            return stream.read(most)
    except OSError as error:
        told = f"cannot read {plain(file)}: {error.strerror}"
        raise UsageError(told, place="--baseline", remedy="give a SARIF file") from error


def _foreign_entries(
    data: bytes, name: str, *, prepared: Prepared, head: Looked, tables: Tables, shop: Workshop
) -> tuple[DebtEntry, ...]:
    """Give the results of a SARIF file as this run would name them, where they stand in the tree that it looks at."""
    imports = []
    for run in read_report(data, name=name):
        tool = run.tool.lower() if run.tool.lower() in tables.crosswalk.tools else run.tool
        part = Invocation(scanner=tool, lane=Lane.SAST, tool=None, status=ScanStatus.COMPLETED, rules=run.rules)
        reading = Reading(status=ScanStatus.COMPLETED, rules=run.rules, results=run.results)
        imports.append(_Import(invocation=part, readings=(reading,)))
    kinds = {file.path: file.kinds for file in head.files}
    root = Path(head.view.root)
    normalised = normalise(
        imports,
        view=head.view,
        read=lambda path: (root / path).read_bytes() if path in head.view.digests else None,
        kinds=lambda path: kinds.get(path, ()),
        crosswalk=tables.crosswalk,
        scores=lambda _: None,
        apart=places_apart(shop),
    )
    findings = correlate(
        normalised.located,
        target=msgspec.structs.replace(prepared.target, changed=None, renames=(), base_commit="", change_commits=()),
        crosswalk=tables.crosswalk,
        base=None,
        history=None,
        comparable=lambda _: False,
    ).findings
    return tuple(entry_of(one) for one in findings)


def entry_of(finding: Finding) -> DebtEntry:
    """Give what a list says of a finding of a run."""
    return DebtEntry(
        fingerprint=finding.fingerprint,
        algorithm=finding.algorithm,
        severity=as_bad_as_ever(finding.severity, finding.obligations),
        weakness=finding.weakness,
        path=finding.location.path,
        names=tuple(sorted({alias.value for alias in finding.aliases} | {finding.previous} - {""})),
    )


def own_limits(prepared: Prepared) -> dict[Severity, int]:
    """Give the limits that a list has where it gives none: those of the policy's data."""
    limits = _limits(prepared).limit_s
    return {severity: limits.of(severity) for severity in BY_SEVERITY}


def longest_limits(prepared: Prepared) -> dict[Severity, int]:
    """Give the limits past which a list gives no more time, whatever it says: those of the policy's data."""
    limits = _limits(prepared).longest_s
    return {severity: limits.of(severity) for severity in BY_SEVERITY}


def _limits(prepared: Prepared) -> BaselineLimits:
    named = {layer.name: layer for layer in prepared.layers}
    return read_baseline_limits(effective_data(named["shipped"], named.get("organisation")))
