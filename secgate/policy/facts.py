"""The input document from the run's values: facts are joined to findings here, so that a policy is linear in them.

Nothing is decided. What is not known has a value that says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Literal

from msgspec import Struct

from secgate.errors import PolicyError
from secgate.model import (
    Confidence,
    Coverage,
    Exposure,
    Finding,
    Gap,
    Invocation,
    Lane,
    LaneCoverage,
    Location,
    Obligation,
    Package,
    Result,
    Severity,
    State,
    Target,
)
from secgate.policy.documents import (
    GAP_REASONS,
    SENTINEL,
    AdvisoryFacts,
    Automatable,
    BaselineFacts,
    DocumentFacts,
    DowngradeFacts,
    FindingFacts,
    GapFacts,
    Impact,
    InputDocument,
    InSourceFacts,
    KnownExploited,
    LaneFacts,
    ListFacts,
    PackageFacts,
    RecordedObligation,
    RunFacts,
    ScoreFacts,
    WaiverFacts,
)
from secgate.policy.parts import Stated
from secgate.suppression import comment_in

IMPORTED = "sarif:"
"""Scanners' names begin so where a file of another tool stands for them."""
_NO_COMMENT = InSourceFacts()
_NO_PACKAGE = PackageFacts()


class JoinedFacts(Struct, frozen=True, kw_only=True, gc=False):
    """What is known of a finding from elsewhere: waivers, listings, the enforced layer's classes."""

    waiver: WaiverFacts = WaiverFacts()
    baseline: BaselineFacts = BaselineFacts()
    downgrade: DowngradeFacts = DowngradeFacts()
    known_exploited: KnownExploited = KnownExploited()
    epss_ppm: int = 0
    automatable: Automatable = "unknown"
    impact: Impact = "unknown"
    exposure: Exposure = "unknown"
    path_class: str = ""


_NOTHING_JOINED = JoinedFacts()


class Lists(Struct, frozen=True, kw_only=True):
    """Which lists told what is known of exploitation."""

    known_exploited: ListFacts = ListFacts()
    epss: ScoreFacts = ScoreFacts()


class RunContext(Struct, frozen=True, kw_only=True):
    """What the input says of the run beyond its target."""

    profile: str
    mode: Literal["enforce", "observe"]
    provisional_clocks: bool
    complete: bool
    claims_coverage: bool
    evaluated_at_epoch_s: int
    lists: Lists = Lists()
    documents: tuple[DocumentFacts, ...] = ()


def stated(
    *,
    target: Target,
    findings: Sequence[Finding],
    coverage: Coverage,
    invocations: Sequence[Invocation],
    joined: Mapping[str, JoinedFacts],
    context: RunContext,
) -> Stated:
    """Give the document, sorted throughout. Raises PolicyError for facts that the schema has no place for."""
    now = context.evaluated_at_epoch_s
    ordered = sorted(findings, key=attrgetter("fingerprint"))
    _require_distinct([finding.fingerprint for finding in ordered], "finding")
    _require_distinct([account.lane for account in coverage.lanes], "lane")
    frame = InputDocument(
        evaluated_at_epoch_s=context.evaluated_at_epoch_s,
        run=_run(target, context),
        lanes=tuple(_lane(account) for account in sorted(coverage.lanes, key=lambda account: account.lane)),
        gaps=_gaps(coverage),
        findings=(),
        gate_changes=tuple(sorted(target.gate_changes)),
        advisories=_advisories(invocations, context.lists),
        documents=context.documents,
    )
    facts = (
        _finding(finding, joined.get(finding.fingerprint, _NOTHING_JOINED), now_epoch_s=now) for finding in ordered
    )
    return Stated(frame, facts, count=len(ordered))


