"""What people answer for: waivers of the ledger, their signatures checked, laid beside findings and gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from secgate import registry, sla
from secgate.bounds import Lineage, rules_of
from secgate.hearing import Check, Refused, refused_words
from secgate.model import (
    Coverage,
    Finding,
    Fingerprint,
    Gap,
    History,
    Invocation,
    KnownFinding,
    KnownStatement,
    Scope,
    State,
    Target,
    WaiverAccount,
)
from secgate.people import id_of
from secgate.pipeline.sight import Sight
from secgate.policy import effective_data, read_limits
from secgate.policy.documents import WaiverFacts
from secgate.policy.facts import JoinedFacts
from secgate.policy.values import PolicyLimits, WaiverLimits
from secgate.ports import Signer
from secgate.preparation import Enforced, Prepared, Workshop
from secgate.waived import account, for_findings, for_gaps, is_here
from secgate.waivers import Standing, Waiver, about, gather, standing

SHOWN = 12
"""Characters of an id in a sentence."""


class _Asked(Protocol):
    @property
    def requester(self) -> str: ...


class _Agreed(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def approver(self) -> str: ...
    @property
    def request(self) -> _Asked: ...


Agreed = TypeVar("Agreed", bound=_Agreed)
"""A waiver or a downgrade."""


class Excepted(NamedTuple):
    """Facts for the policy by fingerprint, coverage with waived gaps marked, and what people should know."""

    joined: dict[str, JoinedFacts]
    coverage: Coverage
    notes: tuple[str, ...]
    accounts: tuple[WaiverAccount, ...] = ()


def excepted(
    findings: Sequence[Finding],
    coverage: Coverage,
    *,
    invocations: Sequence[Invocation],
    comparable: Callable[[KnownFinding], bool],
    history: History | None,
    prepared: Prepared,
    shop: Workshop,
    now: datetime,
) -> Excepted:
    """Lay the ledger's waivers beside a run. `now` is the time of judgement.

    `comparable` tells whether this run looked where a known finding was, with everything that saw it.
    """
    mine = about(history.statements if history is not None else (), repository=prepared.target.repository)
    if not mine:
        return Excepted({}, coverage, ())
    if not prepared.enforced.trust.allowed_signers:
        told = "the ledger holds waivers, and without an enforced layer nobody's signature counts: none is applied"
        return Excepted({}, coverage, (told,))
    signer = registry.signer("sshsig", machine=shop.machine, runner=shop.executor, scratch=shop.scratch)
    waivers, refused = checked(mine, enforced=prepared.enforced, signer=signer)
    waivers, own = without_authors("waiver", waivers, target=prepared.target)
    policy = limits_of(prepared)
    limits, notice_s = policy.waivers_s, policy.notice_s
    at = int(now.timestamp())
    repository = prepared.target.repository
    named = by_every_name(findings, history, prepared.target)
    made = lineages_of(findings, history, prepared.target)
    standings = for_findings(waivers, named, repository=repository, now_epoch_s=at, longest_s=limits.of, lineages=made)
    covered, held = _waived_gaps(waivers, coverage, repository=repository, now_epoch_s=at, longest_s=limits.gap)
    used = {*held, *(one.waiver.id for one in standings.values())}
    names = {name for one in named for name in (one.fingerprint, *(alias.value for alias in one.aliases))}
    gaps = [gap for lane in coverage.lanes for gap in lane.gaps]
    # One that another counts before is of use still: what it was given for is here.
    idle = [one for one in waivers if one.id not in used and not is_here(one, named, names, gaps)]
    notes = [*refused_words(refused)]
    notes += own
    sight = Sight(prepared.target, coverage, invocations, history, comparable)
    accounts = (
        *_accounts(findings, standings, notice_s, now_epoch_s=at),
        *_of_gaps(held, notice_s, now_epoch_s=at),
        *_unused(idle, sight, limits, now_epoch_s=at),
    )
    notes += filter(None, (_note(one, now_epoch_s=at) for one in accounts))
    joined = {name: JoinedFacts(waiver=_facts(one)) for name, one in standings.items() if one.state != "requested"}
    return Excepted(joined, covered, tuple(notes), accounts)


def by_every_name(findings: Sequence[Finding], history: History | None, target: Target) -> list[Finding]:
    """Give the findings with every older name that the ledger has for them, not the last one alone.

    What was edited some runs ago is still what its waiver was given for: that is void then, and not of no use. What is
    new beside a change's base has none: its clock may go on from what was mended elsewhere, nobody's word does.
    """
    known = _by_name(history)
    named = []
    for one in findings:
        if _is_new(one, target):
            before = {*one.continues, *one.taken_from, one.previous}
            names = [name for name in one.aliases if name.value not in before]
        else:
            older = (name for then in _origins(one, known) for name in _names(then))
            names = [name for name in (*one.aliases, *older) if name.value != one.fingerprint]
        named.append(msgspec.structs.replace(one, aliases=tuple(dict.fromkeys(names))))
    return named


def _is_new(one: Finding, target: Target) -> bool:
    return bool(target.base_commit) and one.state is State.NEW


def _origins(one: Finding, known: Mapping[str, KnownFinding]) -> list[KnownFinding]:
    return [known[name] for name in (*one.continues, one.part_of, *one.taken_from) if name in known]


def _names(one: KnownFinding) -> Iterator[Fingerprint]:
    yield from one.aliases
    yield from (Fingerprint(algorithm=one.algorithm, value=name) for name in one.wholes)


def _by_name(history: History | None) -> dict[str, KnownFinding]:
    """Give what is open, and what may be back, by its fingerprint."""
    return {one.fingerprint: one for one in (*history.closed, *history.open)} if history is not None else {}


def lineages_of(findings: Sequence[Finding], history: History | None, target: Target) -> dict[str, Lineage]:
    """Give, by fingerprint, what an edited crosswalk made of each finding that it touched; none for what is new.

    By the ledger, or by what it is in this run for the first time.
    """
    known = _by_name(history)
    found = {}
    for one in findings:
        origins = [] if _is_new(one, target) else _origins(one, known)
        is_renamed = any(then.weakness != one.weakness for then in origins)
        if not (is_renamed or len(origins) > 1 or any(then.wholes or then.apart for then in origins)):
            continue
        wholes = {name for then in origins for name in then.wholes}
        if one.part_of in known:
            wholes |= {one.part_of, *(name.value for name in known[one.part_of].aliases)}
        apart = {rule for then in origins for rule in then.apart}
        rules, before = rules_of(one.witnesses), {f"{tool}:{rule}" for then in origins for tool, rule in then.rules}
        # Called otherwise by the crosswalk; where it has no rule in common the tool has renamed its rule.
        if len(origins) > 1 or one.part_of in known or (is_renamed and not rules.isdisjoint(before)):
            apart |= rules | before
        if wholes or apart:
            found[one.fingerprint] = Lineage(frozenset(wholes), frozenset(apart))
    return found


def checked(
    statements: Sequence[KnownStatement], *, enforced: Enforced, signer: Signer
) -> tuple[tuple[Waiver, ...], tuple[Refused, ...]]:
    """Give the waivers whose signatures hold, by the enforced layer at the ledger's time, and what does not count."""
    return gather(statements, check=check_of(enforced, signer), people=enforced.people)


