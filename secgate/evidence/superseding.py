"""Duties that were taken back, and whose word is behind each: without one that holds, the duty stands.

What the ledger says of itself is not believed. A downgrade must have been approved by a second person before the duty
was due, be of this finding and of this severity, and have held when the duty was taken back; a list of known debt must
have been signed, and have brought the duty that took the other's place. Source: SLA semantics, rules 3 and 7.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from secgate import sla
from secgate.assertion_facts import SupersedingItem
from secgate.baseline import Debt, gives_way
from secgate.bounds import Bound, not_looked_at
from secgate.chronicle import Chronicle, Episode, RecordedSuperseding
from secgate.downgrades import Downgrade
from secgate.errors import LedgerError, SignatureError, UsageError
from secgate.finding_facts import FindingFacts
from secgate.memory import KnownBaseline
from secgate.model import Obligation
from secgate.policy.values import DowngradeLimits
from secgate.remembered import Remembered
from secgate.twins import group_of

DebtCheck = Callable[[KnownBaseline], Debt]
"""Raises SignatureError, UsageError or LedgerError for a list of known debt that nobody signed who counts."""
NO_FILE = (
    "its list of known debt is a file of another tool, signed itself, which the ledger does not keep: nobody can check "
    "who signed"
)


class Superseding(NamedTuple):
    """A duty that was taken back, judged; `untested` says why it cannot be, "" where it can."""

    recorded: RecordedSuperseding
    item: SupersedingItem
    untested: str = ""

    @property
    def counts(self) -> bool:
        """Tell whether the duty is gone. What cannot be told is believed, and said to be untested."""
        one = self.item
        return bool(self.untested) or (
            one.agreed
            and one.covers
            and one.approved_epoch_s <= min(one.due_epoch_s, one.superseded_epoch_s)
            and not 0 < one.until_epoch_s <= one.superseded_epoch_s
        )


def supersedings(
    chronicle: Chronicle, downgrades: Sequence[Downgrade], *, limits: DowngradeLimits, check: DebtCheck, reason: str
) -> tuple[Superseding, ...]:
    """Judge every duty of a ledger that was taken back. `reason`: why nobody's word counts, "" where it does."""
    by_id = {one.id: one for one in downgrades}
    found = []
    for one in chronicle.supersedings:
        if one.event.downgrade:
            found.append(_downgraded(one, by_id.get(one.event.downgrade), limits, reason))
        else:
            found.append(_listed(one, chronicle, check))
    return tuple(found)


def _item(one: RecordedSuperseding) -> SupersedingItem:
    event = one.event
    name = f"{event.repository}/{event.line}/{event.fingerprint[:16]}/{event.episode}"
    return SupersedingItem(
        id=f"{name}/{event.basis}/{one.sequence}",
        basis=event.basis,
        due_epoch_s=event.start_epoch_s + event.limit_s,
        superseded_epoch_s=one.at_epoch_s,
        downgrade=event.downgrade,
    )


def _downgraded(
    one: RecordedSuperseding, downgrade: Downgrade | None, limits: DowngradeLimits, reason: str
) -> Superseding:
    item = _item(one)
    if downgrade is None or not downgrade.approver:
        told = reason or f"no downgrade {one.event.downgrade[:12]} is signed by two people who count"
        return Superseding(one, replace(item, why=told))
    until = downgrade.until_epoch_s(limits.of(downgrade.request.bound.severity))
    why = _other(one, downgrade)
    return Superseding(
        one,
        replace(
            item,
            agreed=True,
            covers=not why,
            why=why,
            approved_epoch_s=downgrade.approved_epoch_s,
            until_epoch_s=min(until, downgrade.revoked_epoch_s or until),
        ),
    )