def sentinel_finding(evaluated_at_epoch_s: int) -> FindingFacts:
    """Give the finding that every layer must deny."""
    finding = Finding(
        fingerprint=SENTINEL,
        lane=Lane.SAST,
        weakness="secgate-sentinel",
        title="sentinel",
        severity=Severity.CRITICAL,
        score=10.0,
        severity_basis="sentinel",
        confidence=Confidence.HIGH,
        location=Location(path=""),
        witnesses=(),
        state=State.NEW,
        state_basis="sentinel",
    )
    return _finding(finding, JoinedFacts(), now_epoch_s=evaluated_at_epoch_s)


def _require_distinct(ids: Sequence[str], what: str) -> None:
    if SENTINEL in ids:
        raise PolicyError(f"a {what} is called `{SENTINEL}`, which is reserved", remedy="report this run")
    if len(set(ids)) != len(ids):
        double = sorted(name for name, count in Counter(ids).items() if count > 1)
        raise PolicyError(f"the {what} `{double[0]}` is there more than once", remedy="report this run")


def _run(target: Target, context: RunContext) -> RunFacts:
    changed: Literal["all", "some", "empty"] = (
        "all" if target.changed is None else "some" if target.changed else "empty"
    )
    return RunFacts(
        scope=target.scope,
        kind=target.kind,
        repository=target.repository,
        profile=context.profile,
        mode=context.mode,
        event=target.event,
        provider=target.provider,
        ref=target.ref,
        line=target.line,
        commit=target.commit,
        dirty=target.dirty,
        has_base=target.base_commit != "",
        changed_set=changed,
        provisional_clocks=context.provisional_clocks,
        complete=context.complete,
        claims_coverage=context.claims_coverage,
        author=target.author.name if target.author else "",
        actor=target.actor.name if target.actor else "",
        reviewers=tuple(sorted(reviewer.name for reviewer in target.reviewers)),
        artifacts=tuple(sorted(target.artifacts)),
    )


def _lane(account: LaneCoverage) -> LaneFacts:
    touched = sum(gap.touched for gap in account.gaps)
    return LaneFacts(
        lane=account.lane,
        asked=account.asked,
        needed=account.needed,
        offered=account.offered,
        covered=account.covered,
        failed=account.failed,
        unsupported=account.unsupported,
        gaps_total=len(account.gaps),
        gaps_touched=touched,
        gaps_older=len(account.gaps) - touched,
        gaps_waived=sum(gap.waived for gap in account.gaps),
        tools_ran=tuple(sorted(account.tools_ran)),
        tools_failed=tuple(sorted(account.tools_failed)),
    )


def _gaps(coverage: Coverage) -> tuple[GapFacts, ...]:
    def order(gap: Gap) -> tuple[str, ...]:
        return (gap.lane, gap.path, gap.tool, gap.reason, gap.remedy, str(gap.touched), str(gap.waived), gap.profile)

    found = sorted((gap for account in coverage.lanes for gap in account.gaps), key=order)
    for gap in found:
        if gap.reason not in GAP_REASONS:
            raise PolicyError(f"`{gap.reason}` is no reason for a gap (tool {gap.tool or 'none'})", place=gap.path)
    return tuple(
        GapFacts(
            id=f"gap-{number}",
            lane=gap.lane,
            path=gap.path,
            tool=gap.tool,
            reason=gap.reason,
            remedy=gap.remedy,
            touched=gap.touched,
            waived=gap.waived,
            profile=gap.profile,
        )
        for number, gap in enumerate(found, start=1)
    )