def without_authors(word: str, agreed: Sequence[Agreed], *, target: Target) -> tuple[tuple[Agreed, ...], list[str]]:
    """Give what people agreed on who did not write the change that is judged, and say what is left out.

    Whoever wrote it neither asks for nor approves what lets it pass. Source: threat rule 5.
    """
    author = id_of(target.author) if target.scope is Scope.CHANGE else ""
    theirs = [one for one in agreed if author and author in (one.request.requester, one.approver)]
    notes = [
        f"{word} {one.id[:SHOWN]} counts for nothing here: `{author}`, who is in it, wrote the change" for one in theirs
    ]
    return tuple(one for one in agreed if one not in theirs), notes


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
) -> tuple[Coverage, dict[str, Standing]]:
    """Give coverage with waived gaps marked, and by id the waivers of gaps that are here, those that hold or not."""
    used: dict[str, Standing] = {}
    lanes = []
    for lane in coverage.lanes:
        held = for_gaps(waivers, lane.gaps, repository=repository, now_epoch_s=now_epoch_s, longest_s=longest_s)
        used.update((one.waiver.id, one) for one in held.values())
        passed = {at for at, one in held.items() if one.state == "active"}
        gaps = tuple(_waived(gap) if at in passed else gap for at, gap in enumerate(lane.gaps))
        lanes.append(msgspec.structs.replace(lane, gaps=gaps) if passed else lane)
    return (msgspec.structs.replace(coverage, lanes=tuple(lanes)) if used else coverage), used


def _of_gaps(held: Mapping[str, Standing], notice_s: int, *, now_epoch_s: int) -> tuple[WaiverAccount, ...]:
    return tuple(
        account(one, shown="", fingerprint="", notice_s=notice_s, now_epoch_s=now_epoch_s)
        for _, one in sorted(held.items())
    )


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


def _accounts(
    findings: Sequence[Finding], standings: Mapping[str, Standing], notice_s: int, *, now_epoch_s: int
) -> tuple[WaiverAccount, ...]:
    """Say of each waiver that is about a finding of this run how it stands."""
    held = [(finding, standings[finding.fingerprint]) for finding in findings if finding.fingerprint in standings]
    return tuple(
        account(
            one,
            shown=finding.location.words,
            fingerprint=finding.fingerprint,
            notice_s=notice_s,
            now_epoch_s=now_epoch_s,
        )
        for finding, one in held
    )


def _unused(
    idle: Sequence[Waiver], sight: Sight, limits: WaiverLimits, *, now_epoch_s: int
) -> tuple[WaiverAccount, ...]:
    """Say which waivers that hold by themselves have nothing to hold for, in a run that would have seen it."""
    if sight.target.changed is not None or sight.target.prefix:
        return ()
    found = []
    for waiver in idle:
        life = limits.longest(waiver.request.bound.severity, of_gap=waiver.of_gap)
        one = standing(waiver, None, now_epoch_s=now_epoch_s, longest_s=life)
        if one.state == "active" and sight.would_see(waiver):
            told = account(one, shown="", fingerprint="", notice_s=0, now_epoch_s=now_epoch_s)
            found.append(
                msgspec.structs.replace(
                    told,
                    state="unused",
                    why="what it was given for is not here any more",
                    remedy=f"secgate waiver revoke {waiver.id[:SHOWN]}",
                )
            )
    return tuple(found)


def _note(one: WaiverAccount, *, now_epoch_s: int) -> str:
    """Say of a waiver what somebody should know; "" for one that holds for long."""
    name = f"waiver {one.id[:SHOWN]} of {one.shown}"
    if one.state == "active":
        left = sla.length_words(one.until_epoch_s - now_epoch_s)
        return f"{name} ends in {left}: fix it, or ask anew" if one.ends_soon else ""
    return f"{name} is {one.state}: {one.why}; {one.remedy}"
