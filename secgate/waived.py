"""Which waiver counts for which finding, and for which gap in coverage."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence

from secgate.bounds import NO_KEY, Bound, Lineage, asked_of, broken
from secgate.fingerprint import package_key
from secgate.model import Finding, Gap, Lane, Severity, WaiverAccount
from secgate.patterns import PathPattern
from secgate.together import Offer, complete
from secgate.twins import Seen, TwinWaiver, share_out
from secgate.waivers import AdvisorySubject, FindingSubject, GapSubject, Standing, Waiver, standing


def for_findings(
    waivers: Iterable[Waiver],
    findings: Sequence[Finding],
    *,
    repository: str,
    now_epoch_s: int,
    longest_s: Callable[[Severity], int],
    lineages: Mapping[str, Lineage] | None = None,
) -> dict[str, Standing]:
    """Give, by fingerprint, the waiver that counts most for each finding that one names: an active one before others.

    Of a group of twins exactly as many are waived as there are waivers of them that hold. `lineages` says, by
    fingerprint, what an edited crosswalk made: that is waived where each of its rules was looked at, by one waiver or
    several, of which the one that ends first is given.
    """
    single: list[Waiver] = []
    wide: list[Waiver] = []
    for waiver in waivers:
        subject = waiver.request.subject
        if isinstance(subject, FindingSubject) and subject.repository == repository:
            single.append(waiver)
        elif isinstance(subject, AdvisorySubject) and repository in subject.repositories:
            wide.append(waiver)
    made = lineages or {}

    def stand(waiver: Waiver, finding: Finding) -> Standing:
        apart: Collection[str] = ()
        if name := _name(waiver):  # An advisory's names are looked for one by one.
            apart = asked_of(
                waiver.request.bound,
                name,
                made.get(finding.fingerprint, _NO_LINEAGE),
                fingerprint=finding.fingerprint,
                rules=Seen(finding).rules,
                advisories=finding.advisories,
            )
        longest = longest_s(finding.severity)
        return standing(waiver, finding, now_epoch_s=now_epoch_s, longest_s=longest, apart=apart)

    single.sort(key=lambda one: (*_rank(_alone(one, now_epoch_s, longest_s)), one.id))
    named = [TwinWaiver(fingerprint=_subject(one).fingerprint, group=_subject(one).group) for one in single]
    shared = share_out(map(Seen, findings), named, lambda at, twin: _rank(stand(single[at], twin.finding)))
    found: dict[str, Standing] = {}
    for finding in findings:
        candidates = [one for one in wide if _is_advised(one, finding)]
        if (at := shared.get(finding.fingerprint)) is not None:
            candidates.insert(0, single[at])
        if candidates:
            found[finding.fingerprint] = min((stand(one, finding) for one in candidates), key=_rank)
    return found | _together(findings, single, found, lambda one: _alone(one, now_epoch_s, longest_s))


def _every_name(one: Finding) -> list[str]:
    return [one.fingerprint, *(alias.value for alias in one.aliases)]


def _together(
    findings: Sequence[Finding],
    single: Sequence[Waiver],
    found: Mapping[str, Standing],
    alone: Callable[[Waiver], Standing],
) -> dict[str, Standing]:
    """Give what waivers of several names, or of what is at the same place, say of what an edited crosswalk made."""
    held = {name: one for name, one in found.items() if one.state == "active"}
    names = {name: _name(one.waiver) for name, one in held.items()}
    standings = {one.waiver.id: one for one in map(alone, single) if one.state == "active"}
    offers = [
        Offer(one.waiver.id, _subject(one.waiver).fingerprint, one.waiver.request.bound, one.until_epoch_s)
        for one in standings.values()
    ]
    relevant = {offer.name for offer in offers}
    relevant.update(name for one in findings if names.get(one.fingerprint) for name in _every_name(one))
    parts = [Seen(one) for one in findings if not relevant.isdisjoint(_every_name(one))] if offers else []

    def fits(bound: Bound, part: Seen) -> bool:
        return not broken(bound, part.finding, part.rules)

    return {name: standings[used[-1].id] for name, used in complete(parts, offers, names, fits).items()}


_NO_LINEAGE = Lineage()
_SHOWN = 12
_STATES = ("active", "requested", "void", "expired")


def _alone(waiver: Waiver, now_epoch_s: int, longest_s: Callable[[Severity], int]) -> Standing:
    return standing(waiver, None, now_epoch_s=now_epoch_s, longest_s=longest_s(waiver.request.bound.severity))


def _rank(one: Standing) -> tuple[int, int]:
    """Put first what holds, and of several what holds longest."""
    return _STATES.index(one.state), -one.until_epoch_s


def _subject(waiver: Waiver) -> FindingSubject:
    subject = waiver.request.subject
    if not isinstance(subject, FindingSubject):
        raise TypeError(waiver.id)
    return subject


def _name(waiver: Waiver) -> str:
    subject = waiver.request.subject
    return subject.fingerprint if isinstance(subject, FindingSubject) else ""


def _is_advised(waiver: Waiver, finding: Finding) -> bool:
    package = finding.package
    if package is None or finding.lane is not Lane.DEPENDENCIES:
        return False
    return is_advised(waiver, package_key(package.ecosystem, package.name), finding.advisories)


def is_advised(waiver: Waiver, key: tuple[str, str], advisories: Iterable[str]) -> bool:
    """Tell whether a waiver is of an advisory, by any of its names, on the package of that `package_key`."""
    subject = waiver.request.subject
    if not isinstance(subject, AdvisorySubject) or package_key(subject.ecosystem, subject.package) != key:
        return False
    return subject.advisory.upper() in {name.upper() for name in advisories}


def for_gaps(
    waivers: Iterable[Waiver], gaps: Sequence[Gap], *, repository: str, now_epoch_s: int, longest_s: int
) -> dict[int, Standing]:
    """Give, by index, the waiver that counts most for each gap that one names: of those that hold, the longest."""
    found: dict[int, Standing] = {}
    for waiver in waivers:
        subject = waiver.request.subject
        if not isinstance(subject, GapSubject) or subject.repository != repository:
            continue
        one = standing(waiver, None, now_epoch_s=now_epoch_s, longest_s=longest_s)
        fits = _fitting(subject)
        for at, gap in enumerate(gaps):
            if fits(gap):
                found[at] = min(found.get(at, one), one, key=lambda held: (*_rank(held), held.waiver.id))
    return found


def is_here(waiver: Waiver, findings: Sequence[Finding], names: Container[str], gaps: Sequence[Gap]) -> bool:
    """Tell whether what a waiver was given for is among findings, all of whose names are `names`, or gaps."""
    subject = waiver.request.subject
    if isinstance(subject, FindingSubject):
        return subject.fingerprint in names
    if isinstance(subject, GapSubject):
        return any(map(_fitting(subject), gaps))
    return any(_is_advised(waiver, finding) for finding in findings)


def _fitting(subject: GapSubject) -> Callable[[Gap], bool]:
    pattern = PathPattern(subject.path) if subject.path else None

    def fits(gap: Gap) -> bool:
        if (gap.lane, gap.reason) != (subject.lane, subject.reason):
            return False
        return pattern.fits(gap.path) if pattern is not None and gap.path else not (subject.path or gap.path)

    return fits


def remedy(one: Standing, fingerprint: str) -> str:
    """Say what to do about a waiver that does not hold for a finding; "" for one that does."""
    name, again = one.waiver.id[:_SHOWN], f"ask anew: {_request(one.waiver, fingerprint)}"
    if one.state == "active":
        return ""
    if one.state == "requested":
        return f"have a second person say: secgate waiver approve {name}"
    if one.waiver.revoked_by or one.state == "expired":
        return f"fix it, or {again}"
    if one.why == NO_KEY:
        return "run with SECGATE_SECRET_KEY, the organisation's key for secrets"
    return f"look at it as it is now; fix it, or {again}"


def _request(waiver: Waiver, fingerprint: str) -> str:
    subject = waiver.request.subject
    if isinstance(subject, GapSubject):
        return "secgate coverage waive"
    if isinstance(subject, AdvisorySubject) and not fingerprint:
        return f"secgate waiver request --advisory {subject.advisory}"
    named = fingerprint or (subject.fingerprint if isinstance(subject, FindingSubject) else "")
    return f"secgate waiver request {named[:_SHOWN]}"


def account(one: Standing, *, shown: str, fingerprint: str, notice_s: int, now_epoch_s: int) -> WaiverAccount:
    """Say how a waiver stands towards the finding that is `shown`, or its own subject; soon is within `notice_s`."""
    asked = one.waiver.request
    return WaiverAccount(
        id=one.waiver.id,
        kind=asked.kind,
        state=one.state,
        fingerprint=fingerprint,
        shown=shown or asked.shown,
        reason=asked.reason,
        ticket=asked.ticket,
        requester=asked.requester,
        approver=one.waiver.approver,
        until_epoch_s=one.until_epoch_s,
        ends_soon=one.state == "active" and one.until_epoch_s - now_epoch_s <= notice_s,
        why=one.why,
        remedy=remedy(one, fingerprint),
    )
