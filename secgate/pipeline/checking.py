"""SARIF of any tool, judged: findings only, no coverage claimed, nothing recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from secgate import config, registry
from secgate.config import Machine
from secgate.correlate import correlate
from secgate.engines.regorus import RegorusEngine
from secgate.judge import Judgement, JudgeRequest, judge
from secgate.model import (
    Coverage,
    Finding,
    Invocation,
    Lane,
    LaneCoverage,
    Reading,
    RunDocument,
    ScanStatus,
    Scope,
    Source,
    Target,
    View,
)
from secgate.normalise import normalise
from secgate.pipeline.looking import Tables, load_tables
from secgate.preparation import (
    Enforced,
    Silence,
    guarded_reader,
    named_policies,
    policy_layers,
    read_enforced,
    workshop,
)
from secgate.scanners.reports import read_report
from secgate.version import __version__


class _Import(Struct, frozen=True, kw_only=True):
    """A foreign run in the form that the scan stage gives."""

    invocation: Invocation
    readings: tuple[Reading, ...]


def check(
    files: Sequence[tuple[str, bytes]],
    *,
    policies: Sequence[str],
    enforced: str,
    machine: Machine,
    now: datetime,
) -> RunDocument:
    """Judge the findings in `files`, (name, bytes) pairs, as if all were new.

    Raises UsageError for what is not SARIF 2.1.0, PolicyError where the policy could not decide.
    """
    organisation = read_enforced(enforced or machine.env.get("SECGATE_ENFORCED", ""), tree="")
    stronger = [*([organisation.settings] if organisation.settings else []), config.environment_layer(machine.env)]
    settings = config.resolve(stronger).settings
    tables = load_tables()
    imports, notes = _imports(files, known=tables.crosswalk.tools)
    target = Target(
        root="",
        kind="plain",
        repository=Path(files[0][0]).name if len(files) == 1 else f"{len(files)} files",
        scope=Scope.LOCAL,
        scope_basis="SARIF files, no tree",
    )
    findings, coverage, refused, invocations = _findings(imports, target, tables)
    request = JudgeRequest(
        target=target,
        findings=findings,
        coverage=coverage,
        invocations=invocations,
        layers=(),
        profile=settings.profile,
        now=now,
        mode=settings.mode,
        disabled_rules=tuple(settings.disabled_rules),
        enforced_digest=organisation.digest,
        provisional_clocks=True,
        claims_coverage=False,
    )
    judgement = _judged(
        request, organisation, named_policies(policies, machine), settings=settings.engine, machine=machine
    )
    digest = hashlib.sha256(b"".join(data for _, data in files)).hexdigest()
    return RunDocument(
        run_id=f"{now:%Y%m%dT%H%M%S.%fZ}-{digest[:8]}",
        secgate_version=__version__,
        target=target,
        invocations=request.invocations,
        coverage=coverage,
        findings=findings,
        decision=judgement.decision,
        provisional_clocks=True,
        notes=(*notes, *refused),
    )


def _findings(
    imports: Sequence[_Import], target: Target, tables: Tables
) -> tuple[tuple[Finding, ...], Coverage, tuple[str, ...], tuple[Invocation, ...]]:
    """Give findings, an account in which no lane was asked for, what was refused, in words, and who said it all."""
    normalised = normalise(
        imports,
        view=View(root="", source=Source.WORK_TREE, digests={}),
        read=lambda _: None,
        kinds=lambda _: (),
        crosswalk=tables.crosswalk,
        scores=lambda _: None,
        keep_outside=True,
    )
    findings = correlate(
        normalised.located,
        target=target,
        crosswalk=tables.crosswalk,
        base=None,
        history=None,
        comparable=lambda _: False,
    ).findings
    coverage = Coverage(lanes=tuple(_unasked(lane) for lane in Lane), table_digest=tables.lanes.digest)
    refused = tuple(f"{one.scanner}: {one.rule} at {one.path!r}: {one.reason}" for one in normalised.refused)
    return findings, coverage, refused, tuple(normalised.masker.told(one.invocation) for one in imports)


def _judged(
    request: JudgeRequest,
    organisation: Enforced,
    own: dict[str, bytes],
    *,
    settings: config.EngineSettings,
    machine: Machine,
) -> Judgement:
    with workshop(machine, now=request.now, observer=Silence()) as shop:
        engine, guarded = registry.engine(settings, machine=machine, runner=shop.executor, scratch=shop.scratch)
        reader = guarded_reader(machine, runner=shop.executor, scratch=shop.scratch)
        layers = policy_layers(organisation.policies, own, reader=RegorusEngine(), guarded=reader)
        return judge(msgspec.structs.replace(request, layers=layers), engine=engine, guarded=guarded)


def _imports(files: Sequence[tuple[str, bytes]], *, known: frozenset[str]) -> tuple[list[_Import], tuple[str, ...]]:
    imports: list[_Import] = []
    notes: list[str] = []
    for name, data in files:
        for run in read_report(data, name=name):
            if run.claimed_success is False:
                notes.append(f"{name}: {run.tool} says of itself that it did not succeed")
            if run.informational:
                notes.append(f"{name}: {run.informational} results of {run.tool} say that nothing is wrong")
            if run.unplaced:
                notes.append(f"{name}: {run.unplaced} results of {run.tool} name no place in a tree")
            invocation = Invocation(
                scanner=_name(run.tool, known), lane=Lane.SAST, tool=None, status=ScanStatus.COMPLETED, rules=run.rules
            )
            reading = Reading(status=ScanStatus.COMPLETED, rules=run.rules, results=run.results)
            imports.append(_Import(invocation=invocation, readings=(reading,)))
    return imports, tuple(notes)


def _name(tool: str, known: frozenset[str]) -> str:
    """Give the name by which the crosswalk knows a tool: bandit calls itself Bandit."""
    return tool.lower() if tool.lower() in known else tool


def _unasked(lane: Lane) -> LaneCoverage:
    return LaneCoverage(lane=lane, asked=False, needed=False, offered=0, covered=0, failed=0, unsupported=0)
