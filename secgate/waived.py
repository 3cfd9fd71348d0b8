"""Which waiver counts for which finding, and for which gap in coverage."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence

from secgate.fingerprint import package_key
from secgate.model import Finding, Gap, Lane, Severity, WaiverAccount, Whole
from secgate.patterns import PathPattern
from secgate.twins import Seen, TwinWaiver, share_out
from secgate.waivers import (
    NO_KEY,
    AdvisorySubject,
    FindingSubject,
    GapSubject,
    Standing,
    Waiver,
    broken,
    jointly,
    standing,
)


def for_findings(
    waivers: Iterable[Waiver],
    findings: Sequence[Finding],
    *,
    repository: str,
    now_epoch_s: int,
    longest_s: Callable[[Severity], int],
    wholes: Mapping[str, Sequence[Whole]] | None = None,
) -> dict[str, Standing]:
    """Give, by fingerprint, the waiver that counts most for each finding that one names: an active one before others.

    Of a group of twins exactly as many are waived as there are waivers of them that hold. What an edited crosswalk
    split is waived in all its parts, by the waiver of the whole: `wholes` tells, by fingerprint, what each was part of.
    What has taken others in is waived where its waivers and theirs are, together, of all that is there now.
    """
    single: list[Waiver] = []
    wide: list[Waiver] = []
    for waiver in waivers:
        subject = waiver.request.subject
        if isinstance(subject, FindingSubject) and subject.repository == repository:
            single.append(waiver)
        elif isinstance(subject, AdvisorySubject) and repository in subject.repositories:
            wide.append(waiver)

    def stand(waiver: Waiver, finding: Finding) -> Standing:
        return standing(waiver, finding, now_epoch_s=now_epoch_s, longest_s=longest_s(finding.severity))

    single.sort(key=lambda one: (*_rank(_alone(one, now_epoch_s, longest_s)), one.id))
    named = [TwinWaiver(fingerprint=_subject(one).fingerprint, group=_subject(one).group) for one in single]
    shared = share_out(map(Seen, findings), named, lambda at, twin: _rank(stand(single[at], twin.finding)))
    carried = _carried(findings, {name: single[at] for name, at in shared.items()}, stand, wholes or {})
    found: dict[str, Standing] = {}
    for finding in findings:
        candidates = [one for one in wide if _is_advised(one, finding)]
        if (at := shared.get(finding.fingerprint)) is not None:
            candidates.insert(0, single[at])
        standings = [stand(one, finding) for one in candidates]
        if (part := carried.get(finding.fingerprint)) is not None:
            standings.append(part)
        if standings:
            found[finding.fingerprint] = min(standings, key=_rank)
    by_name: dict[str, list[Waiver]] = {}
    for waiver in single:
        by_name.setdefault(_subject(waiver).fingerprint, []).append(waiver)
    taken = {_subject(single[at]).fingerprint for name, at in shared.items() if found[name].state == "active"}
    for finding in findings if len(by_name) > 1 else ():
        if (one := found.get(finding.fingerprint)) is not None and one.state != "active":
            names = {finding.fingerprint, *(alias.value for alias in finding.aliases)} - taken
            mine = (_alone(waiver, now_epoch_s, longest_s) for name in names for waiver in by_name.get(name, ()))
            found[finding.fingerprint] = _jointly(mine, finding) or one
    return found


def _jointly(standings: Iterable[Standing], finding: Finding) -> Standing | None:
    """Give the one that ends first of those that hold for a finding together, None where they do not."""
    active = (one for one in standings if one.state == "active")
    held = jointly(active, lambda bound: not broken(bound, finding))
    return held[-1] if held else None


def _carried(
    findings: Sequence[Finding],
    shared: Mapping[str, Waiver],
    stand: Callable[[Waiver, Finding], Standing],
    wholes: Mapping[str, Sequence[Whole]],
) -> dict[str, Standing]:
    """Give, by fingerprint, the waivers of wholes for the parts that the ledger, or this run, tells to be split off.

    One that was asked for when they were apart says nothing of another part, nor does one whose scanners do not tell
    the parts from each other: whoever asked must have looked at the witnesses of both. Each scanner's is given it once.
    """
    found: dict[str, Standing] = {}
    having: dict[str, list[Finding]] = {}
    for _, kin in sorted(_kin(findings, wholes).items()):
        for holder, holder_left in kin:
            waiver = shared.get(holder.fingerprint)
            if waiver is None or not is_before(waiver, holder_left) or stand(waiver, holder).state != "active":
                continue
            sharing = having.setdefault(waiver.id, [holder])
            for part, part_left in kin:
                own = shared.get(part.fingerprint)
                if part.fingerprint in found or (own is not None and stand(own, part).state == "active"):
                    continue
                if holder_left is None and part_left is None:
                    continue
                if not (is_before(waiver, part_left) and _is_looked_at(waiver, part, sharing)):
                    continue
                standing_now = stand(waiver, part)
                if standing_now.state == "active":
                    found[part.fingerprint] = standing_now
                    sharing.append(part)
    return found


def _kin(
    findings: Sequence[Finding], wholes: Mapping[str, Sequence[Whole]]
) -> dict[str, list[tuple[Finding, int | None]]]:
    """Give, by the name of each whole, what was part of it, with the time at which it left; None for what stayed."""
    names = {whole.fingerprint for each in wholes.values() for whole in each}
    kin: dict[str, list[tuple[Finding, int | None]]] = {name: [] for name in names}
    for one in sorted(findings, key=lambda one: Seen(one).position) if kin else ():
        left: dict[str, int | None] = dict.fromkeys((one.fingerprint, *(alias.value for alias in one.aliases)))
        left.update((whole.fingerprint, whole.until_epoch_s) for whole in wholes.get(one.fingerprint, ()))
        for name in left.keys() & kin.keys():
            kin[name].append((one, left[name]))
    return kin


def is_before(waiver: Waiver, left_epoch_s: int | None) -> bool:
    """Tell whether a waiver was asked for before something left its whole; in the same second nobody can say."""
    return left_epoch_s is None or max(waiver.asked_epoch_s, waiver.request.requested_epoch_s) < left_epoch_s


def _is_looked_at(waiver: Waiver, part: Finding, having: Sequence[Finding]) -> bool:
    """Tell whether a waiver was asked for when this was a witness of the same finding as those that have it."""

    def scanners(one: Finding) -> set[str]:
        return {witness.scanner for witness in one.witnesses}

    def place(one: Finding) -> tuple[str, str, str]:
        return one.location.path, one.location.commit, one.symbol

    return scanners(part) <= set(waiver.request.bound.scanners) and all(
        place(one) == place(part) and one.weakness != part.weakness and not scanners(one) & scanners(part)
        for one in having
    )


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
