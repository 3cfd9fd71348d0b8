"""What two people agreed that counts for less: downgrades of the ledger, checked, laid beside a run's findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from secgate import registry, sla
from secgate.agreement import about, gather
from secgate.downgrades import PROCEDURE, Downgrade, DowngradeRequest, Standing, for_findings
from secgate.hearing import Refused, refused_words
from secgate.model import Downgraded, Finding, History, KnownStatement, Obligation, Severity
from secgate.pipeline.exceptions import SHOWN, by_every_name, check_of, limits_of, without_authors
from secgate.policy.documents import DowngradeFacts
from secgate.policy.facts import JoinedFacts
from secgate.ports import Signer
from secgate.preparation import Enforced, Prepared, Workshop
from secgate.waivers import time_words


class Lowered(NamedTuple):
    """The findings with what they count as, facts for the policy by fingerprint, and what people should know."""

    findings: tuple[Finding, ...]
    joined: dict[str, JoinedFacts]
    notes: tuple[str, ...]


def lowered(
    findings: Sequence[Finding],
    joined: Mapping[str, JoinedFacts],
    *,
    history: History | None,
    prepared: Prepared,
    shop: Workshop,
    now: datetime,
) -> Lowered:
    """Lay the ledger's downgrades beside a run's findings and what else is known of them, at the time of judgement."""
    statements = history.statements if history is not None else ()
    mine = about(statements, PROCEDURE, repository=prepared.target.repository)
    if not mine:
        return Lowered(tuple(findings), dict(joined), ())
    if not prepared.enforced.trust.allowed_signers:
        told = "the ledger holds downgrades, and without an enforced layer nobody's signature counts: none is applied"
        return Lowered(tuple(findings), dict(joined), (told,))
    signer = registry.signer("sshsig", machine=shop.machine, runner=shop.executor, scratch=shop.scratch)
    downgrades, refused = checked(mine, enforced=prepared.enforced, signer=signer)
    downgrades, own = without_authors("downgrade", downgrades, target=prepared.target)
    at = int(now.timestamp())
    limits = limits_of(prepared)
    named = by_every_name(findings, history, prepared.target)
    stand = for_findings(downgrades, named, now_epoch_s=at, longest_s=limits.downgrades_s.of)
    known = dict(joined)
    for fingerprint, one in stand.items():
        if one.state != "requested":
            before = known.get(fingerprint, JoinedFacts())
            known[fingerprint] = msgspec.structs.replace(before, downgrade=_facts(one))
    notes = [*refused_words(refused)]
    notes += own
    notes += [
        text
        for finding in findings
        for text in _notes(finding, stand.get(finding.fingerprint), notice_s=limits.notice_s, now_epoch_s=at)
    ]
    shown = tuple(_shown(finding, stand.get(finding.fingerprint)) for finding in findings)
    return Lowered(shown, known, tuple(notes))


def checked(
    statements: Sequence[KnownStatement], *, enforced: Enforced, signer: Signer
) -> tuple[tuple[Downgrade, ...], tuple[Refused, ...]]:
    """Give the downgrades whose signatures hold, by the enforced layer at the ledger's time, and what counts not."""
    check = check_of(enforced, signer)
    return gather(statements, PROCEDURE, DowngradeRequest, check=check, people=enforced.people)


def late_duties(duties: Sequence[Obligation], severity: Severity, *, approved_epoch_s: int) -> list[Obligation]:
    """Give the duties above a severity that stand, and were past their time when its downgrade was approved."""
    return [
        duty
        for duty in duties
        if is_above(duty, severity) and not duty.superseded and approved_epoch_s > duty.due_epoch_s
    ]


def is_above(duty: Obligation, severity: Severity) -> bool:
    """Tell whether a duty is of a severity above another one."""
    kind, level = sla.basis_of(duty.basis)
    return kind == "severity" and level is not None and level.rank > severity.rank


def _facts(one: Standing) -> DowngradeFacts:
    asked = one.downgrade.request
    return DowngradeFacts(
        state="active" if one.state == "active" else "expired" if one.state == "expired" else "void",
        id=one.downgrade.id,
        severity=asked.severity,
        from_severity=asked.bound.severity,
        requester=asked.requester,
        approver=one.downgrade.approver,
        approved_epoch_s=one.downgrade.approved_epoch_s,
        expires_epoch_s=one.until_epoch_s,
        ended_epoch_s=one.ended_epoch_s,
    )


def _shown(finding: Finding, one: Standing | None) -> Finding:
    if one is None or one.state != "active":
        return finding
    said = Downgraded(
        id=one.downgrade.id,
        severity=one.downgrade.request.severity,
        approver=one.downgrade.approver,
        until_epoch_s=one.until_epoch_s,
    )
    return msgspec.structs.replace(finding, downgraded=said)


def _notes(finding: Finding, one: Standing | None, *, notice_s: int, now_epoch_s: int) -> Iterator[str]:
    """Say which downgrades do not hold, which will not for long, and what they came too late for."""
    if one is None:
        return
    name = f"downgrade {one.downgrade.id[:SHOWN]} of {finding.location.words}"
    if one.state != "active":
        yield f"{name} is {one.state}: {one.why}"
        return
    if one.until_epoch_s - now_epoch_s <= notice_s:
        yield f"{name} ends in {sla.length_words(one.until_epoch_s - now_epoch_s)}"
    severity, approved = one.downgrade.request.severity, one.downgrade.approved_epoch_s
    for duty in late_duties(finding.obligations, severity, approved_epoch_s=approved):
        yield f"{name} came too late for {duty.basis}, due {time_words(duty.due_epoch_s)}, which stands"
