"""Sections 2, 3 and 10: what was looked at, how the gate stood over time, and how it changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import cast

from secgate.assertions import Period
from secgate.chronicle import RecordedRun
from secgate.events import Run
from secgate.evidence import Examined
from secgate.evidence.ground import Ground
from secgate.evidence.scanning import scope_of_period
from secgate.masking import clean
from secgate.model import Scope
from secgate.population import Deployment
from secgate.report.about import About
from secgate.report.accounts import ChangeSection, DigestSpan, EntryReference, GateChangeRow, OverrideRow
from secgate.report.document import (
    EnvironmentScope,
    Excluded,
    ModeSpan,
    OutsideService,
    RepositoryScope,
    RoleHolders,
    ScopeSection,
    Stage,
    SystemSection,
)
from secgate.sla import many

STAGES = (
    Stage(name="discover", what="which repository, commit, branch and change are to be judged"),
    Stage(name="view", what="a private copy of the files, without links and tool configuration"),
    Stage(name="scan", what="scanners by lane, isolated, with what each looked at and what it did not"),
    Stage(name="normalise", what="every scanner's results in one form, secrets masked"),
    Stage(name="correlate", what="one finding for one weakness, followed over commits"),
    Stage(name="judge", what="policies in Rego decide: pass, fail or inconclusive, which fails too"),
    Stage(name="record", what="the run, its findings and their deadlines as entries of the ledger"),
)
"""The gate's parts, in their order."""
_UNKNOWN = "unknown"


def scope_section(examined: Examined, about: About) -> ScopeSection:
    """Give what the report is about, and what is left out."""
    ground = examined.ground
    return ScopeSection(
        systems=about.systems,
        repositories=tuple(_repositories(ground)),
        environments=tuple(_environments(ground)),
        excluded=(
            *(Excluded(what=one.what, why=one.why, said_by="management") for one in about.excluded),
            *_excluded(ground),
        ),
        outside=tuple(OutsideService(name=one.name, what=one.what) for one in about.outside),
    )


def _repositories(ground: Ground) -> Iterator[RepositoryScope]:
    listed = {row.repository: row for row in scope_of_period(ground)}
    runs: dict[str, list[Run]] = {}
    for one in runs_within(ground):
        runs.setdefault(one.run.repository, []).append(one.run)
    for name in sorted({*listed, *runs}):
        own = runs.get(name, [])
        protected = [run for run in own if run.scope is Scope.PROTECTED]
        row = listed.get(name)
        yield RepositoryScope(
            repository=name,
            listed=row is not None,
            from_epoch_s=row.from_epoch_s if row else 0,
            until_epoch_s=row.until_epoch_s if row else 0,
            protected_runs=len(protected),
            other_runs=len(own) - len(protected),
            lines=tuple(sorted({run.line for run in protected})),
        )


def _environments(ground: Ground) -> Iterator[EnvironmentScope]:
    if "deployments" in ground.lists:
        rows = cast("tuple[Deployment, ...]", ground.lists["deployments"].rows)
        counts = Counter(row.environment for row in rows if ground.within(row.deployed_epoch_s))
        for name, count in sorted(counts.items()):
            yield EnvironmentScope(name=name, deployments=count)


def _excluded(ground: Ground) -> Iterator[Excluded]:
    runs = [one.run for one in runs_within(ground)]
    # Each run once, though one of a change may be of a part as well: the counts add up.
    protected = [run for run in runs if run.scope is Scope.PROTECTED]
    whole = [run for run in protected if not run.dirty]
    others = {
        "runs of changes and laptops": len(runs) - len(protected),
        "runs of protected branches with uncommitted changes": len(protected) - len(whole),
        "runs of a part of a protected branch": sum(bool(run.partial or run.prefix) for run in whole),
    }
    for what, count in others.items():
        if count:
            why = f"{many(count, 'run')}: they do not show a protected branch as a whole, and start no clock"
            yield Excluded(what=what, why=why, said_by="secgate")
    for kind, joined in sorted(ground.lists.items()):
        for one in joined.imports:
            for reason, count in sorted(one.event.left_out.items()):
                yield Excluded(
                    what=f"{many(count, 'record')} of a list of {kind}", why=clean(reason), said_by="secgate"
                )
            for what, names in (("repositories", one.event.repositories), ("environments", one.event.environments)):
                if names:
                    told = f"a list of {kind} holds these alone: {', '.join(names)}"
                    yield Excluded(what=f"other {what}", why=clean(told), said_by="secgate")


def runs_within(ground: Ground) -> Iterator[RecordedRun]:
    """Give every run of the period."""
    for read in ground.ledgers:
        for one in read.chronicle.runs:
            if ground.within(one.at_epoch_s):
                yield one


def system_section(examined: Examined) -> SystemSection:
    """Give the gate's parts, its modes over time, its policies' versions and the roles of people."""
    ground = examined.ground
    roles: dict[str, list[str]] = {}
    for person in examined.enforced.people.persons:
        for role in person.roles:
            roles.setdefault(role, []).append(person.id)
    return SystemSection(
        stages=STAGES,
        modes=tuple(_modes(ground)),
        policies=_spans(
            (one, f"policy of the layer {layer}", digest)
            for one in runs_within(ground)
            for layer, digest in sorted(one.run.policy_digests.items())
        ),
        roles=tuple(RoleHolders(role=role, people=tuple(names)) for role, names in sorted(roles.items())),
    )