def _finding(finding: Finding, joined: JoinedFacts, *, now_epoch_s: int) -> FindingFacts:
    first_seen = finding.first_seen_epoch_s
    package = _package(finding.package)
    witnesses = finding.witnesses
    return FindingFacts(
        fingerprint=finding.fingerprint,
        lane=finding.lane,
        weakness=finding.weakness,
        cwes=_cwes(witnesses),
        severity=finding.severity,
        score_x10=min(100, max(0, round(finding.score * 10))),
        severity_basis=finding.severity_basis,
        confidence=finding.confidence,
        path=finding.location.path,
        symbol=finding.symbol,
        line=finding.location.region.start_line,
        path_class=joined.path_class,
        state=finding.state,
        touched=finding.touched,
        scanners=_alone(witnesses[0].scanner)
        if len(witnesses) == 1
        else tuple(sorted({witness.scanner for witness in witnesses})),
        witnesses=len(witnesses),
        advisories=tuple(sorted(finding.advisories)) if finding.advisories else (),
        package=package,
        fix_available=package.fix_available,
        secret=finding.lane is Lane.SECRETS
        or (bool(witnesses) and any(witness.lane is Lane.SECRETS for witness in witnesses)),
        in_history=finding.location.commit != "",
        suppressed_in_source=finding.suppressed_in_source,
        in_source=_in_source(finding) if finding.suppressed_in_source else _NO_COMMENT,
        first_seen_known=first_seen is not None,
        first_seen_epoch_s=first_seen or 0,
        risen=finding.known_severity is not None and finding.severity.rank > finding.known_severity.rank,
        seconds_open=0 if first_seen is None else max(0, now_epoch_s - first_seen),
        waiver=joined.waiver,
        baseline=joined.baseline,
        downgrade=joined.downgrade,
        known_exploited=joined.known_exploited,
        epss_ppm=joined.epss_ppm,
        automatable=joined.automatable,
        impact=joined.impact,
        exposure=joined.exposure,
        owner=finding.owner,
        obligations=tuple(map(_recorded, sorted(finding.obligations, key=_duty_order))) if finding.obligations else (),
    )


@lru_cache(maxsize=64)
def _alone(scanner: str) -> tuple[str]:
    """Give one and the same value for each scanner that is a finding's only witness, as most are."""
    return (scanner,)


def _cwes(witnesses: Sequence[Result]) -> tuple[int, ...]:
    if len(witnesses) == 1 and len(witnesses[0].cwes) == 1 and witnesses[0].cwes[0] > 0:
        return witnesses[0].cwes
    return tuple(sorted({cwe for witness in witnesses for cwe in witness.cwes if cwe > 0}))


def _duty_order(duty: Obligation) -> tuple[int, str, bool]:
    return duty.due_epoch_s, duty.basis, duty.superseded


def _recorded(duty: Obligation) -> RecordedObligation:
    return RecordedObligation(
        basis=duty.basis,
        start_epoch_s=duty.start_epoch_s,
        limit_s=duty.limit_s,
        superseded=duty.superseded,
        superseded_by=duty.superseded_by,
    )


def _in_source(finding: Finding) -> InSourceFacts:
    """Give what the comments of all witnesses say; nothing where one of them has none that is known.

    What a file of another tool claims is no comment that secgate saw (threat rule 7).
    """
    found = []
    for witness in finding.witnesses:
        claims = [one.text for one in witness.suppressions if one.kind == "inSource"]
        comment = comment_in(claims[0]) if claims and not witness.scanner.startswith(IMPORTED) else None
        if comment is None:
            return _NO_COMMENT
        found.append(comment)
    return InSourceFacts(
        comments=tuple(sorted({one.name for one in found})),
        names_rules=all(one.rules for one in found),
        reason=min((one.reason for one in found), key=lambda reason: (len(reason), reason), default=""),
    )


def _package(package: Package | None) -> PackageFacts:
    if package is None:
        return _NO_PACKAGE
    return PackageFacts(
        ecosystem=package.ecosystem,
        name=package.name,
        version=package.version,
        direct=package.direct,
        development=package.development,
        fix_available=bool(package.fixed_versions),
        fixed_versions=package.fixed_versions,
    )


def _advisories(invocations: Sequence[Invocation], lists: Lists) -> AdvisoryFacts:
    """Give the oldest advisory database that any tool used, and the lists."""
    used = [
        (run.advisories_age_s or 0, run.advisories_digest)
        for run in invocations
        if run.advisories_digest or run.advisories_age_s is not None
    ]
    age, digest = max(used, default=(0, ""))
    return AdvisoryFacts(
        used=bool(used),
        age_s=max(0, age),
        digest=digest,
        known_exploited=lists.known_exploited,
        epss=lists.epss,
    )
