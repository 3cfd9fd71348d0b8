"""What people answer for: waivers of the ledger, their signatures checked, laid beside findings and gaps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from secgate import registry, sla
from secgate.model import Coverage, Finding, Gap, History, KnownStatement, Target
from secgate.policy import effective_data, read_limits
from secgate.policy.documents import WaiverFacts
from secgate.policy.facts import JoinedFacts
from secgate.policy.values import PolicyLimits, WaiverLimits
from secgate.ports import Signer
from secgate.preparation import Enforced, Prepared, Workshop
from secgate.waived import for_findings, for_gaps
from secgate.waivers import Check, Refused, Standing, Waiver, about, gather, standing

SOON_S = 7 * 86400
"""How long before its end a waiver is spoken of."""
SHOWN = 12
"""Characters of an id in a sentence."""


class Excepted(NamedTuple):
    """Facts for the policy by fingerprint, coverage with waived gaps marked, and what people should know."""

    joined: dict[str, JoinedFacts]
    coverage: Coverage
    notes: tuple[str, ...]


def excepted(
    findings: Sequence[Finding],
    coverage: Coverage,
    *,
    history: History | None,
    prepared: Prepared,
    shop: Workshop,
    now: datetime,
) -> Excepted:
    """Lay the ledger's waivers beside a run. `now` is the time of judgement."""
    mine = about(history.statements if history is not None else (), repository=prepared.target.repository)
    if not mine:
        return Excepted({}, coverage, ())
    if not prepared.enforced.trust.allowed_signers:
        told = "the ledger holds waivers, and without an enforced layer nobody's signature counts: none is applied"
        return Excepted({}, coverage, (told,))
    signer = registry.signer("sshsig", machine=shop.machine, runner=shop.executor, scratch=shop.scratch)
    waivers, refused = checked(mine, enforced=prepared.enforced, signer=signer)
    limits = longest(prepared)
    at = int(now.timestamp())
    repository = prepared.target.repository
    standings = for_findings(waivers, findings, repository=repository, now_epoch_s=at, longest_s=limits.of)
    covered, used = _waived_gaps(waivers, coverage, repository=repository, now_epoch_s=at, longest_s=limits.gap)
    used |= {one.waiver.id for one in standings.values()}
    notes = [f"ledger entry {one.sequence} ({one.type}) counts for nothing: {one.why}" for one in refused]
    notes += _notes(findings, standings, now_epoch_s=at)
    notes += _unused(waivers, used, prepared.target, limits, now_epoch_s=at)
    joined = {name: JoinedFacts(waiver=_facts(one)) for name, one in standings.items() if one.state != "requested"}
    return Excepted(joined, covered, tuple(notes))


def checked(
    statements: Sequence[KnownStatement], *, enforced: Enforced, signer: Signer
) -> tuple[tuple[Waiver, ...], tuple[Refused, ...]]:
    """Give the waivers whose signatures hold, by the enforced layer at the ledger's time, and what does not count."""
    return gather(statements, check=check_of(enforced, signer), people=enforced.people)


def check_of(enforced: Enforced, signer: Signer) -> Check:
    """Give what checks a statement of the ledger by the enforced layer as it is now, at the ledger's time of it."""

    def check(one: KnownStatement, namespace: str) -> str:
        at = datetime.fromtimestamp(one.at_epoch_s, tz=UTC)
        return signer.verify(
            one.statement.encode(), one.signature.encode(), namespace=namespace, trust=enforced.trust, at=at
        ).principal

    return check


def longest(prepared: Prepared) -> WaiverLimits:
    """Give the longest lives of waivers that the policy allows."""
    return limits_of(prepared).waivers_s


def limits_of(prepared: Prepared) -> PolicyLimits:
    """Give the limits of the policy that judges."""
    layers = {layer.name: layer for layer in prepared.layers}
    return read_limits(effective_data(layers["shipped"], layers.get("organisation")))


def _waived_gaps(
    waivers: Sequence[Waiver], coverage: Coverage, *, repository: str, now_epoch_s: int, longest_s: int
) -> tuple[Coverage, set[str]]:
    used: set[str] = set()
    lanes = []
    for lane in coverage.lanes:
        held = for_gaps(waivers, lane.gaps, repository=repository, now_epoch_s=now_epoch_s, longest_s=longest_s)
        used |= {one.waiver.id for one in held.values()}
        gaps = tuple(_waived(gap) if at in held else gap for at, gap in enumerate(lane.gaps))
        lanes.append(msgspec.structs.replace(lane, gaps=gaps) if held else lane)
    return (msgspec.structs.replace(coverage, lanes=tuple(lanes)) if used else coverage), used


def _waived(gap: Gap) -> Gap:
    return msgspec.structs.replace(gap, waived=True)


def _facts(one: Standing) -> WaiverFacts:
    asked = one.waiver.request
    return WaiverFacts(
        state="active" if one.state == "active" else "expired" if one.state == "expired" else "void",
        kind=asked.kind,
        id=one.waiver.id,
        requester=asked.requester,
        approver=one.waiver.approver,
        expires_epoch_s=one.until_epoch_s,
    )


def _notes(findings: Sequence[Finding], standings: dict[str, Standing], *, now_epoch_s: int) -> list[str]:
    """Say which waivers do not hold, and which will not for long."""
    notes = []
    for finding in findings:
        one = standings.get(finding.fingerprint)
        if one is None:
            continue
        place = f"{finding.location.path}:{finding.location.region.start_line}"
        name = one.waiver.id[:SHOWN]
        left = one.until_epoch_s - now_epoch_s
        if one.state != "active":
            notes.append(f"waiver {name} of {place} is {one.state}: {one.why}")
        elif left <= SOON_S:
            notes.append(f"waiver {name} of {place} ends in {sla.length_words(left)}")
    return notes


def _unused(
    waivers: Sequence[Waiver], used: set[str], target: Target, limits: WaiverLimits, *, now_epoch_s: int
) -> list[str]:
    """Say which waivers that hold have nothing to hold for, in a run that would have seen it."""
    if target.changed is not None or target.prefix:
        return []
    notes = []
    for waiver in waivers:
        life = limits.of(waiver.request.bound.severity)
        if waiver.id in used or standing(waiver, None, now_epoch_s=now_epoch_s, longest_s=life).state != "active":
            continue
        shown = waiver.request.shown or "its subject"
        notes.append(f"waiver {waiver.id[:SHOWN]} is unused: {shown} is not here any more; revoke it")
    return notes
