"""What is open and until when: every open finding that ledgers remember, what bites first, and why.

Nothing is judged here: duties are the ledger's, and whether a waiver holds and who owns a file is as the last recorded
run was told. A waiver never moves a deadline; it only says until when the gate lets an overdue finding pass. Source:
SLA semantics, rules 2, 5 and 10.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from secgate import sla
from secgate.memory import Memory
from secgate.model import Lane, Obligation, Severity, Value
from secgate.remembered import Remembered

FORMAT_VERSION = 1

State: TypeAlias = Literal["within", "overdue", "waived", "no-limit"]


class Told(Value, frozen=True, kw_only=True):
    """What the last recorded run was told of a finding beside the tools: its owner, and a waiver that held then."""

    owner: str = ""
    waived_until_epoch_s: int = 0
    """0 where none held."""
    waived_by: str = ""


class Duty(Value, frozen=True, kw_only=True):
    """One duty that stands."""

    basis: str
    start_epoch_s: int
    limit_s: int
    due_epoch_s: int


class Deadline(Value, frozen=True, kw_only=True):
    """One open finding. `left_s` is negative when it is overdue, None where no duty stands."""

    ledger: str
    repository: str
    line: str
    fingerprint: str
    lane: Lane
    weakness: str
    severity: Severity
    path: str
    start_line: int
    package: str
    advisories: tuple[str, ...]
    owner: str
    episode: int
    first_seen_epoch_s: int
    state: State
    due_epoch_s: int | None
    left_s: int | None
    why: str
    """The duty that bites first, in words."""
    waived_until_epoch_s: int = 0
    waived_by: str = ""
    duties: tuple[Duty, ...] = ()

    @property
    def bites_epoch_s(self) -> int | None:
        """When the gate says no: when it is due, or when the waiver ends that holds beyond that."""
        return None if self.due_epoch_s is None else max(self.due_epoch_s, self.waived_until_epoch_s)


class Source(Value, frozen=True, kw_only=True):
    """A ledger that was read and verified, with its head."""

    address: str
    size: int
    root: str
    provisional: bool
    open: int
    clocked: bool
    """Whether any protected run is in it: nothing else starts or ends a clock."""


class Deadlines(Value, frozen=True, kw_only=True):
    """Every open finding of some ledgers as of a moment, what bites first in front."""

    version: int = FORMAT_VERSION
    as_of_epoch_s: int
    ledgers: tuple[Source, ...]
    overdue: int
    """Those that no waiver covers."""
    waived: int
    closed_in_time: int
    closed_late: int
    """By the duties of their last episode, whether a waiver covered them or not."""
    findings: tuple[Deadline, ...]


class Folded(Struct, frozen=True, kw_only=True):
    """A ledger as it was read: its address, what it remembers, and what its runs were told.

    That is by repository and line, of the fingerprints that are asked for.
    """

    address: str
    memory: Memory
    told: Callable[[str, str, Collection[str]], Mapping[str, Told]]


def deadlines(ledgers: Sequence[Folded], *, now_epoch_s: int) -> Deadlines:
    """Give what is open as of `now_epoch_s`, or of the last entry of any ledger if that is later."""
    as_of = max([now_epoch_s, *(one.memory.last_epoch_s for one in ledgers)])
    found = [(one, list(_open(one, as_of))) for one in ledgers]
    listed = sorted((deadline for _, some in found for deadline in some), key=_order)
    closed = [
        sla.closing(one.obligations, closed_epoch_s=one.closed_epoch_s, waived=())
        for folded in ledgers
        for line in folded.memory.all_lines().values()
        for one in line.findings.values()
        if one.closed_epoch_s is not None
    ]
    return Deadlines(
        as_of_epoch_s=as_of,
        ledgers=tuple(
            Source(
                address=one.address,
                size=one.memory.head.size,
                root=one.memory.head.root,
                provisional=one.memory.provisional,
                open=len(some),
                clocked=bool(one.memory.all_lines()),
            )
            for one, some in found
        ),
        overdue=sum(one.state == "overdue" for one in listed),
        waived=sum(one.state == "waived" for one in listed),
        closed_in_time=closed.count("met"),
        closed_late=len(closed) - closed.count("met"),
        findings=tuple(listed),
    )


def _open(folded: Folded, as_of: int) -> Iterable[Deadline]:
    for (repository, line), remembered in folded.memory.all_lines().items():
        known = [one for one in remembered.findings.values() if one.is_open]
        told = folded.told(repository, line, {one.facts.fingerprint for one in known}) if known else {}
        for one in known:
            facts = told.get(one.facts.fingerprint, Told())
            yield _deadline(one, facts, ledger=folded.address, repository=repository, line=line, as_of=as_of)


def _deadline(one: Remembered, told: Told, *, ledger: str, repository: str, line: str, as_of: int) -> Deadline:
    facts = one.facts
    standing = sorted(
        (duty for duty in one.obligations if not duty.superseded), key=lambda duty: (duty.due_epoch_s, duty.basis)
    )
    first = standing[0] if standing else None
    until = told.waived_until_epoch_s if told.waived_until_epoch_s > as_of else 0
    return Deadline(
        ledger=ledger,
        repository=repository,
        line=line,
        fingerprint=facts.fingerprint,
        lane=facts.lane,
        weakness=facts.weakness,
        severity=facts.severity,
        path=facts.path,
        start_line=facts.start_line,
        package=facts.package,
        advisories=facts.advisories,
        owner=told.owner,
        episode=one.episode,
        first_seen_epoch_s=one.first_seen_epoch_s,
        state=state_of(one.obligations, waived_until_epoch_s=until, now_epoch_s=as_of),
        due_epoch_s=first.due_epoch_s if first else None,
        left_s=first.due_epoch_s - as_of if first else None,
        why=_why(first, one.obligations),
        waived_until_epoch_s=until,
        waived_by=told.waived_by if until else "",
        duties=tuple(
            Duty(basis=duty.basis, start_epoch_s=duty.start_epoch_s, limit_s=duty.limit_s, due_epoch_s=duty.due_epoch_s)
            for duty in standing
        ),
    )


def _why(first: Obligation | None, duties: Iterable[Obligation]) -> str:
    told = duty_words(first) if first else "no duty stands: its severity has no limit"
    back = max((duty for duty in duties if duty.superseded_by), key=lambda duty: duty.superseded_epoch_s, default=None)
    return f"{told}; the downgrade {back.superseded_by[:12]} took {back.basis} back" if back else told


def state_of(duties: Iterable[Obligation], *, waived_until_epoch_s: int, now_epoch_s: int) -> State:
    """Tell how an open finding stands: `waived` is overdue, and let pass for now."""
    duty = sla.earliest(duties)
    if duty is None:
        return "no-limit"
    if now_epoch_s <= duty.due_epoch_s:
        return "within"
    return "waived" if now_epoch_s < waived_until_epoch_s else "overdue"


def _order(one: Deadline) -> tuple[object, ...]:
    bites = one.bites_epoch_s
    place = (one.repository, one.line, one.path, one.start_line, one.fingerprint, one.ledger)
    return (bites is None, bites or 0, -one.severity.rank, *place)


_KINDS = {
    "severity": "{} severity",
    "baseline": "known debt, listed as {}",
    "known-exploited": "known to be exploited",
    "epss": "likely to be exploited, by EPSS model {}",
    "bod-26-04": "BOD 26-04",
}


def duty_words(duty: Obligation) -> str:
    """Say what a duty rests on and how it is reckoned: what, how long, from when, and when it is due, in UTC."""
    kind, _, rest = duty.basis.partition(":")
    name, _, place = rest.partition(":")
    said = _KINDS[kind].format(name) if kind in _KINDS else duty.basis
    if kind == "known-exploited" and name:
        said += ", and exposed"
    if kind == "severity" and place:
        said += f" in {place}"
    start, due = sla.utc_words(duty.start_epoch_s), sla.utc_words(duty.due_epoch_s)
    return f"{said} allows {sla.length_words(duty.limit_s)} from {start}, so it is due {due}"


class _Waiver(Struct, frozen=True, kw_only=True):
    state: str = "none"
    approver: str = ""
    expires_epoch_s: int = 0


class _Finding(Struct, frozen=True, kw_only=True):
    fingerprint: str = ""
    owner: str = ""
    waiver: _Waiver = _Waiver()


class _Input(Struct, frozen=True, kw_only=True):
    """As much of a decision's input as is told here."""

    findings: tuple[_Finding, ...] = ()


def told_by(decision_input: bytes) -> dict[str, Told]:
    """Give what a run's decision was told, by fingerprint. Raises msgspec.DecodeError for what is no such input."""
    read = msgspec.json.decode(decision_input, type=_Input)
    return {
        one.fingerprint: Told(
            owner=one.owner,
            waived_until_epoch_s=one.waiver.expires_epoch_s if one.waiver.state == "active" else 0,
            waived_by=one.waiver.approver if one.waiver.state == "active" else "",
        )
        for one in read.findings
    }