def _other(one: RecordedSuperseding, downgrade: Downgrade) -> str:
    """Say why a downgrade is of something else than the duty that it is named for, "" where it is of it."""
    request, facts, event = downgrade.request, one.known.facts, one.event
    is_named = request.subject.fingerprint in one.known.called or request.subject.group == group_of(facts)
    if request.subject.repository != event.repository or not is_named:
        return "the downgrade is of another finding"
    if not holds(request.bound, facts):
        return "the downgrade was bound to what the finding was no longer"
    kind, level = sla.basis_of(event.basis)
    if kind != "severity" or level is None or not request.severity.rank < level.rank <= request.bound.severity.rank:
        return f"the downgrade from {request.bound.severity} to {request.severity} is of no duty {event.basis}"
    return ""


def _listed(one: RecordedSuperseding, chronicle: Chronicle, check: DebtCheck) -> Superseding:
    """Judge one that a list of known debt took the place of."""
    item, event = _item(one), one.event
    held = Obligation(
        finding=event.fingerprint,
        basis=event.basis,
        start_epoch_s=event.start_epoch_s,
        limit_s=event.limit_s,
        policy_digest=event.policy_digest,
    )
    behind = [duty for duty in one.known.obligations if gives_way(held, duty)]
    days = {duty.start_epoch_s for duty in behind}
    lists = [known for known in chronicle.memory.baselines(event.repository, event.line) if known.at_epoch_s in days]
    if not lists:
        return Superseding(one, replace(item, why="it names no downgrade, and no list of known debt took its place"))
    item, why, untested = replace(item, debt=lists[0].event.statement_digest), "", ""
    for known in lists:
        if known.event.kind == "sarif":
            untested = NO_FILE
            continue
        try:
            debt = check(known)
        except (SignatureError, UsageError, LedgerError) as error:
            why = f"the list of known debt counts nothing: {error.what}"
            continue
        item = replace(item, agreed=True, approved_epoch_s=known.at_epoch_s, debt=debt.digest)
        if _names(debt, one.known):
            return Superseding(one, replace(item, covers=True))
        why = "the list of known debt does not name this finding"
    return Superseding(one, replace(item, why=why), untested)


def _names(debt: Debt, known: Remembered) -> bool:
    """Tell whether a list names a finding, by any name that either of them has for it."""
    called = known.called
    return any(entry.fingerprint in called or not called.isdisjoint(entry.names) for entry in debt.entries)


def holds(bound: Bound, facts: FindingFacts, apart: Collection[str] = ()) -> bool:
    """Tell whether what an exception was bound to is still what was recorded; where that is not kept, it does not.

    `apart` as in `bounds.broken`.
    """
    told: dict[str, Callable[[], set[str]]] = {
        "text": lambda: {facts.anchor},
        "version": lambda: {facts.package.rpartition("@")[2]},
        "secret": lambda: set(facts.secret_macs),
    }
    values = told[bound.form]() if bound.form in told else set()
    return (
        facts.severity.rank <= bound.severity.rank
        and bool(values)
        and values <= set(bound.values)
        and not not_looked_at(bound, facts.witnesses, apart)
    )


def with_standing(episodes: Iterable[Episode], judged: Sequence[Superseding]) -> tuple[Episode, ...]:
    """Give episodes with every duty standing that was taken back for nothing."""
    void: dict[tuple[str, str], list[RecordedSuperseding]] = {}
    for one in judged:
        if not one.counts:
            void.setdefault((one.recorded.event.repository, one.recorded.event.line), []).append(one.recorded)
    return tuple(
        replace(one, known=_standing(one.known, void[one.repository, one.line]))
        if (one.repository, one.line) in void
        else one
        for one in episodes
    )


def _standing(known: Remembered, void: Sequence[RecordedSuperseding]) -> Remembered:
    names = known.called
    taken = {
        (event.basis, event.start_epoch_s, event.limit_s, event.downgrade)
        for event in (one.event for one in void)
        if event.fingerprint in names
    }
    duties = tuple(
        replace(duty, superseded=False)
        if duty.superseded and (duty.basis, duty.start_epoch_s, duty.limit_s, duty.superseded_by) in taken
        else duty
        for duty in known.obligations
    )
    return known if duties == known.obligations else replace(known, obligations=duties)