def _modes(ground: Ground) -> Iterator[ModeSpan]:
    lines: dict[tuple[str, str], list[RecordedRun]] = {}
    for read in ground.ledgers:
        for one in read.chronicle.runs:
            if one.run.scope is Scope.PROTECTED and one.at_epoch_s < ground.period.to_epoch_s:
                lines.setdefault((one.run.repository, one.run.line), []).append(one)
    for (repository, line), runs in sorted(lines.items()):
        for mode, start, end in _mode_spans(runs, ground.period):
            yield ModeSpan(repository=repository, line=line, mode=mode, from_epoch_s=start, to_epoch_s=end)


def _mode_spans(runs: Iterable[RecordedRun], period: Period) -> Iterator[tuple[str, int, int]]:
    """Give a line's modes in order. A mode lasts until a run of another; an override is no mode, and told apart."""
    mode, since = _UNKNOWN, period.from_epoch_s
    for one in sorted(runs, key=lambda run: (run.at_epoch_s, run.sequence)):
        now = {"": mode, "overridden": "enforce"}.get(one.run.mode, one.run.mode)
        if now != mode:
            if one.at_epoch_s > since:
                yield mode, since, one.at_epoch_s
            mode, since = now, max(one.at_epoch_s, period.from_epoch_s)
    yield mode, since, period.to_epoch_s


def change_section(examined: Examined) -> ChangeSection:
    """Give every change of the gate, every override, and the versions of what judges."""
    ground = examined.ground
    return ChangeSection(
        changes=tuple(_changes(ground)),
        overrides=tuple(_overrides(ground)),
        versions=_spans(version for one in runs_within(ground) for version in _versions(one)),
    )


def _changes(ground: Ground) -> Iterator[GateChangeRow]:
    for read in ground.ledgers:
        for one in read.chronicle.changes:
            if ground.within(one.at_epoch_s):
                change = one.change
                yield GateChangeRow(
                    at_epoch_s=one.at_epoch_s,
                    type=change.TYPE,
                    repository=change.repository,
                    line=change.line,
                    profile=change.profile,
                    name=change.name,
                    part=change.part,
                    before=change.before,
                    after=change.after,
                    entry=EntryReference(ledger_id=read.chronicle.memory.ledger_id or "", sequence=one.sequence),
                )


def _overrides(ground: Ground) -> Iterator[OverrideRow]:
    for read in ground.ledgers:
        for one in read.said.overrides:
            held = one.given_epoch_s < ground.period.to_epoch_s and one.said.until_epoch_s > ground.period.from_epoch_s
            # One without an end holds for nothing, and is no less given.
            if held or ground.within(one.given_epoch_s):
                yield OverrideRow(
                    id=one.id,
                    repository=one.said.repository,
                    line=one.said.line,
                    commit=one.said.commit,
                    by=one.said.by,
                    given_epoch_s=one.given_epoch_s,
                    until_epoch_s=one.said.until_epoch_s,
                    reason=clean(one.said.reason),
                    ticket=clean(one.said.ticket),
                    reviewer=one.reviewer,
                    reviewed_epoch_s=one.reviewed_epoch_s,
                    word=one.word or "",
                    review_reason=clean(one.review_reason),
                    void=one.void,
                    runs=tuple(
                        run.name
                        for run in read.chronicle.runs
                        if run.run.override == one.id and ground.within(run.at_epoch_s)
                    ),
                )


def _versions(one: RecordedRun) -> Iterator[tuple[RecordedRun, str, str]]:
    run = one.run
    yield one, f"secgate {run.secgate_version}", ""
    if run.enforced_digest:
        yield one, "enforced layer", run.enforced_digest
    if run.mapping_digest:
        yield one, f"control mapping {', '.join(run.mapping_versions)}", run.mapping_digest
    for tool in run.tools:
        yield one, f"{tool.scanner} {tool.version}".strip(), tool.tool_digest
        if tool.rule_pack_digest:
            yield one, f"rules of {tool.scanner}", tool.rule_pack_digest


def _spans(used: Iterable[tuple[RecordedRun, str, str]]) -> tuple[DigestSpan, ...]:
    known: dict[tuple[str, str], list[RecordedRun]] = {}
    for one, what, digest in used:
        known.setdefault((what, digest), []).append(one)
    spans = [
        DigestSpan(
            what=what,
            digest=digest,
            first_epoch_s=min(one.at_epoch_s for one in runs),
            last_epoch_s=max(one.at_epoch_s for one in runs),
            runs=len({one.name for one in runs}),
            repositories=len({one.run.repository for one in runs}),
        )
        for (what, digest), runs in known.items()
    ]
    return tuple(sorted(spans, key=lambda one: (one.what, one.first_epoch_s, one.digest)))
